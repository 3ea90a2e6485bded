import Testing

@testable import Doctor

@Suite struct FirewallTests {
    private static let open =
        "table inet filter {\n chain input {\n type filter hook input priority 0; policy accept;\n }\n}"
    private static let closed = """
        table inet filter {
            chain input {
                type filter hook input priority filter; policy drop;
                ct state established,related accept
                tcp dport 22 accept
            }
        }
        """

    @Test func `A filter that drops what is new has to accept protocol 140`() {
        #expect(FirewallChecks.shim6(Self.open).verdict == .ok)
        let finding = FirewallChecks.shim6(Self.closed)
        #expect(finding.verdict == .failure)
        #expect(finding.advice.contains { $0.contains("l4proto 140 accept") })
        for rule in ["meta l4proto 140 accept", "ip6 nexthdr 140 accept", "-A INPUT -p 140 -j ACCEPT"] {
            #expect(FirewallChecks.shim6(Self.closed + "\n\(rule)").verdict == .ok, "\(rule)")
        }
        // A rule for it that drops is no help.
        #expect(FirewallChecks.shim6(Self.closed + "\nmeta l4proto 140 drop").verdict == .failure)
        #expect(FirewallChecks.shim6(":INPUT DROP [0:0]\n-A INPUT -p tcp -j ACCEPT").verdict == .failure)
    }

    @Test func `Only reverse-path filters that ask for the interface are strict`() {
        let strict = "fib saddr . mark . iif oif missing drop"
        #expect(FirewallChecks.reversePath(Self.open + "\n" + strict).verdict == .warning)
        #expect(FirewallChecks.reversePath(Self.open + "\n" + strict).explanation.contains(strict))
        #expect(FirewallChecks.reversePath("fib saddr oif missing drop").verdict == .ok)
        #expect(FirewallChecks.reversePath("-A PREROUTING -m rpfilter --invert -j DROP").verdict == .warning)
        #expect(FirewallChecks.reversePath("-A PREROUTING -m rpfilter --loose --invert -j DROP").verdict == .ok)
    }
}

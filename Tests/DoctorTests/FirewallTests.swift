import Testing

@testable import Doctor

@Suite struct FirewallTests {
    private static let open = """
        table inet filter { # handle 1
        \tchain input { # handle 1
        \t\ttype filter hook input priority filter; policy accept;
        \t\ttcp dport 22 accept # handle 2
        \t}
        }
        """
    private static func closed(_ rule: String, table: String = "inet filter") -> String {
        """
        table \(table) { # handle 7
        \tset friends { # handle 3
        \t\ttype ipv6_addr
        \t\telements = { 2001:db8::1, 2001:db8::2 }
        \t}

        \tchain services { # handle 2
        \t\t\(rule) # handle 6
        \t}

        \tchain input { # handle 1
        \t\ttype filter hook input priority filter; policy drop;
        \t\tct state vmap { invalid : drop, established : accept, related : accept } # handle 4
        \t\tjump services # handle 5
        \t}
        }
        """
    }

    private func verdict(_ rules: String) -> Finding.Verdict { FirewallChecks(nftables: rules).shim6().verdict }

    @Test func `A filter that drops what is new has to accept protocol 140`() {
        #expect(verdict(Self.open) == .ok)
        let finding = FirewallChecks(nftables: Self.closed("tcp dport 22 accept", table: "ip6 mine")).shim6()
        #expect(finding.verdict == .failure)
        #expect(finding.advice.first == "nft insert rule ip6 mine input meta l4proto 140 accept")
        for rule in ["meta l4proto 140 accept", "ip6 nexthdr shim6 accept", "meta l4proto { 58, 140 } counter accept"] {
            #expect(verdict(Self.closed(rule)) == .ok, "\(rule)")
        }
        // A rule for it that drops is no help, nor one for another protocol, nor a chain that nothing leads to.
        #expect(verdict(Self.closed("meta l4proto 140 drop")) == .failure)
        #expect(verdict(Self.closed("tcp dport 140 accept")) == .failure)
        #expect(verdict(Self.closed("meta l4proto 140 accept").replacing("jump services", with: "accept")) == .failure)
        // The IPv4 side is no matter.
        #expect(verdict(Self.closed("tcp dport 22 accept", table: "ip filter")) == .ok)
        let rejecting = Self.open.replacing("tcp dport 22 accept", with: "counter packets 3 bytes 9 reject")
        #expect(verdict(rejecting) == .failure)
    }

    @Test func `Firewalld and ip6tables are spoken to in their own words`() {
        let firewalld = FirewallChecks(nftables: Self.closed("tcp dport 22 accept", table: "inet firewalld"))
        #expect(firewalld.shim6().advice.first == "firewall-cmd --permanent --add-protocol=140")
        let legacy = "*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp -j ACCEPT\nCOMMIT\n"
        let finding = FirewallChecks(nftables: "", legacy: legacy).shim6()
        #expect(finding.verdict == .failure)
        #expect(finding.advice.first == "ip6tables-legacy -I INPUT -p 140 -j ACCEPT")
        let mended = legacy.replacing("-A INPUT -p tcp", with: "-A INPUT -p 140 -j ACCEPT\n-A INPUT -p tcp")
        #expect(FirewallChecks(nftables: "", legacy: mended).shim6().verdict == .ok)
    }

    @Test func `Only reverse-path filters that ask for the interface are strict`() {
        func finding(_ rule: String) -> Finding { FirewallChecks(nftables: Self.closed(rule)).reversePath() }
        let strict = finding("meta nfproto ipv6 fib saddr . mark . iif oif missing counter packets 4 bytes 300 drop")
        #expect(strict.verdict == .warning)
        #expect(
            strict.advice == [
                "nft replace rule inet filter services handle 6 meta nfproto ipv6 fib saddr . mark oif missing counter drop"
            ])
        #expect(finding("fib saddr oif missing drop").verdict == .ok)
        func legacy(_ rule: String) -> Finding {
            FirewallChecks(nftables: "", legacy: "*raw\n-A PREROUTING -m rpfilter \(rule)\nCOMMIT\n").reversePath()
        }
        #expect(legacy("--loose --invert -j DROP").verdict == .ok)
        #expect(
            legacy("--invert -j DROP").advice == [
                "ip6tables-legacy -t raw -A PREROUTING -m rpfilter --loose --invert -j DROP",
                "ip6tables-legacy -t raw -D PREROUTING -m rpfilter --invert -j DROP",
            ])
    }
}

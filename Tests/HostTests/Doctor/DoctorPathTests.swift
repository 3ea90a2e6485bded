import Foundation
import Lab
import Testing

extension HostTests {
    /// `shim6ctl doctor` and the paths to a peer.
    @Suite struct DoctorPathTests {
        @Test func `Each path to a peer is tried, and where it ends is named, beside a session that notices nothing`()
            throws
        {
            try HostTests.withPair { pair in
                let (a, internet) = (pair.a, pair.topology.internet)
                let echo = try pair.startSession()
                let before = try a.contexts()
                let peer = pair.ulidOfB.description
                func paths() throws -> [DoctorFinding] {
                    try a.examine(peers: [peer]).filter { $0.check.contains("->") }.sorted { $0.check < $1.check }
                }
                func drop(_ what: String) throws {
                    try internet.run(
                        "nft", "-f", "-",
                        input: """
                            table inet path {
                            chain c { type filter hook forward priority 0; iifname "a2" \(what) drop
                            }
                            }
                            """)
                }
                // Two uplinks to the two locators that the context knows of.
                let well = try paths()
                #expect(well.count == 4 && well.allSatisfy { $0.verdict == "ok" }, "\(well)")
                #expect(well.allSatisfy { $0.explanation.hasSuffix("up to 1500 octets") }, "\(well)")
                for (what, verdict, words) in [
                    ("meta l4proto 140", "failure", "pings do; the last that answered is 2001:db8:a2::1 (hop 1)"),
                    ("meta length > 1400", "warning", "up to about 1400 octets"),
                    ("", "failure", "nothing comes back; the last that answered is 2001:db8:a2::1 (hop 1)"),
                ] {
                    try drop(what)
                    let found = try paths()
                    #expect(found.prefix(2).allSatisfy { $0.verdict == "ok" }, "\(found)")
                    #expect(found.count == 4 && found.suffix(2).allSatisfy { $0.verdict == verdict }, "\(found)")
                    #expect(found.suffix(2).allSatisfy { $0.explanation.contains(words) }, "\(found)")
                    try internet.run("nft", "flush", "ruleset")
                }
                #expect(try a.contexts().map(\.tag) == before.map(\.tag))
                #expect(try a.contexts().allSatisfy { $0.outgoing == before.first?.outgoing })
                #expect(try echo.stop().losses.isEmpty)
                #expect(pair.b.stop() == 0)
                let deaf = try paths()
                #expect(
                    deaf.count >= 2 && deaf.allSatisfy { $0.explanation.contains("no Shim6 runs there") }, "\(deaf)")
            }
        }
    }
}

import ArgumentParser
import Lab
import Shim6Core
import Shim6Wire
import Steering

extension XFRM {
    struct Thousand: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Many contexts are installed, moved and removed.")
        @Option var count = 1000

        func run() throws {
            try XFRM.trial { laboratory, story in
                let pair = try RehomedPair(laboratory, contexts: UInt32(count) + 1)
                let host = pair.a
                let before = try Self.rows(of: host.namespace)
                let entries = (1...count).map { entry($0, pair, "a1", "b1") }
                func timed(_ what: String, _ body: (DataPathEntry) throws -> Void) rethrows {
                    let begin = Clock.now
                    try entries.forEach(body)
                    let seconds = (Clock.now - begin).seconds
                    story.say("\(count) contexts \(what) in \(Int(seconds * 1000)) ms")
                }
                try timed("installed") { try host.install($0) }
                story.expect(
                    "each has its outgoing policy and its incoming state",
                    try Self.rows(of: host.namespace) == (before.policies + count, before.states + count))
                try timed("rehomed") { entry in
                    var moved = entry
                    moved.outgoing.source = pair.address("a2")
                    try host.install(moved)
                }
                story.expect(
                    "each has two outgoing states more",
                    try Self.rows(of: host.namespace) == (before.policies + count, before.states + 3 * count))
                try timed("removed") { try host.remove($0) }
                story.expect("nothing of them is left", try Self.rows(of: host.namespace) == before)
            }
        }

        private func entry(_ number: Int, _ pair: RehomedPair, _ own: String, _ other: String) -> DataPathEntry {
            var entry = pair.entry(own, other)
            entry.localTag = ContextTag(truncating: UInt64(0x1000 + number))
            entry.slot = UInt32(number)
            let peer = IPv6Address(high: pair.address(other).high, low: UInt64(0x1_0000 + number))
            entry.ulids.peer = peer
            entry.outgoing.destination = peer
            return entry
        }

        /// As the ip command counts them.
        static func rows(of namespace: Namespace) throws -> (policies: Int, states: Int) {
            func count(_ arguments: String...) throws -> Int {
                try namespace.run(arguments).split(separator: "\n").count { $0.hasPrefix("src ") }
            }
            return (
                try count("ip", "xfrm", "policy", "list", "ptype", "sub"), try count("ip", "xfrm", "state", "list")
            )
        }
    }
}

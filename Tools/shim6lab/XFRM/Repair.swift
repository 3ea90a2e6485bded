import ArgumentParser
import Lab
import Shim6Wire

extension XFRM {
    struct Repair: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "What somebody else flushes is made again, and the session goes on.")

        func run() throws {
            try XFRM.trial { laboratory, story in
                let pair = try Pair(laboratory, a: Daemon.Settings(driver: "xfrm"), b: Daemon.Settings(driver: "xfrm"))
                let host = pair.a.namespace
                try pair.start()
                let (local, peer) = (pair.ulidOfA.description, pair.ulidOfB.description)
                let echo = try laboratory.echo(from: host, local, to: pair.b.namespace, peer)
                // B has something to send whatever becomes of A's packets.
                _ = try laboratory.echo(from: pair.b.namespace, peer, to: host, local, port: 7008)
                _ = try pair.waitUntilEstablished()
                try pair.topology.cut(pair.topology.uplink("a1"))
                _ = try pair.waitUntilMoved(to: "payload to leave a1") { a, b in
                    a.source == pair.locator("a2") && b.destination == pair.locator("a2")
                }
                let before = try Rows(of: host)
                let usual = try renewed(pair.a)
                // Longer than from one audit to the next.
                try laboratory.pass(seconds: 12)
                story.expect(
                    "an audit changes nothing of what is in order",
                    try renewed(pair.a) == usual && Rows(of: host) == before)
                for type in ["main", "sub"] { try host.run("ip", "xfrm", "policy", "flush", "ptype", type) }
                try host.run("ip", "xfrm", "state", "flush")
                story.say("all policies and states of host a are flushed")
                try story.expect("all of them are there again") {
                    try laboratory.wait(until: "the same policies and states", upTo: 40) {
                        try Rows(of: host) == before
                    }
                }
                let repaired = Clock.now
                try laboratory.pass(seconds: 4)
                let record = try echo.stop()
                // The peer may take the silence for a failure of the pair in use, and look for another.
                let late = zip(record.sent, record.received).filter { $0.0 > repaired + .seconds(2) }
                story.expect(
                    "UDP packets come back again",
                    late.count > 50 && late.suffix(50).allSatisfy { $0.1.nanoseconds != 0 },
                    otherwise: "\(late.count { $0.1.nanoseconds != 0 }) of \(late.count)")
                let status = try pair.a.status()
                story.expect(
                    "status tells of the repair", try renewed(pair.a) > usual, otherwise: "\(status.counters)")
                let refused = status.drops.filter { $0.key.contains("xfrm_in_no_") }
                story.expect(
                    "and counts what the kernel did not let in meanwhile: \(refused.filter { $0.value > 0 })",
                    refused.values.contains { $0 > 0 }, otherwise: "\(status.drops)")
                for daemon in [pair.a, pair.b] {
                    story.expect("shim6d on host \(daemon.host) ends when it is told to", daemon.stop() == 0)
                }
            }
        }

        private func renewed(_ daemon: Daemon) throws -> UInt64 {
            guard let count = try daemon.status().counters.first(where: { $0.key.hasSuffix("renewed") })?.value else {
                throw LabError("status has no such counter")
            }
            return count
        }
    }
}

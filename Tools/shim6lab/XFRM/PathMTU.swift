import ArgumentParser
import Glibc
import Lab
import Shim6Wire
import Steering

extension XFRM {
    struct PathMTU: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "path-mtu", abstract: "Errors about rehomed packets reach the sockets that they are for.")

        func run() throws {
            try XFRM.trial { laboratory, story in
                let pair = try Pair(laboratory, a: Daemon.Settings(driver: "xfrm"), b: Daemon.Settings(driver: "xfrm"))
                try pair.start()
                let (a, b) = (pair.a.namespace, pair.b.namespace)
                let (local, peer) = (pair.ulidOfA.description, pair.ulidOfB.description)
                // The new path is narrower than both hosts' uplinks, from the start.
                for namespace in [pair.topology.internet, b] {
                    try namespace.run("ip", "link", "set", "b2", "mtu", "1400")
                }
                let download = try Download(laboratory, from: a, local, to: b, peer, size: 8_000_000, rate: 400_000)
                _ = try pair.waitUntilEstablished()
                try pair.topology.cut(pair.topology.uplink("a1"))
                try pair.topology.cut(pair.topology.uplink("b1"))
                _ = try pair.waitUntilMoved(to: "payload to use a2 and b2") { a, b in
                    a.source == pair.locator("a2") && a.destination == pair.locator("b2")
                        && b.source == pair.locator("b2") && b.destination == pair.locator("a2")
                }
                story.say("payload is on a2 and b2, whose path takes 1400 octets")
                try story.expect("a TCP download from A goes on, and its SHA-256 is right") {
                    try download.finish(upTo: 90)
                }
                let route = try a.run(
                    "ip", "-6", "route", "get", pair.locator("b2").description, "from", pair.locator("a2").description)
                story.expect("the kernel knows the path's MTU", route.contains("mtu 1400"), otherwise: route)
                let tallyOptions = ["--local", local, "--peer", peer, "--size", "4000", "--count", "5"]
                try laboratory.serveDatagrams(in: b, on: peer)
                let tally = try laboratory.bulk(["datagrams"] + tallyOptions, in: a)
                story.expect("UDP datagrams of 4000 octets come back whole", tally.intact == 5, otherwise: "\(tally)")
                // The peer's kernel sends its errors from the ULID, by the uplink of that.
                try pair.topology.heal(pair.topology.uplink("b1"))
                let refused = try Self.isRefused(a, local, peer)
                story.expect("a UDP socket is told that nobody listens", refused)
                for daemon in [pair.a, pair.b] {
                    story.expect("shim6d on host \(daemon.host) ends when it is told to", daemon.stop() == 0)
                }
            }
        }

        /// Whether a datagram to a port without a socket comes back as ECONNREFUSED.
        private static func isRefused(_ namespace: Namespace, _ local: String, _ peer: String) throws -> Bool {
            let socket = try namespace.inside {
                let socket = try Socket(.datagram)
                try socket.bind(to: local, port: 0)
                try socket.connect(to: peer, port: 9)
                return socket
            }
            for _ in 0..<20 {
                if !socket.sendOnce([1, 2, 3]), errno == ECONNREFUSED { return true }
                usleep(200_000)
            }
            return false
        }
    }
}

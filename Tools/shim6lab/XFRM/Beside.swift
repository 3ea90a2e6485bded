import ArgumentParser
import Lab
import Shim6Wire
import Steering
import XFRMDataPath

extension XFRM {
    struct Beside: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Somebody else's ESP policy for the same addresses stays in force.")
        private static let esp: UInt8 = 50

        func run() throws {
            try XFRM.trial { laboratory, story in
                let pair = try RehomedPair(laboratory)
                let (a, b) = (pair.a.namespace, pair.b.namespace)
                let (local, peer) = (pair.address("a1").description, pair.address("b1").description)
                for host in [a, b] {
                    try Self.addStates(host, local, peer)
                    let isA = host.name == a.name
                    try Self.require(host, "out", isA ? local : peer, isA ? peer : local)
                    try Self.require(host, "in", isA ? peer : local, isA ? local : peer)
                }
                let before = try [a, b].map(Self.policies)
                let ends = ["--local", local, "--peer", peer]
                try laboratory.serveDatagrams(in: b, on: peer)
                func cross(_ size: Int) throws -> Int {
                    try laboratory.bulk(["datagrams", "--size", "\(size)", "--count", "5"] + ends, in: a).intact
                }
                story.expect("protected datagrams come back", try cross(500) == 5)
                let capture = try Capture(
                    laboratory, in: pair.topology.internet, device: "a2", filter: "ip6 proto 43", length: 256)
                try pair.move("a2", "b2")
                story.say("payload moves to a2, b2")
                for size in [500, 4000] {
                    let intact = try cross(size)
                    story.expect("datagrams of \(size) octets come back over the new pair", intact == 5)
                }
                try laboratory.pass(seconds: 0.3)
                let inside = try capture.packets().filter { $0.homeAddresses != nil }.map { $0.payload[24] }
                story.expect(
                    "all \(inside.count) rehomed packets are protected",
                    inside.count >= 20 && inside.allSatisfy { $0 == Self.esp || $0 == 44 }, otherwise: "\(Set(inside))")
                story.expect("the policies for ESP are as they were", try [a, b].map(Self.policies) == before)
                try a.run("ip", "xfrm", "state", "deleteall", "proto", "esp")
                story.expect("nothing passes that cannot be protected", try cross(500) == 0)
                try Self.addStates(a, local, peer)
                try pair.move("a1", "b1")
                story.expect("protected datagrams come back over the first pair", try cross(500) == 5)
                for host in [a, b] { try host.inside { _ = try XFRMTables.flush(marks: XFRMDataPath.marks) } }
                story.expect("a flush of ours leaves the policies for ESP", try [a, b].map(Self.policies) == before)
                story.expect("and they still protect", try cross(500) == 5)
            }
        }

        /// Both directions, with integrity and without encryption.
        private static func addStates(_ host: Namespace, _ local: String, _ peer: String) throws {
            for (number, (source, destination)) in [(local, peer), (peer, local)].enumerated() {
                try host.run(
                    "ip", "xfrm", "state", "add", "src", source, "dst", destination, "proto", "esp", "spi",
                    "\(0x1001 + number)", "reqid", "77", "mode", "transport", "auth", "hmac(sha1)",
                    "0x\(String(repeating: "5a", count: 20))", "enc", "ecb(cipher_null)", "")
            }
        }

        private static func require(
            _ host: Namespace, _ direction: String, _ source: String, _ destination: String
        ) throws {
            try host.run(
                "ip", "xfrm", "policy", "add", "src", source, "dst", destination, "dir", direction, "tmpl", "proto",
                "esp", "reqid", "77", "mode", "transport", "level", "required")
        }

        private static func policies(_ host: Namespace) throws -> String {
            try host.run("ip", "xfrm", "policy", "list", "nosock", "ptype", "main")
        }
    }
}

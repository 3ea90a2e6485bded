import Foundation
import Lab
import Shim6Core
import Shim6Wire
import Steering

/// Throughput of one TCP stream between two hosts that are joined by two links without a router: without the data path,
/// with it, rehomed, and plain with the offloads off that a rehomed stream cannot have either.
@main
struct Throughput {
    enum Setting: String, CaseIterable {
        case plain = "plain"
        case withoutOffloads = "plain, tso gso gro off"
        case attached = "data path, not rehomed"
        case rehomed = "data path, rehomed"
    }

    static func main() throws {
        let arguments = CommandLine.arguments.dropFirst()
        let rounds = arguments.first.flatMap { Int($0) } ?? 5
        let seconds = arguments.dropFirst().first.flatMap { Int($0) } ?? 3
        var results: [Setting: [Double]] = [:]
        for round in 1...max(1, rounds) {
            for (setting, rate) in try Self.round(seconds: seconds) { results[setting, default: []].append(rate) }
            let line = Setting.allCases.map { String(format: "%.2f", results[$0]?.last ?? 0) }
            FileHandle.standardError.write(Data("round \(round): \(line.joined(separator: "  ")) Gbit/s\n".utf8))
        }
        let medians = results.mapValues { $0.sorted()[$0.count / 2] }
        func ratio(_ one: Setting, _ other: Setting) -> String {
            String(format: "%.3f", (medians[one] ?? 0) / (medians[other] ?? .infinity))
        }
        print("not rehomed : no data path      \(ratio(.attached, .plain))  (wanted: at least 0.97)")
        print("rehomed : plain without offloads \(ratio(.rehomed, .withoutOffloads))  (wanted: at least 0.8)")
        print("rehomed : plain                  \(ratio(.rehomed, .plain))")
        for setting in Setting.allCases {
            print(String(format: "%6.2f Gbit/s  ", medians[setting] ?? 0) + setting.rawValue)
        }
    }

    /// Each setting once, in hosts made for it.
    static func round(seconds: Int) throws -> [(Setting, Double)] {
        let laboratory = try Laboratory()
        defer { laboratory.close() }
        let a = try laboratory.namespace("a")
        let b = try laboratory.namespace("b")
        let links = [1, 2].map { (Uplink(device: "a\($0)", host: "a"), Uplink(device: "b\($0)", host: "b")) }
        for (left, right) in links { try join(left, a, right, b) }
        try laboratory.start(["iperf3", "-s", "-B", links[0].1.address("b")], in: b, log: "server.log")
        try laboratory.wait(until: "the server") { try b.run("ss", "-Htln").contains(":5201") }
        func measure() throws -> Double {
            try rate(in: a, from: links[0].0.address("a"), to: links[0].1.address("b"), seconds: seconds)
        }

        var results = [(Setting.plain, try measure())]
        let offloads = ["tso", "gso", "gro"]
        try switchOffloads(offloads, "off", links, a, b)
        results.append((.withoutOffloads, try measure()))
        try switchOffloads(offloads, "on", links, a, b)

        let hosts = (
            try SteeredHost(a, uplinks: links.map(\.0)), try SteeredHost(b, uplinks: links.map(\.1))
        )
        try move(hosts.0, links.map(\.0), links.map(\.1), rehomed: false)
        try move(hosts.1, links.map(\.1), links.map(\.0), rehomed: false)
        results.append((.attached, try measure()))
        try move(hosts.0, links.map(\.0), links.map(\.1), rehomed: true)
        try move(hosts.1, links.map(\.1), links.map(\.0), rehomed: true)
        results.append((.rehomed, try measure()))
        guard try hosts.0.count(.rehomedSuperPackets) > 0, try hosts.1.count(.restored) > 0 else {
            throw LabError("the stream was not rehomed")
        }
        return results
    }

    /// Joins two uplinks; each end also has the gateway's address of the other.
    private static func join(_ left: Uplink, _ a: Namespace, _ right: Uplink, _ b: Namespace) throws {
        try Program.run([
            "ip", "link", "add", left.device, "netns", a.name, "type", "veth", "peer", "name", right.device, "netns",
            b.name,
        ])
        for (near, namespace, far) in [(left, a, right), (right, b, left)] {
            for address in ["\(near.address(near.host))/64", "\(far.gateway)/128"] {
                try namespace.run("ip", "addr", "add", address, "dev", near.device, "nodad")
            }
            try namespace.run("ip", "link", "set", near.device, "up")
        }
        for (near, namespace) in [(left, a), (right, b)] {
            try namespace.run(
                "ip", "-6", "route", "replace", "default", "via", near.gateway, "dev", near.device, "metric",
                near.device.hasSuffix("1") ? "1024" : "2048")
        }
    }

    private static func switchOffloads(
        _ offloads: [String], _ state: String, _ links: [(Uplink, Uplink)], _ a: Namespace, _ b: Namespace
    ) throws {
        let words = offloads.flatMap { [$0, state] }
        for (left, right) in links {
            try a.run(["ethtool", "-K", left.device] + words)
            try b.run(["ethtool", "-K", right.device] + words)
        }
    }

    /// Sets the context between the first links' addresses, on them or on the second links'.
    private static func move(_ host: SteeredHost, _ own: [Uplink], _ peer: [Uplink], rehomed: Bool) throws {
        let addresses = try own.map(SteeredHost.address)
        let peers = try peer.map(SteeredHost.address)
        let isA = own[0].host == "a"
        let tags = [ContextTag(truncating: 0x1234_5678_9abc), ContextTag(truncating: 0x7edc_ba98_7654)]
        let pair = rehomed ? 1 : 0
        try host.move(
            DataPathEntry(
                localTag: tags[isA ? 0 : 1], peerTag: tags[isA ? 1 : 0], slot: 1,
                ulids: ULIDPair(local: addresses[0], peer: peers[0]),
                outgoing: LocatorPair(source: addresses[pair], destination: peers[pair]), inbound: .deliver))
    }

    /// What arrives of one stream, in Gbit/s.
    private static func rate(in namespace: Namespace, from: String, to: String, seconds: Int) throws -> Double {
        struct Report: Decodable {
            struct End: Decodable { var sum_received: Sum }
            struct Sum: Decodable { var bits_per_second: Double }
            var end: End
        }
        let text = try namespace.run("iperf3", "-J", "-c", to, "-B", from, "-t", "\(seconds)", "-O", "1")
        return try JSONDecoder().decode(Report.self, from: Data(text.utf8)).end.sum_received.bits_per_second / 1e9
    }
}

import Foundation
import Lab
import Shim6Wire

/// Whole handshakes between two daemons over a veth link: traffic makes one host ask the other for a context for every
/// pair of their addresses, all at once, and the time is taken until both have all of them: four messages each, every
/// locator verified, the data path's entries, idle policies and pins made.
@main
struct Handshakes {
    static func main() throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        let lists = arguments.dropFirst().map { $0.split(separator: ",").map(String.init) }
        if arguments.first == "serve" { try Mesh.serve(on: lists[0]) }
        if arguments.first == "send" { return try exchange(from: lists[0], to: lists[1]) }
        let rounds = arguments.first.flatMap { Int($0) } ?? 3
        let addresses = arguments.dropFirst().first.flatMap { Int($0) } ?? 48
        var rates: [String: [Run]] = [:]
        for _ in 0..<max(1, rounds) {
            for method in ["HBA", "CGA"] {
                let run = try Run(addresses: addresses, hba: method == "HBA")
                print("\(method)  \(run)  load \(load)")
                rates[method, default: []].append(run)
            }
        }
        for (method, wanted) in [("HBA", 2000.0), ("CGA", 1000.0)] {
            let runs = (rates[method] ?? []).sorted { $0.rate < $1.rate }
            let median = runs[runs.count / 2]
            print("\(method): \(ratio(median.rate / wanted)) of the \(Int(wanted)) a second wanted; median \(median)")
        }
    }

    /// Sends a datagram over each pair and waits for its echo. The second time this makes a session worth a context.
    private static func exchange(from locals: [String], to peers: [String]) throws {
        for local in locals {
            let socket = try Socket(.datagram)
            try socket.bind(to: local, port: 0)
            for peer in peers {
                socket.send([1], to: try Socket.destination(peer, port: Mesh.port))
                guard socket.isReadable(within: 5000), socket.receive() != nil else {
                    throw LabError("no echo from \(peer)")
                }
            }
        }
    }

    static func ratio(_ value: Double) -> String { String(format: "%.2f", value) }

    /// How many threads wanted to run, on average over the last minute.
    private static var load: Substring {
        (try? String(contentsOfFile: "/proc/loadavg", encoding: .utf8))?.prefix { $0 != " " } ?? "unknown"
    }
}

/// One burst of handshakes between two fresh hosts.
private struct Run: CustomStringConvertible {
    let count: Int
    let seconds: Double
    /// Processor time of the daemons, seconds a handshake.
    let costOfA: Double
    let costOfB: Double
    var rate: Double { Double(count) / seconds }

    init(addresses: Int, hba: Bool) throws {
        let laboratory = try Laboratory()
        defer { laboratory.close() }
        let hosts = try JoinedHosts(laboratory, addresses: addresses, hba: hba)
        try hosts.start()
        let (local, peer) = try (hosts.a.locators, hosts.b.locators)
        count = local.count * peer.count
        let own = CommandLine.arguments[0]
        let lists = [local, peer].map { $0.map(\.description).joined(separator: ",") }
        let server = try laboratory.start([own, "serve", lists[1]], in: hosts.b.namespace, log: "server.log")
        defer { server.end() }
        try laboratory.wait(until: "the server to listen") {
            try hosts.b.namespace.run("ss", "-6Huln", "sport", "=", ":\(Mesh.port)").split(separator: "\n").count
                == peer.count
        }
        // Traffic that went both ways twice is worth a context: this is the first time.
        try hosts.a.namespace.run(own, "send", lists[0], lists[1])
        let before = try (hosts.a.processorTime, hosts.b.processorTime)
        let begin = Clock.now
        try hosts.a.namespace.run(own, "send", lists[0], lists[1])
        let wanted = count
        do {
            try laboratory.wait(for: "\(wanted) contexts on both hosts", upTo: 60, every: 0.2) {
                try hosts.b.established == wanted && hosts.a.established == wanted ? true : nil
            }
        } catch {
            throw LabError(
                "\(error): \(try hosts.a.established) \(try hosts.b.established), dropped \(try hosts.a.drops) \(try hosts.b.drops)"
            )
        }
        costOfA = (try hosts.a.processorTime - before.0) / Double(wanted)
        costOfB = (try hosts.b.processorTime - before.1) / Double(wanted)
        let end = try max(hosts.a.lastEstablished(locators: 4), hosts.b.lastEstablished(locators: 4))
        seconds = (end - begin).seconds
        hosts.a.stop()
        hosts.b.stop()
    }

    var description: String {
        let microseconds = { (cost: Double) in String(format: "%.0f us", cost * 1e6) }
        return "\(Int(rate)) a second, \(count) in \(Handshakes.ratio(seconds)) s; processor time for one: "
            + "initiator \(microseconds(costOfA)), responder \(microseconds(costOfB))"
    }
}

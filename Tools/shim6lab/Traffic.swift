import ArgumentParser
import Foundation
import Lab

// The ends of the traffic, run by the laboratory inside its hosts. Results go to standard output as JSON.

func printJSON(_ value: some Encodable) throws {
    FileHandle.standardOutput.write(try JSONEncoder().encode(value))
}

struct EchoServer: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Sends UDP datagrams back.")
    @Option var local: String
    @Option var port = Echo.port
    @Option var device: String?

    func run() throws { try Echo.serve(on: local, port: port, device: device) }
}

struct EchoClient: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Sends UDP datagrams at an even pace until SIGTERM.")
    @Option var local: String
    @Option var peer: String
    @Option var port = Echo.port
    @Option(help: "Packets a second.") var rate = 50
    @Option var device: String?

    func run() throws { try printJSON(Echo.run(from: local, to: peer, port: port, rate: rate, device: device)) }
}

struct MeshServer: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Sends UDP datagrams to many addresses back.")
    @Option(help: "Addresses, with commas between.") var locals: String

    func run() throws { try Mesh.serve(on: locals.split(separator: ",").map(String.init)) }
}

struct MeshClient: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Sends UDP datagrams from many addresses to many, at an even pace, until SIGTERM.")
    @Option(help: "Addresses, with commas between.") var locals: String
    @Option(help: "Addresses, with commas between.") var peers: String
    @Option(help: "Packets a second for each pair.") var rate = 20

    func run() throws {
        func list(_ text: String) -> [String] { text.split(separator: ",").map(String.init) }
        try printJSON(Mesh.run(from: list(locals), to: list(peers), rate: rate))
    }
}

struct StreamServer: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Sends 1,200 octets every 2 ms to one TCP client.")
    @Option var local: String
    @Flag var multipath = false
    @Flag(help: "Each message waits for the answer to the one before.") var dialogue = false

    func run() throws {
        try Stream.serve(on: local, multipath ? .multipath : .stream, isDialogue: dialogue)
    }
}

struct StreamClient: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Notes the gaps in a TCP stream until SIGTERM.")
    @Option var local: String
    @Option var peer: String
    @Flag var multipath = false
    @Flag(help: "Answers each message.") var dialogue = false

    func run() throws {
        try printJSON(
            Stream.run(from: local, to: peer, multipath ? .multipath : .stream, isDialogue: dialogue))
    }
}

struct BulkServer: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Sends back what TCP clients send.")
    @Option var local: String

    func run() throws { try Bulk.serve(on: local) }
}

struct Datagrams: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Counts datagrams that come back intact.")
    @Option var local: String
    @Option var peer: String
    @Option(help: "Octets a datagram.") var size: Int
    @Option var count = 20
    @Option(help: "Datagrams that leave in one call, cut up by the kernel.") var train = 1

    func run() throws {
        try printJSON(Bulk.datagrams(from: local, to: peer, size: size, count: count, train: train))
    }
}

struct Bursts: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Counts TCP bursts that come back intact.")
    @Option var local: String
    @Option var peer: String
    @Option(help: "Octets a burst.") var size: Int
    @Option var count = 10

    func run() throws { try printJSON(Bulk.bursts(from: local, to: peer, size: size, count: count)) }
}

struct Inject: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Sends IPv6 packets as they are given.")
    @Argument(help: "Packets from the IPv6 header on, in hexadecimal.") var packets: [String]

    func run() throws {
        try Injector.send(
            packets.map { text in
                let digits = Array(text.utf8)
                return try stride(from: 0, to: digits.count, by: 2).map { place in
                    let pair = String(decoding: digits[place..<min(place + 2, digits.count)], as: UTF8.self)
                    guard pair.utf8.count == 2, let octet = UInt8(pair, radix: 16) else {
                        throw ValidationError("not hexadecimal: \(pair)")
                    }
                    return octet
                }
            })
    }
}

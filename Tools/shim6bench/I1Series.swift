import CGA
import Shim6Wire

/// The octets of an I1 in, the octets of its R1 out: what anybody can make a host do.
struct I1Series {
    private let responder: Responder
    private let packets: PacketBuffer
    private let operations = 100_000

    init() throws {
        responder = try Responder(KeyedAddresses(bits: 1024))
        packets = try PacketBuffer.i1s(count: 1024)
    }

    var series: Series {
        let whole = "I1 in, R1 out"
        let parse = "I1 parsed"
        let code = "SipHash of 80 octets"
        return Series(
            title: "I1 to R1",
            cases: [
                Series.Case(name: parse, run: parsed), Series.Case(name: "R1 written", run: written),
                Series.Case(name: code, run: authenticated), Series.Case(name: whole, run: answered),
            ],
            ratios: [(whole, parse), (whole, code)])
    }

    private func answered(_ watch: inout Stopwatch) throws {
        var octets = 0
        watch.measure(operations) {
            for index in 0..<operations {
                packets.withPacket(index) { packet, source in
                    octets += responder.answer(packet, from: source)?.count ?? 0
                }
            }
        }
        responder.pass(.seconds(1))
        try expect(octets == operations * 40, "an R1 of 40 octets for each I1")
    }

    /// The same packets, without anything that a host does with them.
    private func parsed(_ watch: inout Stopwatch) throws {
        var sum: UInt64 = 0
        try watch.measure(operations) {
            for index in 0..<operations {
                try packets.withPacket(index) { packet, source in
                    try MessageView.checkAddresses(source: source, destination: responder.address)
                    let view = try MessageView(Array(packet))
                    sum &+= (view.contextTag?.rawValue ?? 0) &+ UInt64(view.initiatorNonce ?? 0)
                }
            }
        }
        try expect(sum != 0, "tags and nonces")
    }

    private func written(_ watch: inout Stopwatch) throws {
        let validator = systemRandom(16)
        var octets = 0
        try watch.measure(operations) {
            for index in 0..<operations {
                let r1 = R1(
                    initiatorNonce: UInt32(truncatingIfNeeded: index), responderNonce: 1, responderValidator: validator)
                octets += try ControlMessage.r1(r1).encoded().count
            }
        }
        try expect(octets == operations * 40, "R1s of 40 octets")
    }

    /// The keyed hash alone, over as many octets as a validator protects.
    private func authenticated(_ watch: inout Stopwatch) throws {
        let key = try ValidatorKey(secret: systemRandom(ValidatorKey.length))
        let message = systemRandom(80)
        var octets = 0
        try watch.measure(operations) {
            for _ in 0..<operations { octets += try key.code(for: message).count }
        }
        try expect(octets == operations * ValidatorKey.length, "codes")
    }
}

/// A benchmark of work that was not done is worth nothing.
func expect(_ isDone: Bool, _ what: String) throws {
    guard isDone else { throw Failure(description: "shim6bench: there are not \(what)") }
}

struct Failure: Error, CustomStringConvertible {
    let description: String
}

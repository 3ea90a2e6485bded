import Shim6Core
import Shim6Wire
import Testing

/// Host B in a chosen state towards A, whom a test plays; nothing that is sent arrives.
struct Bench {
    let pair: Pair
    /// The Initiator Nonce of the I1 or I2bis of B that comes last.
    private(set) var nonce: UInt32?
    /// That I1, if it came to one.
    private(set) var i1: Node.Packet?

    var sentByB: [MessageType?] { pair.log.filter { $0.by == .b }.map(\.type) }

    init(_ state: ContextState?, _ pair: Pair) throws {
        self.pair = pair
        pair.fate = { _ in .drop }
        defer {
            // An answer to payload or control messages keeps a distance from the message before.
            pair.run(for: .seconds(1))
            pair.clearLog()
        }
        guard let state else { return }
        pair.trigger(.b)
        let packet = try #require(pair.last(.i1, by: .b))
        guard case .i1(let i1) = packet.message else { throw Pair.Missing.message }
        self.i1 = packet
        nonce = i1.initiatorNonce
        switch state {
        case .i1Sent: break
        case .i2Sent:
            try pair.forge(.r1(r1), from: .a1, to: .b1)
        case .established, .i2bisSent:
            try pair.forge(.r2(r2), from: .a1, to: .b1)
            guard state == .i2bisSent else { return }
            try pair.forge(.r1bis(r1bis), from: .a1, to: .b1)
            guard case .i2bis(let i2bis) = pair.last(.i2bis, by: .b)?.message else { throw Pair.Missing.message }
            nonce = i2bis.initiatorNonce
        case .eFailed: while pair.b.state == .i1Sent { pair.run(for: .seconds(1)) }
        case .noSupport: pair.post(.parameterProblem(quoted: packet.octets, source: .b1, destination: .a1), to: .b)
        }
        #expect(pair.b.state == state)
    }

    /// A's answers.
    var r1: R1 { R1(initiatorNonce: nonce ?? 1, responderNonce: 5, responderValidator: [1, 2, 3]) }
    var r2: R2 { R2(responderTag: .ofA, initiatorNonce: nonce ?? 1) }
    var r1bis: R1bis { R1bis(packetTag: .ofA, responderNonce: 5, responderValidator: [1, 2, 3]) }
}

extension Pair {
    /// A genuine I2bis of A for B: B has been made to answer a packet from `source` with R1bis.
    func i2bis(
        tag: ContextTag = .ofA, from source: IPv6Address = .a2, options: LocatorOptions = .ofA()
    ) throws -> I2bis {
        post(.unknownTag(ContextTag(truncating: 0x99), source: source, destination: .b1), to: .b)
        guard case .r1bis(let r1bis) = last(.r1bis, by: .b)?.message else { throw Missing.message }
        return I2bis(
            initiatorTag: tag, initiatorNonce: 0x3344, responderNonce: r1bis.responderNonce,
            packetTag: r1bis.packetTag, responderValidator: r1bis.responderValidator,
            ulidPair: ULIDPairOption(sender: .a1, receiver: .b1), options: options)
    }
}

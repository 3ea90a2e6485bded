import CGA
import Shim6Wire

/// The octets of an I2 with four CGAs and their signature in, a context made, the octets of its R2 out.
struct I2Series {
    private let bits: Int
    private let rsa: RSAVerification
    private let peers: [Peer]
    private let warm: Responder
    private let cold: Responder
    /// Batches of one I2 from each peer in a round.
    private let batches = 16

    private struct Peer {
        var ulid: IPv6Address
        var options: LocatorOptions
        var parameters: [UInt8]
        var list: LocatorList
        var signature: [UInt8]
    }

    init(bits: Int) throws {
        self.bits = bits
        let keys = try KeyedAddresses(bits: bits)
        rsa = try RSAVerification(keys.key)
        warm = try Responder(keys)
        cold = try Responder(keys, cachedKeys: 0)
        peers = try (1...Responder.contexts).map { number in
            let identities = try keys.host(number, locators: Responder.locators)
            let addresses = identities.map(\.address)
            let list = LocatorList(
                generation: UInt32(number), locators: addresses.map { LocatorList.Entry(locator: $0, method: .cga) })
            let parameters = identities[0].parameters.octets
            let signature = try identities[0].sign(generation: list.generation, locators: addresses)
            return Peer(
                ulid: addresses[0],
                options: LocatorOptions(locatorList: list, cgaParameters: parameters, cgaSignature: signature),
                parameters: parameters, list: list, signature: signature)
        }
    }

    var series: Series {
        let verification = "RSA verification"
        let warmProof = "proof verified, key known"
        let coldProof = "proof verified, key new"
        let warmAnswer = "I2 in, R2 out, key known"
        let coldAnswer = "I2 in, R2 out, key new"
        return Series(
            title: "I2 to established context and R2: RSA \(bits), 4 CGA locators each side",
            cases: [
                Series.Case(name: verification, run: verified), Series.Case(name: "I2 parsed", run: parsed),
                Series.Case(name: warmProof) { try proven(&$0, cachedKeys: 256) },
                Series.Case(name: coldProof) { try proven(&$0, cachedKeys: 0) },
                Series.Case(name: warmAnswer) { try answered(&$0, warm) },
                Series.Case(name: coldAnswer) { try answered(&$0, cold) },
            ],
            ratios: [
                (warmProof, verification), (warmAnswer, verification), (coldAnswer, verification),
                (coldAnswer, warmAnswer),
            ])
    }

    private func answered(_ watch: inout Stopwatch, _ responder: Responder) throws {
        var answers = 0
        for _ in 0..<batches {
            let packets = try peers.map { (octets: try i2(of: $0, to: responder), source: $0.ulid) }
            watch.measure(packets.count) {
                for packet in packets where responder.answer(packet.octets, from: packet.source) != nil {
                    answers += 1
                }
            }
            responder.forgetAll()
            responder.pass(.seconds(1))
        }
        try expect(answers == batches * peers.count, "R2s for all I2s")
    }

    /// An I2 that the responder takes, made with its R1.
    private func i2(of peer: Peer, to responder: Responder) throws -> [UInt8] {
        var random = CryptographicRandom()
        let tag = ContextTag(truncating: random.next())
        let nonce = UInt32(truncatingIfNeeded: random.next())
        let i1 = try ControlMessage.i1(I1(initiatorTag: tag, initiatorNonce: nonce)).encoded()
        guard let r1 = responder.answer(i1, from: peer.ulid) else { throw Failure(description: "there is no R1") }
        let view = try MessageView(r1)
        guard let responderNonce = view.responderNonce, let validator = view.responderValidator else {
            throw Failure(description: "the R1 has no validator")
        }
        let i2 = I2(
            initiatorTag: tag, initiatorNonce: nonce, responderNonce: responderNonce,
            responderValidator: Array(validator), options: peer.options)
        return try ControlMessage.i2(i2).encoded()
    }

    private func parsed(_ watch: inout Stopwatch) throws {
        let packets = try peers.map { try i2(of: $0, to: warm) }
        var locators = 0
        for _ in 0..<batches {
            try watch.measure(packets.count) {
                for packet in packets {
                    guard case .i2(let i2) = try ControlMessage(MessageView(packet)) else { continue }
                    locators += i2.options.locatorList?.locators.count ?? 0
                }
            }
        }
        try expect(locators == batches * peers.count * Responder.locators, "locators of all I2s")
    }

    /// What RFC 5533 section 7.2 asks for, without messages and contexts.
    private func proven(_ watch: inout Stopwatch, cachedKeys: Int) throws {
        var verifier = LocatorListVerifier(cachedKeys: cachedKeys)
        try verify(peers[0], by: &verifier)
        for _ in 0..<batches {
            try watch.measure(peers.count) {
                for peer in peers { try verify(peer, by: &verifier) }
            }
        }
    }

    private func verify(_ peer: Peer, by verifier: inout LocatorListVerifier) throws {
        try verifier.verify(
            ulid: peer.ulid, parameters: peer.parameters, generation: peer.list.generation,
            locators: peer.list.locators.map(\.locator), signature: peer.signature)
    }

    private func verified(_ watch: inout Stopwatch) throws {
        var good = 0
        watch.measure(batches * peers.count) {
            for _ in 0..<(batches * peers.count) where rsa.verify() { good += 1 }
        }
        try expect(good == batches * peers.count, "good signatures")
    }
}

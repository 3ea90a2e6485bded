import CGA
import Shim6Wire

/// The octets of an I2 with four CGAs and their signature in, a context made, the octets of its R2 out.
struct I2Series {
    private let bits: Int
    private let rsa: RSAVerification
    private let peers: [Peer]
    private let familiar: Responder
    private let warm: Responder
    private let cold: Responder
    /// Batches of one I2 from each peer in a round.
    private let batches = 16

    init(bits: Int) throws {
        self.bits = bits
        let keys = try KeyedAddresses(bits: bits)
        rsa = try RSAVerification(keys.key)
        familiar = try Responder(keys, proofs: Responder.contexts)
        warm = try Responder(keys)
        cold = try Responder(keys, cachedKeys: 0)
        peers = try (1...Responder.contexts).map { try Peer($0, keys) }
    }

    var series: Series {
        let verification = "RSA verification"
        let warmProof = "proof verified, key known"
        let coldProof = "proof verified, key new"
        let familiarAnswer = "I2 in, R2 out, proof known"
        let warmAnswer = "I2 in, R2 out, key known"
        let coldAnswer = "I2 in, R2 out, key new"
        return Series(
            title: "I2 to established context and R2: RSA \(bits), 4 CGA locators each side",
            cases: [
                Series.Case(name: verification, run: verified), Series.Case(name: "I2 parsed", run: parsed),
                Series.Case(name: warmProof) { try proven(&$0, cachedKeys: 256) },
                Series.Case(name: coldProof) { try proven(&$0, cachedKeys: 0) },
                Series.Case(name: familiarAnswer) { try answered(&$0, familiar) },
                Series.Case(name: warmAnswer) { try answered(&$0, warm) },
                Series.Case(name: coldAnswer) { try answered(&$0, cold) },
            ],
            ratios: [
                (warmProof, verification), (familiarAnswer, verification), (warmAnswer, verification),
                (coldAnswer, verification),
                (coldAnswer, warmAnswer),
            ])
    }

    /// Every I2 has a proof that the host does not know; it knows the keys.
    func answeredByWarmHost(_ watch: inout Stopwatch) throws { try answered(&watch, warm) }

    /// Every I2 has a proof that the host has verified for an earlier context of the peer.
    func answeredByFamiliarHost(_ watch: inout Stopwatch) throws { try answered(&watch, familiar) }

    private func answered(_ watch: inout Stopwatch, _ responder: Responder) throws {
        var answers = 0
        for _ in 0..<batches {
            let packets = try peers.map { (octets: try $0.i2(to: responder), source: $0.ulid) }
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

    private func parsed(_ watch: inout Stopwatch) throws {
        let packets = try peers.map { try $0.i2(to: warm) }
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

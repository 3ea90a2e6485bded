import CGA
import REAP
import Requirements
import Shim6Core
import Shim6Wire
import Testing

@Suite("Contexts between CGAs with real keys")
struct CGATests {
    /// A CGA for each prefix, all of one key.
    private func identities(_ prefixes: [UInt64], bits: Int = 1024) throws -> [CGAIdentity] {
        let key = try PrivateKey.generate(bits: bits)
        return try prefixes.map { prefix in
            let parameters = try CGAParameters(
                modifier: UInt128(prefix), subnetPrefix: prefix, publicKey: key.subjectPublicKeyInfo)
            let address = IPv6Address(high: prefix, low: try parameters.hash1 & 0x1cff_ffff_ffff_ffff)
            return try CGAIdentity(address: address, parameters: parameters, privateKey: key)
        }
    }

    private func host(
        _ identities: [CGAIdentity], seed: UInt64, bits: ClosedRange<Int> = PublicKey.defaultBits
    ) -> Endpoint {
        let host = Endpoint(
            identity: CGAIdentities(identities),
            verifier: CGALocatorVerifier(LocatorListVerifier(bits: bits)), activity: TestActivity(),
            random: Seeded(seed))
        let locators = identities.map { LocalLocator(address: $0.address, method: .cga) }
        _ = host.handle(.localLocators(locators), at: .seconds(1))
        return host
    }

    /// Carries packets to and fro until nobody has anything to say.
    private func converse(
        _ a: Endpoint, _ b: Endpoint, _ first: [Effect],
        change: (MessageType, inout [UInt8]) -> Void = { _, _ in }
    ) {
        var (sender, receiver, effects) = (a, b, first)
        for _ in 0..<10 {
            var answers: [Effect] = []
            for case .send(var octets, let source, let destination) in effects {
                if let type = MessageType(rawValue: octets[2] & 0x7f) { change(type, &octets) }
                let event = Event.packet(octets: octets, source: source, destination: destination)
                answers += receiver.handle(event, at: .seconds(1))
            }
            (sender, receiver, effects) = (receiver, sender, answers)
        }
    }

    @Test(
        "Two hosts verify each other's lists by CGA, also after an update",
        .requirement("5533-16-01", "5533-3-02", "5533-5.15.5-02", "5533-5.15.5-03"), arguments: [1024, 2048])
    func established(bits: Int) throws {
        let mine = try identities([0x2001_0db8_00a1_0000, 0x2001_0db8_00a2_0000], bits: bits)
        let theirs = try identities([0x2001_0db8_00b1_0000, 0x2001_0db8_00b2_0000], bits: bits)
        let (a, b) = (host(mine, seed: 1), host(theirs, seed: 2))
        converse(a, b, a.handle(.trigger(ULIDPair(local: mine[0].address, peer: theirs[0].address)), at: .seconds(1)))
        let (ofA, ofB) = (try #require(a.contexts.first), try #require(b.contexts.first))
        #expect(ofA.state == .established && ofB.state == .established)
        #expect(ofA.peerLocators == theirs.map { VerifiedLocator(address: $0.address, method: .cga) })
        #expect(ofB.peerLocators == mine.map { VerifiedLocator(address: $0.address, method: .cga) })
        // An address that is no CGA may be a locator beside one (RFC 5533, section 3).
        let plain = LocalLocator(address: .a3, method: .cga)
        let locators = mine.map { LocalLocator(address: $0.address, method: .cga) } + [plain]
        converse(a, b, a.handle(.localLocators(locators), at: .seconds(1)))
        #expect(b.contexts.first?.peerLocators.map(\.address) == locators.map(\.address))
        #expect(a.contexts.first?.updatePending == false)
        #expect(b.counters.drops.isEmpty)
    }

    /// A hybrid set over two prefixes, and a CGA of the same key in a third.
    private struct HybridHost: LocalIdentity {
        let identities: [CGAIdentity]

        init(_ prefixes: [UInt64]) throws {
            let key = try PrivateKey.generate(bits: 1024)
            let (spki, members) = (key.subjectPublicKeyInfo, Array(prefixes.prefix(2)))
            let set = try HBAGenerator(subnetPrefixes: members, publicKey: spki, sec: 0, modifier: 7)
            let late = try CGAGenerator(publicKey: spki, sec: 0, modifier: 8).address(in: prefixes[2])
            identities = try (set.addresses() + [late]).map {
                try CGAIdentity(address: $0.address, parameters: $0.parameters, privateKey: key)
            }
        }

        func proof(of ulid: IPv6Address) -> CGAIdentity? { identities.first { $0.address == ulid } }
        func parameters(of ulid: IPv6Address) -> [UInt8]? { proof(of: ulid)?.parameters.octets }
        func signature(by ulid: IPv6Address, generation: UInt32, locators: [IPv6Address]) -> [UInt8]? {
            try? proof(of: ulid)?.sign(generation: generation, locators: locators)
        }
        func isInSet(_ locator: IPv6Address, of ulid: IPv6Address) -> Bool {
            (try? proof(of: ulid)?.parameters.verify(locator, by: .hba)) != nil
        }

        func host(offering count: Int, seed: UInt64) -> Endpoint {
            let host = Endpoint(
                identity: self, verifier: CGALocatorVerifier(), activity: TestActivity(), random: Seeded(seed))
            let locators = identities.prefix(count).map { LocalLocator(address: $0.address, method: .cga) }
            _ = host.handle(.localLocators(locators), at: .seconds(1))
            return host
        }
    }

    @Test(
        "Members of the ULID's HBA set need no signature, a locator that comes later has one",
        .requirement("5535-8-01", "5535-8-02", "5535-8.1-01", "5535-8.1-02"))
    func mixed() throws {
        let mine = try HybridHost([0x2001_0db8_00a1_0000, 0x2001_0db8_00a2_0000, 0x2001_0db8_00a3_0000])
        let theirs = try HybridHost([0x2001_0db8_00b1_0000, 0x2001_0db8_00b2_0000, 0x2001_0db8_00b3_0000])
        let (a, b) = (mine.host(offering: 2, seed: 1), theirs.host(offering: 3, seed: 2))
        var signed: Set<MessageType> = []
        let ulids = ULIDPair(local: mine.identities[0].address, peer: theirs.identities[1].address)
        converse(a, b, a.handle(.trigger(ulids), at: .seconds(1))) { type, octets in
            if (try? MessageView(octets))?.option(.cgaSignature) != nil { signed.insert(type) }
        }
        // All of A's locators are in its set; B has one that is not.
        #expect(signed == [.r2])
        #expect(b.contexts.first?.peerLocators.map(\.method) == [.hba, .hba])
        #expect(a.contexts.first?.peerLocators.map(\.method) == [.hba, .hba, .cga])
        let all = mine.identities.map { LocalLocator(address: $0.address, method: .cga) }
        converse(a, b, a.handle(.localLocators(all), at: .seconds(1)))
        #expect(b.contexts.first?.peerLocators.map(\.method) == [.hba, .hba, .cga])
        #expect(b.counters.drops.isEmpty && a.counters.drops.isEmpty)
    }

    @Test(
        "One locator that is no member of the set makes the whole list worthless",
        .requirement("5533-7.2-07", "5535-7.2-02", "5535-7.2-04"), arguments: [0, 1, 2])
    func notAMember(wrong: Int) throws {
        let peer = try HybridHost([0x2001_0db8_00b1_0000, 0x2001_0db8_00b2_0000, 0x2001_0db8_00b3_0000])
        let ulid = peer.identities[0]
        var locators = peer.identities.prefix(2).map(\.address)
        var parameters = ulid.parameters.octets
        switch wrong {
        case 0: locators[1].low ^= 1
        case 1: locators[1] = peer.identities[2].address
        default: parameters = peer.identities[2].parameters.octets
        }
        let list = LocatorList(
            generation: 1, locators: locators.map { LocatorList.Entry(locator: $0, method: .hba) })
        var verifier = CGALocatorVerifier()
        #expect(throws: DropReason.self) {
            try verifier.verify(list, parameters: parameters, signature: nil, of: ulid.address)
        }
    }

    @Test("A list altered on the way, its checksum made right, is refused", .requirement("5533-16-01"))
    func altered() throws {
        let mine = try identities([0x2001_0db8_00a1_0000, 0x2001_0db8_00a2_0000])
        let theirs = try identities([0x2001_0db8_00b1_0000])
        let (a, b) = (host(mine, seed: 1), host(theirs, seed: 2))
        let start = a.handle(.trigger(ULIDPair(local: mine[0].address, peer: theirs[0].address)), at: .seconds(1))
        converse(a, b, start) { type, octets in
            guard type == .i2 else { return }
            // The last octet of the second locator: fixed part, validator, list up to there.
            octets[24 + 24 + 16 + 32 - 1] ^= 1
            octets.repairChecksum()
        }
        #expect(b.contexts.isEmpty)
        #expect(b.counters.drops(.proof(.signature)) == 1)
        #expect(a.contexts.first?.state == .i2Sent)
    }

    /// Parameters that once ended a daemon before anything was authenticated.
    @Test(
        "Malformed parameters in an otherwise genuine I2 are refused",
        arguments: [
            ([], .truncatedParameters), ([1, 2, 3], .truncatedParameters),
            ([UInt8](repeating: 0, count: 25), .truncatedParameters),
            // A DER length with its sign bit set, and one that runs far beyond the end.
            ([UInt8](repeating: 0, count: 25) + [0x30, 0x84, 0xff, 0xff, 0xff, 0xfe, 0, 0], .malformedPublicKey),
            ([UInt8](repeating: 0, count: 25) + [0x30, 0x84, 0x7f, 0xff, 0xff, 0xff, 0, 0], .malformedPublicKey),
            ([UInt8](repeating: 0, count: 25) + [0x30, 0x80, 0, 0], .malformedPublicKey),
        ] as [([UInt8], CGAError)])
    func malformedParameters(octets parameters: [UInt8], reason: CGAError) throws {
        let mine = try identities([0x2001_0db8_00a1_0000])
        let theirs = try identities([0x2001_0db8_00b1_0000])
        let (a, b) = (host(mine, seed: 1), host(theirs, seed: 2))
        let start = a.handle(.trigger(ULIDPair(local: mine[0].address, peer: theirs[0].address)), at: .seconds(1))
        converse(a, b, start) { _, octets in
            guard case .i2(var i2)? = try? ControlMessage(MessageView(octets)) else { return }
            i2.options.cgaParameters = parameters
            octets = (try? ControlMessage.i2(i2).encoded()) ?? []
        }
        #expect(b.contexts.isEmpty)
        #expect(b.counters.drops(.proof(reason)) == 1)
    }

    @Test("A multi-prefix extension too short for its own header is refused")
    func malformedExtension() throws {
        let mine = try identities([0x2001_0db8_00a1_0000])
        let theirs = try identities([0x2001_0db8_00b1_0000])
        let (a, b) = (host(mine, seed: 1), host(theirs, seed: 2))
        let start = a.handle(.trigger(ULIDPair(local: mine[0].address, peer: theirs[0].address)), at: .seconds(1))
        converse(a, b, start) { _, octets in
            guard case .i2(var i2)? = try? ControlMessage(MessageView(octets)) else { return }
            i2.options.cgaParameters? += [0x00, 0x12, 0x00, 0x02, 0xff, 0xff]
            octets = (try? ControlMessage.i2(i2).encoded()) ?? []
        }
        #expect(b.contexts.isEmpty)
        #expect(b.counters.verifications == 1)
        #expect(b.counters.drops.values.reduce(0, +) == 1)
    }

    @Test("Keys outside the limits are refused", .requirement("5533-16-02"))
    func keyLength() throws {
        let mine = try identities([0x2001_0db8_00a1_0000], bits: 1024)
        let theirs = try identities([0x2001_0db8_00b1_0000])
        let (a, b) = (host(mine, seed: 1), host(theirs, seed: 2, bits: 2048...4096))
        converse(a, b, a.handle(.trigger(ULIDPair(local: mine[0].address, peer: theirs[0].address)), at: .seconds(1)))
        #expect(b.contexts.isEmpty)
        #expect(b.counters.drops(.proof(.keyTooShort)) == 1)
    }

    @Test("A stranger's parameters for somebody's ULID are refused", .requirement("5533-7.13-08"))
    func stolenULID() throws {
        struct Thief: LocalIdentity {
            var victim: IPv6Address
            var own: CGAIdentity
            func parameters(of ulid: IPv6Address) -> [UInt8]? { own.parameters.octets }
            func signature(by ulid: IPv6Address, generation: UInt32, locators: [IPv6Address]) -> [UInt8]? {
                try? own.sign(generation: generation, locators: locators)
            }
        }
        let victim = try identities([0x2001_0db8_00a1_0000])[0]
        let own = try identities([0x2001_0db8_00a1_0000])[0]
        let theirs = try identities([0x2001_0db8_00b1_0000])
        let thief = Endpoint(
            identity: Thief(victim: victim.address, own: own), verifier: CGALocatorVerifier(),
            activity: TestActivity(), random: Seeded(1))
        _ = thief.handle(
            .localLocators([LocalLocator(address: victim.address, method: .cga)]), at: .seconds(1))
        let b = host(theirs, seed: 2)
        let ulids = ULIDPair(local: victim.address, peer: theirs[0].address)
        converse(thief, b, thief.handle(.trigger(ulids), at: .seconds(1)))
        #expect(b.contexts.isEmpty)
        #expect(b.counters.drops(.proof(.hash1)) == 1)
    }

    /// A set without a key.
    private struct KeylessHost: LocalIdentity {
        let members: [(address: IPv6Address, parameters: CGAParameters)]

        init(_ prefixes: [UInt64]) throws {
            members = try HBAGenerator(
                subnetPrefixes: prefixes, extendedModifier: [UInt8](repeating: 5, count: 48), sec: 0, modifier: 7
            ).addresses()
        }

        func parameters(of ulid: IPv6Address) -> [UInt8]? {
            members.first { $0.address == ulid }?.parameters.octets
        }
        func signature(by ulid: IPv6Address, generation: UInt32, locators: [IPv6Address]) -> [UInt8]? { nil }
        func isInSet(_ locator: IPv6Address, of ulid: IPv6Address) -> Bool {
            members.contains { $0.address == locator }
        }
    }

    /// What B answers to an Update Request of a peer with this list; nil if nothing.
    private func error(
        to entries: [LocatorList.Entry], of peer: some LocalIdentity, _ addresses: [IPv6Address],
        parameters: [UInt8]? = nil, signature: [UInt8]? = nil
    ) throws -> ErrorMessage? {
        let ulid = addresses[0]
        let a = Endpoint(identity: peer, verifier: CGALocatorVerifier(), activity: TestActivity(), random: Seeded(1))
        _ = a.handle(.localLocators(addresses.map { LocalLocator(address: $0, method: .cga) }), at: .seconds(1))
        let b = host(try identities([0x2001_0db8_00b1_0000]), seed: 2)
        let own = try #require(b.localLocators.first?.address)
        converse(a, b, a.handle(.trigger(ULIDPair(local: ulid, peer: own)), at: .seconds(1)))
        let before = try #require(b.contexts.first)
        #expect(before.state == .established && before.peerLocators.count == addresses.count)
        let options = LocatorOptions(
            locatorList: LocatorList(generation: 99, locators: entries), cgaParameters: parameters,
            cgaSignature: signature)
        let request = UpdateRequest(receiverTag: before.localTag, requestNonce: 1, options: options)
        let octets = try ControlMessage.updateRequest(request).encoded()
        let answers = [1, 2].map { _ in
            b.handle(.packet(octets: octets, source: ulid, destination: own), at: .seconds(1)).compactMap { effect in
                if case .send(let octets, _, _) = effect { octets } else { nil }
            }
        }
        // The second time the refusal is known, and the answer the same.
        #expect(answers[0] == answers[1] && answers[0].count <= 1)
        #expect(b.counters.verifications <= 2)
        #expect(b.contexts.first?.peerLocators == before.peerLocators)
        guard let answer = answers[0].first else { return nil }
        guard case .error(let error) = try ControlMessage(MessageView(answer)) else { throw Pair.Missing.message }
        return error
    }

    /// The Pointer to the method of a list's entry: IPv6 header, fixed part of the message, option.
    private func pointer(_ entry: Int) -> UInt16 { UInt16(40 + 16 + LocatorList.methodOffset(entry)) }

    @Test(
        "A list that is not proven is an error, with the Pointer at the method of the entry at fault",
        .requirement("5533-10.4-10", "5533-7.2-08", "5533-5.14-03"))
    func errorPointers() throws {
        let peer = try HybridHost([0x2001_0db8_00a1_0000, 0x2001_0db8_00a2_0000, 0x2001_0db8_00a3_0000])
        let addresses = peer.identities.map(\.address)
        func entry(_ address: IPv6Address, _ method: VerificationMethod) -> LocatorList.Entry {
            LocatorList.Entry(locator: address, method: method)
        }
        let good = [entry(addresses[0], .hba), entry(addresses[1], .hba), entry(addresses[2], .cga)]
        let signature = try #require(peer.signature(by: addresses[0], generation: 99, locators: [addresses[2]]))
        let broken: [(entries: [LocatorList.Entry], signature: [UInt8]?, at: Int)] = [
            // Signatures of a wrong length, made for another generation, or missing.
            (good, Array(signature.dropLast()), 2), (good, signature + [0], 2), (good, [], 2),
            (good, peer.signature(by: addresses[0], generation: 98, locators: [addresses[2]]), 2), (good, nil, 2),
            // An address of no prefix of the set, and one with another interface identifier.
            ([good[0], entry(addresses[2], .hba)], nil, 1),
            ([good[0], good[1], entry(IPv6Address(high: addresses[1].high, low: addresses[1].low ^ 1), .hba)], nil, 2),
            // No list at all: the Pointer is at the number of locators.
            ([], nil, -1),
        ]
        for (entries, signature, fault) in broken {
            let error = try error(to: entries, of: peer, addresses, signature: signature)
            #expect(error?.code == .verificationMethodFailed, "\(entries)")
            #expect(error?.pointer == pointer(fault), "\(entries)")
        }
        // Parameters of another ULID are dropped silently.
        #expect(
            try error(
                to: good, of: peer, addresses, parameters: try identities([0x2001_0db8_00a1_0000])[0].parameters.octets,
                signature: signature) == nil)
    }

    @Test("CGA with parameters that hold no key is the fault of the CGA entry", .requirement("5533-7.2-08"))
    func methodWithoutKey() throws {
        let peer = try KeylessHost([0x2001_0db8_00a1_0000, 0x2001_0db8_00a2_0000])
        let addresses = peer.members.map(\.address)
        let entries = [
            LocatorList.Entry(locator: addresses[0], method: .hba), LocatorList.Entry(locator: .a3, method: .cga),
        ]
        let error = try error(to: entries, of: peer, addresses, signature: [UInt8](repeating: 1, count: 128))
        #expect(error?.code == .verificationMethodFailed)
        #expect(error?.pointer == pointer(1))
    }
}

import CGA
import REAP
import Requirements
import Shim6Core
import Shim6Wire
import Testing

@Suite("Verification of the peer's locators")
struct VerificationTests {
    enum Fault: CaseIterable {
        case otherULID, signature, generation, locator, order, noSignature, noParameters, method

        var reason: DropReason {
            switch self {
            case .otherULID: .proof(.hash1)
            case .signature, .generation, .locator, .order: .proof(.signature)
            case .noSignature: .signatureMissing
            case .noParameters: .parametersMissing
            case .method: .unsupportedMethod
            }
        }

        func spoil(_ options: inout LocatorOptions) {
            switch self {
            case .otherULID: options.cgaParameters = ToyProof.parameters(of: .a2)
            case .signature: options.cgaSignature?[3] ^= 1
            case .generation: options.locatorList?.generation &+= 1
            case .locator: options.locatorList?.locators[1].locator = .stranger
            case .order: options.locatorList?.locators.reverse()
            case .noSignature: options.cgaSignature = nil
            case .noParameters: options.cgaParameters = nil
            case .method: options.locatorList?.locators[1].method = 3
            }
        }
    }

    @Test(
        "An I2 with a faulty proof is dropped whole",
        .requirement(
            "5533-7.13-08", "5533-7.13-11", "5533-7.2-06", "5533-5.6-16", "5533-5.6-17", "5533-5.6-14"),
        arguments: Fault.allCases)
    func faultyI2(_ fault: Fault) throws {
        let pair = Pair()
        var i2 = pair.i2(try pair.challenge(tag: .ofA), tag: .ofA)
        fault.spoil(&i2.options)
        try pair.forge(.i2(i2), from: .a1, to: .b1)
        #expect(pair.b.drops(fault.reason) == 1)
        #expect(pair.b.host.contexts.isEmpty)
        #expect(pair.b.entries.isEmpty)
        #expect(pair.sent(.r2).isEmpty)
    }

    @Test(
        "An R2 with a faulty proof is dropped and the exchange goes on",
        .requirement("5533-7.16-06", "5533-7.16-07", "5533-7.2-02"), arguments: Fault.allCases)
    func faultyR2(_ fault: Fault) throws {
        let pair = Pair()
        pair.fate = { $0.type == .r2 ? .drop : .deliver }
        pair.trigger()
        pair.run(for: .milliseconds(100))
        guard case .r2(var r2) = pair.last(.r2)?.message else { throw Pair.Missing.message }
        r2.options = .ofA([.b1, .b2], ulid: .b1)
        let correct = r2
        if fault == .otherULID {
            r2.options.cgaParameters = ToyProof.parameters(of: .b2)
        } else {
            fault.spoil(&r2.options)
        }
        try pair.forge(.r2(r2), from: .b1, to: .a1, side: .a)
        #expect(pair.a.drops(fault.reason) == 1)
        #expect(pair.a.state == .i2Sent)
        try pair.forge(.r2(correct), from: .b1, to: .a1, side: .a)
        #expect(pair.a.state == .established)
    }

    @Test(
        "An Update Request with a faulty proof changes nothing and is not acknowledged",
        .requirement("5533-10.4-05", "5533-10.4-10", "5533-7.2-02"),
        arguments: Fault.allCases.filter { $0 != .noParameters })
    func faultyUpdate(_ fault: Fault) throws {
        let pair = Pair()
        pair.establish()
        let before = try #require(pair.b.context)
        var options = LocatorOptions.ofA([.a1, .a3])
        fault.spoil(&options)
        let request = UpdateRequest(receiverTag: before.localTag, requestNonce: 1, options: options)
        try pair.forge(.updateRequest(request), from: .a1, to: .b1)
        #expect(pair.b.drops(fault.reason) == 1)
        #expect(pair.b.context?.peerLocators == before.peerLocators)
        #expect(pair.b.context?.peerGeneration == before.peerGeneration)
        #expect(pair.sent(.updateAcknowledgement).isEmpty)
    }

    @Test(
        "A PDS without a list has to belong to the ULID too", .requirement("5533-7.13-08"),
        arguments: [true, false])
    func parametersAlone(isRight: Bool) throws {
        let pair = Pair()
        var i2 = pair.i2(try pair.challenge(tag: .ofA), tag: .ofA, options: LocatorOptions())
        i2.options.cgaParameters = ToyProof.parameters(of: isRight ? .a1 : .a2)
        try pair.forge(.i2(i2), from: .a1, to: .b1)
        #expect(pair.b.state == (isRight ? .established : nil))
        #expect(pair.b.verifier.looks == 1)
    }

    @Test(
        "A known PDS need not be sent again with an Update Request",
        .requirement("5533-10.1-06", "5533-5.10-10", "5535-8-03"))
    func rememberedParameters() throws {
        let pair = Pair()
        pair.establish()
        let tag = try #require(pair.b.context?.localTag)
        for (nonce, locators) in [(UInt32(1), [IPv6Address.a1, .a3]), (2, [.a1, .a2, .a3])] {
            var options = LocatorOptions.ofA(locators, generation: 100 + nonce)
            options.cgaParameters = nil
            let request = UpdateRequest(receiverTag: tag, requestNonce: nonce, options: options)
            try pair.forge(.updateRequest(request), from: .a1, to: .b1)
            #expect(pair.b.context?.peerLocators.map(\.address) == locators)
        }
        #expect(pair.sent(.updateAcknowledgement).count == 2)
    }

    @Test("Addresses that nobody can be reached at are left out of Ls(peer)")
    func filtered() throws {
        let pair = Pair()
        let useless = ["ff02::1", "fe80::1", "::1", "::"].compactMap { IPv6Address($0) }
        #expect(useless.count == 4)
        let options = LocatorOptions.ofA([.a1] + useless + [.a2, .a1, .a2])
        try pair.forge(
            .i2(pair.i2(try pair.challenge(tag: .ofA), tag: .ofA, options: options)), from: .a1, to: .b1)
        #expect(pair.b.context?.peerLocators.map(\.address) == [.a1, .a2])
    }

    @Test("A list without a single usable locator is refused before any cryptography")
    func nothingUsable() throws {
        let pair = Pair()
        let linkLocal = try #require(IPv6Address("fe80::1"))
        let options = LocatorOptions.ofA([linkLocal])
        try pair.forge(
            .i2(pair.i2(try pair.challenge(tag: .ofA), tag: .ofA, options: options)), from: .a1, to: .b1)
        #expect(pair.b.drops(.noUsableLocator) == 1)
        #expect(pair.b.verifier.looks == 0)
        let empty = LocatorOptions.ofA([])
        try pair.forge(
            .i2(pair.i2(try pair.challenge(tag: .ofA), tag: .ofA, options: empty)), from: .a1, to: .b1)
        #expect(pair.b.drops(.noUsableLocator) == 2)
    }

    @Test(
        "Of a long list the first locators are kept", .requirement("5533-5.1-06"),
        arguments: [16, 17, 40, 65])
    func longList(count: Int) throws {
        let pair = Pair()
        let locators =
            [IPv6Address.a1]
            + (1..<count).map { IPv6Address(high: 0x2001_0db8_00a2_0000, low: UInt64($0)) }
        let i2 = pair.i2(try pair.challenge(tag: .ofA), tag: .ofA, options: .ofA(locators))
        try pair.forge(.i2(i2), from: .a1, to: .b1)
        #expect(pair.b.context?.peerLocators.map(\.address) == Array(locators.prefix(16)))
    }

    @Test("A list that says it has 255 locators is no list")
    func impossibleList() throws {
        let pair = Pair()
        let i2 = pair.i2(try pair.challenge(tag: .ofA), tag: .ofA)
        var octets = try ControlMessage.i2(i2).encoded()
        // Behind the fixed part and a validator of 16 octets: option header, generation, Num Locators.
        let count = 24 + 24 + 4 + 4
        #expect(octets[count] == 2)
        octets[count] = 255
        octets.repairChecksum()
        pair.deliver(Node.Packet(octets: octets, source: .a1, destination: .b1), to: .b)
        #expect(pair.b.drops(.parse(.optionLength)) == 1)
        #expect(pair.b.verifier.looks == 0)
        #expect(pair.b.host.contexts.isEmpty)
    }

    @Test("Of the proofs that are looked at in a second one /48 gets half; then it goes on")
    func rate() throws {
        var configuration = HostConfiguration()
        configuration.maximumVerificationsPerSecond = 10
        let pair = Pair(configuration: configuration)
        var number: UInt8 = 0
        func attempt() throws {
            var i2 = pair.i2(try pair.challenge(tag: .ofA), tag: .ofA)
            number += 1
            i2.options.cgaSignature = [number]
            try pair.forge(.i2(i2), from: .a1, to: .b1)
        }
        for _ in 0..<25 { try attempt() }
        #expect(pair.b.verifier.looks == 5)
        #expect(pair.b.drops(.verificationRate) == 20)
        pair.run(for: .milliseconds(500))
        for _ in 0..<25 { try attempt() }
        #expect(pair.b.verifier.looks == 7)
        #expect(pair.b.host.counters.verifications == 7)
    }

    @Test(
        "Locators that were verified for a context are not verified again for a new tag", .requirement("5535-8-03"))
    func knownList() throws {
        let pair = Pair()
        try pair.forge(.i2(pair.i2(try pair.challenge(tag: .ofA), tag: .ofA)), from: .a1, to: .b1)
        let other = ContextTag(truncating: 77)
        try pair.forge(.i2(pair.i2(try pair.challenge(tag: other), tag: other)), from: .a1, to: .b1)
        #expect(pair.b.context?.peerTag == other)
        #expect(pair.b.context?.peerLocators.count == 2)
        #expect(pair.b.verifier.looks == 1)
    }

    @Test("A proof that was verified before needs no verification for the peer's next context", arguments: [0, 1])
    func knownProof(kept: Int) throws {
        var configuration = HostConfiguration()
        configuration.maximumProofs = kept
        let pair = Pair(configuration: configuration)
        for number in 1...3 {
            try pair.forge(.i2(pair.i2(try pair.challenge(tag: .ofA), tag: .ofA)), from: .a1, to: .b1)
            #expect(pair.b.context?.peerLocators.map(\.address) == [.a1, .a2])
            pair.post(.remove(try #require(pair.b.context?.localTag)), to: .b)
            #expect(pair.b.verifier.looks == (kept == 0 ? number : 1))
        }
        #expect(pair.b.host.counters.knownProofs == (kept == 0 ? 0 : 2))
        #expect(pair.b.host.counters.proofs.used == kept)
    }

    @Test("Whatever is changed in a proof that was verified before, it is no proof any more", arguments: Fault.allCases)
    func spoiledKnownProof(_ fault: Fault) throws {
        let pair = Pair()
        try pair.forge(.i2(pair.i2(try pair.challenge(tag: .ofA), tag: .ofA)), from: .a1, to: .b1)
        pair.post(.remove(try #require(pair.b.context?.localTag)), to: .b)
        var i2 = pair.i2(try pair.challenge(tag: .ofA), tag: .ofA)
        fault.spoil(&i2.options)
        try pair.forge(.i2(i2), from: .a1, to: .b1)
        #expect(pair.b.drops(fault.reason) == 1)
        #expect(pair.b.host.contexts.isEmpty)
        #expect(pair.b.host.counters.proofs.used == 1)
    }

    @Test("A proof that was verified before proves nothing for another ULID")
    func borrowedProof() throws {
        let pair = Pair()
        try pair.forge(.i2(pair.i2(try pair.challenge(tag: .ofA), tag: .ofA)), from: .a1, to: .b1)
        let challenge = try pair.challenge(tag: .ofA, from: .a2)
        let i2 = pair.i2(challenge, tag: .ofA, options: .ofA([.a1, .a2]))
        try pair.forge(.i2(i2), from: .a2, to: .b1)
        #expect(pair.b.drops(.proof(.hash1)) == 1)
        #expect(pair.b.host.contexts.count == 1)
    }

    @Test("Of more proofs than may be kept the one unused for longest goes")
    func evictedProof() throws {
        var configuration = HostConfiguration()
        configuration.maximumProofs = 2
        let pair = Pair(configuration: configuration)
        func introduce(_ generation: UInt32) throws -> Int {
            let before = pair.b.verifier.looks
            let i2 = pair.i2(
                try pair.challenge(tag: .ofA), tag: .ofA, options: .ofA([.a1, .a2], generation: generation))
            try pair.forge(.i2(i2), from: .a1, to: .b1)
            pair.post(.remove(try #require(pair.b.context?.localTag)), to: .b)
            return pair.b.verifier.looks - before
        }
        let looks = try [1, 2, 1, 3, 1, 2].map(introduce)
        #expect(looks == [1, 1, 0, 1, 0, 1])
        let proofs = pair.b.host.counters.proofs
        #expect(proofs.used == 2 && proofs.limit == 2 && proofs.evictions == 2)
    }
}

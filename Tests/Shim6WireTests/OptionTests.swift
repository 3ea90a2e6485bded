import Requirements
import Shim6Wire
import Testing
import Vectors

@Suite struct OptionTests {
    private let request = UpdateRequest(receiverTag: WorkedPacket.tagOfB, requestNonce: 1)

    /// An Update Request with these octets as its options.
    private func request(options: String) throws -> [UInt8] {
        try RawMessage(type: 64, body: "7edcba987654 00000001" + options).sealed()
    }

    /// The message of each type without options; zero addresses do no harm here.
    private func bare(_ type: MessageType) throws -> RawMessage {
        var raw = try RawMessage(
            type: type.rawValue, body: String(repeating: "00", count: [.i2: 18, .i2bis: 26, .probe: 50][type] ?? 10))
        if type == .probe { raw.octets[12] = 1 }
        return raw
    }

    @Test(.requirement("5533-5.15-02", "5533-5.15-03", "5533-5.15-04", "5533-5.15-05", "5533-5.15-07", "5533-5.15-09"))
    func `Contents of every length are padded with zeros to a multiple of eight octets`() throws {
        for length in 0...64 {
            let contents = [UInt8](repeating: 0xee, count: length)
            let message = ControlMessage.r1(
                R1(initiatorNonce: 1, responderNonce: 2, responderValidator: contents))
            let octets = try message.encoded()
            let option = octets.dropFirst(16)
            #expect(option.count == 11 + length - (length + 3) % 8)
            #expect(Array(option.prefix(4)) == [0, 2, 0, UInt8(length)])
            #expect(Array(option.dropFirst(4).prefix(length)) == contents)
            #expect(option.dropFirst(4 + length).allSatisfy { $0 == 0 })
            #expect(try decode(octets) == message)
        }
    }

    @Test(.requirement("5533-5.15-06"))
    func `The values of padding octets do not matter`() throws {
        let message = ControlMessage.r1(R1(initiatorNonce: 1, responderNonce: 2, responderValidator: [1]))
        var raw = try RawMessage(message)
        for index in 21..<24 { raw.octets[index] = 0xff }
        #expect(try decode(raw.sealed()) == message)
    }

    @Test(.requirement("5533-5.15-15"))
    func `An option that runs past the end of the message is refused where it begins`() throws {
        for length: UInt16 in [5, 12, 0xfffc, 0xffff] {
            let digits = [UInt8(length >> 8), UInt8(length & 0xff)].hex
            #expect(throws: ParseError(.optionPastEnd, at: 24)) {
                try decode(request(options: "0014000400000001 0014" + digits + "00000001"))
            }
        }
    }

    @Test(.requirement("5533-5.15-11", "5533-12.3-06"), arguments: MessageType.allCases)
    func `An unknown option that is not critical is skipped in every message`(type: MessageType) throws {
        // Error has no options: what follows its pointer is the quoted packet.
        guard type != .error else { return }
        var raw = try bare(type)
        if type == .r1 || type == .i2 { raw.octets += [0, 2, 0, 0, 0, 0, 0, 0] }
        let message = try decode(raw.sealed())
        raw.octets += [0x80, 0x02, 0, 5, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
        raw.octets += [0, 0, 0, 4, 1, 2, 3, 4]
        #expect(try decode(raw.sealed()) == message)
    }

    @Test(.requirement("5533-5.15-14", "5534-5.1-11", "5534-5.2-30"), arguments: MessageType.allCases)
    func `An unknown critical option stops every message and is located`(type: MessageType) throws {
        guard type != .error else { return }
        var raw = try bare(type)
        let offset = raw.octets.count + 8
        raw.octets += [0x80, 0x02, 0, 4, 1, 2, 3, 4]
        raw.octets += [0x80, 0x03, 0, 4, 1, 2, 3, 4]
        #expect(throws: ParseError(.unrecognisedCriticalOption, at: offset)) { try MessageView(raw.sealed()) }
    }

    @Test(.requirement("5533-5.15-10"))
    func `A known option with C set is still recognised`() throws {
        #expect(
            try decode(request(options: "00150004 0000001e"))
                == decode(request(options: "00140004 0000001e")))
    }

    /// Typed from the "options" lists of the message sections.
    private static let defined: [MessageType: Set<OptionType>] = [
        .i1: [.ulidPair, .forkedInstance],
        .r1: [.responderValidator],
        .i2: Set(OptionType.allCases).subtracting([.payloadReport]),
        .r2: described,
        .r1bis: [.responderValidator],
        .i2bis: Set(OptionType.allCases).subtracting([.payloadReport]),
        .updateRequest: described,
        .updateAcknowledgement: [], .keepalive: [], .probe: [.payloadReport],
    ]

    /// What describes a host.
    private static let described: Set<OptionType> = [
        .locatorList, .locatorPreferences, .cgaParameters, .cgaSignature, .keepaliveTimeout, .reachabilityTiming,
        .payloadForms, .earlierPayloadForms,
    ]

    /// Contents by which an experimental option is known.
    private static let contents: [OptionType: [UInt8]] = [
        .payloadForms: OptionType.discriminator + [0, 3, 0, 0], .earlierPayloadForms: [0, 3, 0, 0],
        .reachabilityTiming: OptionType.discriminator + [0, 0, 1, 0],
        .payloadReport: OptionType.discriminator + [UInt8](repeating: 1, count: 36),
    ]

    @Test(
        .requirement("5533-5.4-11", "5533-5.5-09", "5533-5.6-18", "5533-5.7-12", "5533-5.11-08", "5533-5.15-12"),
        arguments: MessageType.allCases, OptionType.allCases)
    func `A known option means something only in the messages that list it`(
        type: MessageType, option: OptionType
    ) throws {
        guard let defined = Self.defined[type] else {
            #expect(type == .error)
            return
        }
        var raw = try bare(type)
        let offset = raw.octets.count
        let number = option.rawValue << 1
        let contents = Self.contents[option] ?? [0, 0, 0, 1]
        raw.octets += [UInt8(number >> 8), UInt8(truncatingIfNeeded: number), 0, UInt8(contents.count)] + contents
        raw.octets += [UInt8](repeating: 0, count: 7 - (contents.count + 3) % 8)
        let view = try MessageView(raw.sealed())
        #expect((view.option(option) != nil) == defined.contains(option))
        raw.octets[offset + 1] |= 1
        if defined.contains(option) {
            #expect(try MessageView(raw.sealed()).option(option)?.offset == offset)
        } else {
            #expect(throws: ParseError(.unrecognisedCriticalOption, at: offset)) { try MessageView(raw.sealed()) }
        }
    }

    @Test(.requirement("5533-17-02"))
    func `Payload Forms is an option for experiments, without C, and flags without a meaning are ignored`() throws {
        // Type 0x5366 in the upper 15 bits, then the discriminator.
        let octets = try request(options: "a6cc0008 7368699d fffe0000 00000000")
        guard case .updateRequest(let update) = try decode(octets) else { return }
        #expect(update.options.payloadForms == .homeAddress)
        let none = UpdateRequest(
            receiverTag: update.receiverTag, requestNonce: update.requestNonce, options: LocatorOptions())
        var told = none
        told.options.payloadForms = [.payloadHeader, .homeAddress]
        let encoded = try ControlMessage.updateRequest(told).encoded()
        #expect(encoded.suffix(16).hex == "a6cc00087368699d0003000000000000")
        #expect(encoded.count == (try ControlMessage.updateRequest(none).encoded().count) + 16)
        // Version 0.1.0 has to know what this host cannot take; it has no discriminator.
        told.options.payloadForms = .homeAddress
        let warning = try ControlMessage.updateRequest(told).encoded()
        #expect(warning.suffix(24).hex == "a6cc00087368699d0002000000000000" + "8000000400020000")
        #expect(try decode(warning) == .updateRequest(told))
        let earlier = try decode(request(options: "80000004 00020000"))
        #expect(earlier == .updateRequest(told))
    }

    /// Numbers of experimental options: ours, and those that others may use as well.
    private static let foreign = [
        "80000004 00040000", "80000004 00020001", "80000004 00000000", "80000008 0002000000020000 00000000",
        "80000000 00000000", "a6c80004 00000064", "a6ca0024" + String(repeating: "01", count: 36),
        // Ours, but for the discriminator or the length.
        "a6cc0004 00020000", "a6cc0008 7368699e 00020000 00000000", "a6cc0009 7368699d 00020000 00000000",
        "a6cc0007 7368699d 00020000 00000000", "a6ce0004 00000064", "a6ce0008 00000064 00000000 00000000",
        "a6cc0000 00000000",
    ]

    @Test(.requirement("5533-5.15-11"), arguments: foreign, [false, true])
    func `What others mean by a number for experiments is skipped, also twice; a critical one is refused`(
        option: String, isCritical: Bool
    ) throws {
        var raw = try RawMessage(type: 64, body: "7edcba987654 00000001" + option + option)
        #expect(try decode(raw.sealed()) == .updateRequest(request))
        guard isCritical else { return }
        raw.octets[17] |= 1
        #expect(throws: ParseError(.unrecognisedCriticalOption, at: 16)) { try MessageView(raw.sealed()) }
    }

    @Test(.requirement("5533-5.15-11"), arguments: ["a6ca0024", "a6d00024", "a6d00004"])
    func `A Probe with somebody else's option is a Probe`(option: String) throws {
        var raw = try bare(.probe)
        let plain = try decode(raw.sealed())
        let length = Int(option.suffix(2), radix: 16) ?? 0
        raw.octets += try #require([UInt8](hex: option)) + [UInt8](repeating: 7, count: length)
        #expect(raw.octets.count % 8 == 0)
        #expect(try decode(raw.sealed()) == plain)
    }

    @Test func `The same option twice is refused where it comes again`() throws {
        #expect(throws: ParseError(.duplicateOption, at: 24)) {
            try decode(request(options: "00140004 0000001e 00140004 0000001e"))
        }
        #expect(throws: ParseError(.duplicateOption, at: 32)) {
            try decode(request(options: "00140004 0000001e 000a0004 01020304 00140004 0000001e"))
        }
        // Ours for experiments are no exception.
        let forms = "a6cc0008 7368699d 00030000 00000000"
        #expect(throws: ParseError(.duplicateOption, at: 32)) { try decode(request(options: forms + forms)) }
        // Not where it means nothing.
        let twice = try request(options: "000e0004 00000001 000e0004 00000001")
        #expect(try decode(twice) == .updateRequest(request))
    }

    @Test func `R1 and I2 without a validator are refused`() throws {
        #expect(throws: ParseError(.missingResponderValidator, at: 1)) { try decode(bare(.r1).sealed()) }
        #expect(throws: ParseError(.missingResponderValidator, at: 1)) { try decode(bare(.i2).sealed()) }
    }

    @Test(.requirement("5533-5.15.1-01", "5533-5.15.1-02"))
    func `A validator comes back as it was, whatever its size`() throws {
        for length in [0, 1, 4, 5, 20, 400] {
            let validator = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            let r1 = try MessageView(
                ControlMessage.r1(R1(initiatorNonce: 1, responderNonce: 2, responderValidator: validator)).encoded())
            let echoed = I2(
                initiatorTag: WorkedPacket.tagOfA, initiatorNonce: 1, responderNonce: 2,
                responderValidator: Array(try #require(r1.responderValidator)))
            #expect(
                try MessageView(ControlMessage.i2(echoed).encoded()).responderValidator.map(Array.init) == validator)
        }
    }

    @Test(.requirement("5533-5.15.6-01", "5533-5.15.6-02"))
    func `Contents of ULID Pair`() throws {
        let i1 = I1(
            initiatorTag: WorkedPacket.tagOfA, initiatorNonce: 1,
            ulidPair: ULIDPairOption(sender: WorkedPacket.a1, receiver: WorkedPacket.b1))
        let addresses = "20010db800a10000146d163d2e2f1af3 20010db800b10000000000000000000b"
        func octets(_ reserved: String) throws -> [UInt8] {
            try RawMessage(type: 1, body: "123456789abc 00000001 000c0024" + reserved + addresses).sealed()
        }
        #expect(try ControlMessage.i1(i1).encoded().hex == octets("00000000").hex)
        #expect(try decode(octets("ffffffff")) == .i1(i1))
        #expect(throws: ParseError(.optionLength, at: 18)) {
            try decode(RawMessage(type: 1, body: "123456789abc 00000001 000c0023 00000000" + addresses).sealed())
        }
    }

    @Test(.requirement("5533-5.15.7-01"))
    func `Contents of Forked Instance Identifier`() throws {
        let i1 = I1(initiatorTag: WorkedPacket.tagOfA, initiatorNonce: 1, forkedInstance: 0xf1f2_f3f4)
        let octets = try RawMessage(type: 1, body: "123456789abc 00000001 000e0004 f1f2f3f4").sealed()
        #expect(try ControlMessage.i1(i1).encoded().hex == octets.hex)
        #expect(try decode(octets) == .i1(i1))
        #expect(throws: ParseError(.optionLength, at: 18)) {
            try decode(RawMessage(type: 1, body: "123456789abc 00000001 000e0003 f1f2f3f4").sealed())
        }
    }

    @Test(
        .requirement(
            "5534-5.3-01", "5534-5.3-07", "5534-5.3-08", "5534-5.3-09", "5534-5.3-10", "5534-5.3-11"))
    func `Contents of Keepalive Timeout`() throws {
        let message = ControlMessage.updateRequest(
            UpdateRequest(
                receiverTag: request.receiverTag, requestNonce: 1, options: LocatorOptions(keepaliveTimeout: 0x0102)))
        #expect(try message.encoded().hex == request(options: "00140004 00000102").hex)
        #expect(try decode(request(options: "00140004 ffff0102")) == message)
        #expect(throws: ParseError(.optionLength, at: 18)) { try decode(request(options: "00140002 00000102")) }
        #expect(try decode(request(options: "00140004 00000000")) == .updateRequest(request))
    }
}

import Requirements
import Shim6Wire
import Testing
import Vectors

@Suite struct LocatorOptionTests {
    private func request(_ options: LocatorOptions) -> ControlMessage {
        .updateRequest(UpdateRequest(receiverTag: WorkedPacket.tagOfB, requestNonce: 1, options: options))
    }

    /// What an Update Request with these octets as its options offers.
    private func offer(_ options: String) throws -> LocatorOptions {
        let raw = try RawMessage(type: 64, body: "7edcba987654 00000001" + options).sealed()
        guard case .updateRequest(let request) = try decode(raw) else { throw ParseError(.wrongKind, at: 0) }
        return request.options
    }

    private func locators(_ count: Int) -> [LocatorList.Entry] {
        (0..<count).map { index in
            .init(
                locator: IPv6Address(high: 0x2001_0db8_0000_0000, low: UInt64(index)),
                method: index % 2 == 0 ? .cga : .hba)
        }
    }

    @Test(.requirement("5533-5.15.2-01", "5533-5.15.2-02", "5533-5.15.2-03", "5533-5.15.2-04", "5533-5.15.2-05"))
    func `Locator lists of every size, with their inner padding`() throws {
        for count in 0...17 {
            let list = LocatorList(generation: 0x0102_0304, locators: locators(count))
            let message = request(LocatorOptions(locatorList: list))
            let octets = try message.encoded()
            let option = Array(octets.dropFirst(16))
            let padding = [7, 6, 5, 4, 3, 2, 1, 0][count % 8]
            let length = 5 + count + padding + 16 * count
            #expect(option.count == 4 + length)
            #expect(
                Array(option.prefix(9)) == [0, 4, UInt8(length >> 8), UInt8(length & 0xff), 1, 2, 3, 4, UInt8(count)])
            for (index, entry) in list.locators.enumerated() {
                #expect(option[9 + index] == entry.method)
                #expect(LocatorList.methodOffset(index) == 9 + index)
                let start = 9 + count + padding + 16 * index
                #expect(start % 8 == 0)
                #expect(Array(option[start..<(start + 16)]) == entry.locator.octets)
            }
            #expect(option[(9 + count)..<(9 + count + padding)].allSatisfy { $0 == 0 })
            #expect(try decode(octets) == message)
        }
    }

    @Test func `A locator list whose Length does not fit its number of locators is refused`() throws {
        let locator = "20010db800a20000000000000000000a"
        let wrong = [
            "00040003 00000000", "00040004 00000001", "00040005 00000001 00 00000000000000",
            "0004000c 00000001 01 02 000000000000", "0004001b 00000001 01 02 000000000000" + locator,
            "0004001c 00000001 00 02 000000000000" + locator, "0004001c 00000001 02 02 000000000000" + locator,
            "0004001c 00000001 ff 02 000000000000" + locator,
        ]
        for octets in wrong {
            #expect(throws: ParseError(.optionLength, at: 18), "\(octets)") { try offer(octets) }
        }
        #expect(
            try offer("0004001c 00000001 01 02 ffffffffffff" + locator).locatorList
                == LocatorList(generation: 1, locators: [.init(locator: WorkedPacket.a2, method: .cga)]))
    }

    @Test(.requirement("5533-5.15.2-07"))
    func `Method numbers are those of table 4, and others are kept as they are`() throws {
        #expect(VerificationMethod.hba.rawValue == 1)
        #expect(VerificationMethod.cga.rawValue == 2)
        let list = LocatorList(
            generation: 1, locators: [0, 3, 201, 255].map { .init(locator: WorkedPacket.a1, method: $0) })
        let octets = try request(LocatorOptions(locatorList: list)).encoded()
        #expect(try decode(octets) == request(LocatorOptions(locatorList: list)))
        #expect(list.locators.allSatisfy { VerificationMethod(rawValue: $0.method) == nil })
    }

    @Test(.requirement("5533-5.15.3-01", "5533-5.15.3-02", "5533-5.15.3-04", "5533-5.15.3-05"))
    func `Preferences with elements of one, two and three octets`() throws {
        let expected: [(Int, String)] = [
            (1, "00060008 5eed0001 01 03 00 02 00000000"),
            (2, "0006000b 5eed0001 02 030a 0014 021e 00"),
            (3, "0006000e 5eed0001 03 030a01 001405 021eff 000000000000"),
        ]
        for (length, octets) in expected {
            let preferences = LocatorPreferences(
                generation: 0x5eed_0001, elementLength: length,
                elements: [
                    .init(flags: [.broken, .transient], priority: length > 1 ? 10 : 0, weight: length > 2 ? 1 : 0),
                    .init(flags: [], priority: length > 1 ? 20 : 0, weight: length > 2 ? 5 : 0),
                    .init(flags: .transient, priority: length > 1 ? 30 : 0, weight: length > 2 ? 255 : 0),
                ])
            let message = request(LocatorOptions(locatorPreferences: preferences))
            #expect(try message.encoded().dropFirst(16).map { $0 } == [UInt8](hex: octets.filter { $0 != " " }))
            #expect(try offer(octets).locatorPreferences == preferences)
        }
    }

    @Test(.requirement("5533-5.15.3-09"))
    func `Of longer elements the first three octets are used`() throws {
        #expect(
            try offer("0006000f 00000001 05 010203ffff 040506eeee 0000000000").locatorPreferences
                == LocatorPreferences(
                    generation: 1,
                    elements: [
                        .init(flags: .broken, priority: 2, weight: 3),
                        .init(flags: .init(rawValue: 4), priority: 5, weight: 6),
                    ]))
    }

    @Test(.requirement("5533-5.15.3-02"), arguments: ["00060004", "0006000a 00000001 00", "0006000a 00000001 03"])
    func `Preferences that are no whole number of elements are refused`(start: String) throws {
        let digits = start.filter { $0 != " " }
        let octets = digits + String(repeating: "00", count: 16 - digits.count / 2)
        #expect(throws: ParseError(.optionLength, at: 18)) { try offer(octets) }
    }

    @Test func `Elements of another length are not encoded`() {
        for length in [-1, 0, 4, 256] {
            let preferences = LocatorPreferences(generation: 1, elementLength: length, elements: [.init()])
            #expect(throws: EncodeError.elementLength(length)) {
                try request(LocatorOptions(locatorPreferences: preferences)).encoded()
            }
        }
    }

    @Test(.requirement("5533-5.15.4-01", "5533-5.15.5-01", "5533-5.10-09"))
    func `Parameters and signature of any length, alone or with a list`() throws {
        for length in [0, 1, 4, 128, 187, 256, 319] {
            let octets = [UInt8](repeating: 0x5a, count: length)
            let alone = request(LocatorOptions(cgaParameters: octets))
            let signature = request(LocatorOptions(cgaSignature: octets))
            let list = LocatorList(generation: 1, locators: locators(2))
            let all = request(LocatorOptions(locatorList: list, cgaParameters: octets, cgaSignature: octets))
            for message in [alone, signature, all] { #expect(try decode(message.encoded()) == message) }
            #expect(Array(try alone.encoded()[16..<18]) == [0, 8])
            #expect(Array(try signature.encoded()[16..<18]) == [0, 10])
        }
    }
}

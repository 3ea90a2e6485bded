import Requirements
import Shim6Wire
import Testing

@Suite struct RoundTripTests {
    @Test(.requirement("5533-5.3-03", "5533-5.1-02", "5533-5.15-02"), arguments: MessageType.allCases)
    func `A message with random values comes back from its octets`(type: MessageType) throws {
        var generator = SeededGenerator(seed: 0x5317_6000 + UInt64(type.rawValue))
        for round in 0..<100 {
            let message = generator.message(type)
            let octets = try message.encoded()
            #expect(octets.count % 8 == 0 && octets.count <= 1240, "round \(round)")
            #expect((Int(octets[1]) + 1) * 8 == octets.count, "round \(round)")
            #expect(octets == RawMessage.summed(octets), "round \(round)")
            #expect(try message.encodedLength() == octets.count, "round \(round)")
            #expect(try decode(octets) == message, "round \(round)")
        }
    }
}

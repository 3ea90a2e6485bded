import Requirements
import Shim6Wire
import Testing
import Vectors

@Suite struct WorkedPacketTests {
    @Test(
        .requirement(
            "5533-5.3-01", "5533-5.3-04", "5533-5.3-07", "5533-5.3-08", "5533-5.3-11", "5533-5.3-09"),
        arguments: try WorkedPacket.all())
    func `A message is encoded to the octets of another implementation`(worked: WorkedPacket) throws {
        #expect(try worked.message.encoded().hex == worked.octets().hex)
    }

    @Test(
        .requirement(
            "5533-5.1-01", "5533-5-02", "5533-5.15-01", "5533-5.15-08", "5533-5.15-15", "5533-5.3-05"),
        arguments: try WorkedPacket.all())
    func `The octets of another implementation are decoded to the message`(worked: WorkedPacket) throws {
        let view = try MessageView(worked.octets())
        #expect(view.type == worked.message.type)
        #expect(try ControlMessage(view) == worked.message)
    }

    @Test(arguments: try WorkedPacket.all())
    func `The addresses in the IPv6 header are those of the exchange`(
        worked: WorkedPacket
    ) throws {
        let packet = try worked.packet()
        #expect(IPv6Address(octets: packet[8..<24]) == worked.source)
        #expect(IPv6Address(octets: packet[24..<40]) == worked.destination)
    }

    @Test(.requirement("5533-5.15-14"))
    func `An unknown critical option stops the message and is located`() throws {
        let packet = try WorkedPacket.file().packet("I1 with unknown critical option")
        #expect(throws: ParseError(.unrecognisedCriticalOption, at: 16)) {
            try MessageView(Array(packet.dropFirst(40)))
        }
    }

    @Test(.requirement("5533-5.2-01", "5533-5.2-02", "5533-5.2-03", "5533-4.1-01"))
    func `The payload header of a tagged UDP packet is read and written`() throws {
        let octets = try WorkedPacket.file().packet("Payload header + UDP").dropFirst(40)
        let header = PayloadHeader(nextHeader: 17, tag: WorkedPacket.tagOfB)
        #expect(try PayloadHeader(octets) == header)
        #expect(header.encoded == Array(octets.prefix(8)))
    }
}

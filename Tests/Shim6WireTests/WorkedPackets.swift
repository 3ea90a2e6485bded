import Shim6Wire
import Testing
import Vectors

/// Whole packets computed by another implementation, with the values that they hold.
struct WorkedPacket: CustomTestStringConvertible {
    let name: String
    let source: IPv6Address
    let destination: IPv6Address
    let message: ControlMessage

    var testDescription: String { name }

    /// The packet from its IPv6 header on.
    func packet() throws -> [UInt8] { try Self.file().packet(name) }

    /// The control message in it.
    func octets() throws -> [UInt8] { Array(try packet().dropFirst(40)) }
}

extension WorkedPacket {
    struct File: Decodable {
        struct Packet: Decodable {
            let name: String
            let hex: String
        }
        let cga_parameters_hex: String
        let signature_hex: String
        let packets: [Packet]

        func packet(_ name: String) throws -> [UInt8] {
            let hex = try #require(packets.first { $0.name == name }?.hex)
            return try #require([UInt8](hex: hex))
        }
    }

    static func file() throws -> File { try Vectors.json("packets.json") }

    static let a1 = IPv6Address(high: 0x2001_0db8_00a1_0000, low: 0x146d_163d_2e2f_1af3)
    static let a2 = IPv6Address(high: 0x2001_0db8_00a2_0000, low: 0xa)
    static let b1 = IPv6Address(high: 0x2001_0db8_00b1_0000, low: 0xb)
    static let b2 = IPv6Address(high: 0x2001_0db8_00b2_0000, low: 0xb)
    static let tagOfA = ContextTag(truncating: 0x1234_5678_9abc)
    static let tagOfB = ContextTag(truncating: 0x7edc_ba98_7654)
    static let validator = [UInt8](hex: "2e3d1268e90ac525e0d3fb845506a1bdc766be6b") ?? []
    static let recoveryValidator = [UInt8](hex: "258ec4f4f9c725a652e1cd71960ee221") ?? []

    /// Those whose octets this implementation makes the same way. The I1 with an unknown option is not among them.
    static func all() throws -> [WorkedPacket] {
        let file = try file()
        let preferences = LocatorPreferences(
            generation: 0x5eed_0001,
            elements: [.init(flags: .broken, priority: 10), .init(priority: 20, weight: 5)])
        let announcement = LocatorOptions(
            locatorList: LocatorList(
                generation: 0x5eed_0001,
                locators: [.init(locator: a1, method: .cga), .init(locator: a2, method: .cga)]),
            cgaParameters: [UInt8](hex: file.cga_parameters_hex), cgaSignature: [UInt8](hex: file.signature_hex))
        func packet(
            _ name: String, _ source: IPv6Address, _ destination: IPv6Address, _ message: ControlMessage
        ) -> WorkedPacket {
            WorkedPacket(name: name, source: source, destination: destination, message: message)
        }
        return [
            packet("I1", a1, b1, .i1(I1(initiatorTag: tagOfA, initiatorNonce: 0x1122_3344))),
            packet(
                "R1", b1, a1,
                .r1(R1(initiatorNonce: 0x1122_3344, responderNonce: 0x2a, responderValidator: validator))),
            packet(
                "I2", a1, b1,
                .i2(
                    I2(
                        initiatorTag: tagOfA, initiatorNonce: 0x1122_3344, responderNonce: 0x2a,
                        responderValidator: validator, options: announcement))),
            packet("R2", b1, a1, .r2(R2(responderTag: tagOfB, initiatorNonce: 0x1122_3344))),
            packet(
                "Update Request", a1, b1,
                .updateRequest(
                    UpdateRequest(
                        receiverTag: tagOfB, requestNonce: 0xcafe_0001,
                        options: LocatorOptions(locatorPreferences: preferences)))),
            packet(
                "Update Acknowledgement", b1, a1,
                .updateAcknowledgement(UpdateAcknowledgement(receiverTag: tagOfA, requestNonce: 0xcafe_0001))),
            packet(
                "R1bis", b2, a2,
                .r1bis(R1bis(packetTag: tagOfB, responderNonce: 0x2b, responderValidator: recoveryValidator))),
            packet(
                "I2bis", a2, b2,
                .i2bis(
                    I2bis(
                        initiatorTag: tagOfA, initiatorNonce: 0x5566_7788, responderNonce: 0x2b, packetTag: tagOfB,
                        responderValidator: recoveryValidator, ulidPair: ULIDPairOption(sender: a1, receiver: b1),
                        forkedInstance: 7))),
            packet(
                "R2 (recovery)", b2, a2,
                .r2(R2(responderTag: ContextTag(truncating: 0x0011_2233_aabb), initiatorNonce: 0x5566_7788))),
            packet(
                "Error code 1", b1, a1,
                .error(
                    ErrorMessage(
                        code: .unrecognisedCriticalOption, pointer: 56,
                        packet: try file.packet("I1 with unknown critical option")))),
            packet("Keepalive", a1, b1, .keepalive(Keepalive(receiverTag: tagOfB))),
            packet(
                "Probe (Exploring, 1 sent, 0 received)", a2, b1,
                .probe(
                    Probe(
                        receiverTag: tagOfB, state: .exploring,
                        sent: [ProbeReport(source: a2, destination: b1, nonce: 0xabcd_ef01)]))),
        ]
    }
}

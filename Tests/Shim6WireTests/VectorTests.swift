import Requirements
import Shim6Wire
import Testing
import Vectors

/// The vectors of vectors.json that concern the wire.
private struct WireVectors: Decodable {
    struct Report: Decodable {
        let source: String
        let destination: String
        let nonce: UInt32
        let data: UInt32

        func report() throws -> ProbeReport {
            ProbeReport(
                source: try #require(IPv6Address(source)), destination: try #require(IPv6Address(destination)),
                nonce: nonce, data: data)
        }
    }
    struct Fields: Decodable {
        let type: UInt8
        let receiver_context_tag: UInt64?
        let state: UInt8?
        let sent: [Report]?
        let received: [Report]?
        let keepalive_timeout_s: UInt16?
    }
    struct Reap: Decodable {
        let name: String
        let hex: String
        let fields: Fields
    }
    struct Locator: Decodable {
        let address: String
        let method: UInt8
    }
    struct Signature: Decodable {
        let generation: UInt32
        let locators: [Locator]
        let locator_list_option_hex: String
        let signature_hex: String
        let cga_signature_option_hex: String
    }
    let reap: [Reap]
    let signature: [Signature]
}

@Suite struct VectorTests {
    private let vectors: WireVectors

    init() throws {
        vectors = try Vectors.json("vectors.json")
    }

    @Test(.requirement("5534-5.1-03", "5534-5.1-12", "5534-5.2-05", "5534-5.2-21", "5534-5.2-22", "5534-5.2-23"))
    func `Keepalives and Probes agree with the vectors both ways`() throws {
        var seen: Set<MessageType> = []
        for vector in vectors.reap {
            guard let tag = vector.fields.receiver_context_tag.flatMap(ContextTag.init(rawValue:)) else { continue }
            let message: ControlMessage
            if let state = vector.fields.state {
                message = .probe(
                    Probe(
                        receiverTag: tag, state: try #require(ProbeState(rawValue: state)),
                        sent: try #require(vector.fields.sent).map { try $0.report() },
                        received: try #require(vector.fields.received).map { try $0.report() }))
            } else {
                message = .keepalive(Keepalive(receiverTag: tag))
            }
            seen.insert(message.type)
            #expect(message.type.rawValue == vector.fields.type)
            #expect(try message.encoded().hex == vector.hex, "\(vector.name)")
            #expect(try decode(#require([UInt8](hex: vector.hex))) == message, "\(vector.name)")
        }
        #expect(seen == [.keepalive, .probe])
    }

    @Test(.requirement("5533-5.15.8-01", "5534-5.3-01"))
    func `The Keepalive Timeout option agrees with the vector both ways`() throws {
        let vector = try #require(vectors.reap.first { $0.fields.keepalive_timeout_s != nil })
        try expect(LocatorOptions(keepaliveTimeout: vector.fields.keepalive_timeout_s), option: vector.hex)
    }

    @Test func `Locator List and CGA Signature options agree with the vectors both ways`() throws {
        #expect(!vectors.signature.isEmpty)
        for vector in vectors.signature {
            let list = LocatorList(
                generation: vector.generation,
                locators: try vector.locators.map {
                    .init(locator: try #require(IPv6Address($0.address)), method: $0.method)
                })
            try expect(LocatorOptions(locatorList: list), option: vector.locator_list_option_hex)
            try expect(
                LocatorOptions(cgaSignature: [UInt8](hex: vector.signature_hex)),
                option: vector.cga_signature_option_hex)
        }
    }

    private func expect(_ options: LocatorOptions, option hex: String) throws {
        let message = ControlMessage.updateRequest(
            UpdateRequest(receiverTag: WorkedPacket.tagOfB, requestNonce: 1, options: options))
        #expect(try message.encoded().dropFirst(16).map { $0 }.hex == hex)
        #expect(try decode(RawMessage(type: 64, body: "7edcba987654 00000001" + hex).sealed()) == message)
    }
}

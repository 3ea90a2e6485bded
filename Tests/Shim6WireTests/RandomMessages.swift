import Shim6Wire

/// Valid messages of all types with random values.
extension SeededGenerator {
    mutating func number() -> UInt32 { next() }

    mutating func octets(_ sizes: ClosedRange<Int>) -> [UInt8] {
        (0..<Int.random(in: sizes, using: &self)).map { _ in UInt8.random(in: .min ... .max, using: &self) }
    }

    mutating func tag() -> ContextTag { ContextTag(truncating: next()) }

    mutating func address() -> IPv6Address { IPv6Address(high: next(), low: next()) }

    mutating func maybe<Value>(_ make: (inout Self) -> Value) -> Value? {
        Bool.random(using: &self) ? make(&self) : nil
    }

    private mutating func locatorList() -> LocatorList {
        let count = Int.random(in: 0...12, using: &self)
        let method = UInt8.random(in: 0...3, using: &self)
        return LocatorList(
            generation: number(), locators: (0..<count).map { _ in .init(locator: address(), method: method) })
    }

    private mutating func preferences() -> LocatorPreferences {
        let length = Int.random(in: 1...3, using: &self)
        let elements = (0..<Int.random(in: 0...12, using: &self)).map { _ in
            let octets = octets(3...3)
            return LocatorPreferences.Element(
                flags: .init(rawValue: octets[0]), priority: length > 1 ? octets[1] : 0,
                weight: length > 2 ? octets[2] : 0)
        }
        return LocatorPreferences(generation: number(), elementLength: length, elements: elements)
    }

    private mutating func locatorOptions() -> LocatorOptions {
        LocatorOptions(
            locatorList: maybe { $0.locatorList() }, locatorPreferences: maybe { $0.preferences() },
            cgaParameters: maybe { $0.octets(0...320) }, cgaSignature: maybe { $0.octets(0...256) },
            keepaliveTimeout: maybe { .random(in: 1...UInt16.max, using: &$0) },
            reachabilityTiming: maybe {
                ReachabilityTiming(sendTimeoutMilliseconds: .random(in: 1...UInt32.max, using: &$0))
            },
            payloadForms: maybe { PayloadForms(rawValue: .random(in: 0...3, using: &$0)) })
    }

    private mutating func reports(_ counts: ClosedRange<Int>) -> [ProbeReport] {
        (0..<Int.random(in: counts, using: &self)).map { _ in
            ProbeReport(source: address(), destination: address(), nonce: number(), data: number())
        }
    }

    private mutating func ulidPair() -> ULIDPairOption { ULIDPairOption(sender: address(), receiver: address()) }

    mutating func message(_ type: MessageType) -> ControlMessage {
        switch type {
        case .i1:
            .i1(
                I1(
                    initiatorTag: tag(), initiatorNonce: number(), ulidPair: maybe { $0.ulidPair() },
                    forkedInstance: maybe { $0.number() }))
        case .r1:
            .r1(R1(initiatorNonce: number(), responderNonce: number(), responderValidator: octets(0...64)))
        case .i2:
            .i2(
                I2(
                    initiatorTag: tag(), initiatorNonce: number(), responderNonce: number(),
                    responderValidator: octets(0...64), ulidPair: maybe { $0.ulidPair() },
                    forkedInstance: maybe { $0.number() }, options: locatorOptions()))
        case .r2:
            .r2(R2(responderTag: tag(), initiatorNonce: number(), options: locatorOptions()))
        case .r1bis:
            .r1bis(R1bis(packetTag: tag(), responderNonce: number(), responderValidator: maybe { $0.octets(0...64) }))
        case .i2bis:
            .i2bis(
                I2bis(
                    initiatorTag: tag(), initiatorNonce: number(), responderNonce: number(), packetTag: tag(),
                    responderValidator: maybe { $0.octets(0...64) }, ulidPair: maybe { $0.ulidPair() },
                    forkedInstance: maybe { $0.number() }, options: locatorOptions()))
        case .updateRequest:
            .updateRequest(UpdateRequest(receiverTag: tag(), requestNonce: number(), options: locatorOptions()))
        case .updateAcknowledgement:
            .updateAcknowledgement(UpdateAcknowledgement(receiverTag: tag(), requestNonce: number()))
        case .keepalive:
            .keepalive(Keepalive(receiverTag: tag()))
        case .probe:
            .probe(
                Probe(
                    receiverTag: tag(), state: .allCases.randomElement(using: &self) ?? .exploring,
                    sent: reports(1...15), received: reports(0...14),
                    payload: maybe {
                        PayloadReport(source: $0.address(), destination: $0.address(), ageMilliseconds: $0.number())
                    }))
        case .error:
            .error(
                ErrorMessage(
                    code: .generationOutOfSync, pointer: UInt16(truncatingIfNeeded: next()), packet: quotation()))
        }
    }

    /// An IPv6 packet whose header tells its length, or the beginning of one.
    private mutating func quotation() -> [UInt8] {
        let payload = octets(0...300)
        let length = [UInt8(payload.count >> 8), UInt8(payload.count & 0xff)]
        let packet = [0x60, 0, 0, 0] + length + octets(34...34) + payload
        return Bool.random(using: &self) ? packet : Array(packet.prefix(packet.count / 16 * 8))
    }
}

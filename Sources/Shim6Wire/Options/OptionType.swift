/// The type of an option, 15 bits without C (RFC 5533, section 5.15; RFC 5534, section 5.3).
public enum OptionType: UInt16, Sendable, CaseIterable {
    case responderValidator = 1
    case locatorList = 2
    case locatorPreferences = 3
    case cgaParameters = 4
    case cgaSignature = 5
    case ulidPair = 6
    case forkedInstance = 7
    case keepaliveTimeout = 10  // 5534-5.3-07
    // Of this implementation: see `ExperimentalNumber`.
    case payloadForms = 0x5366
    case reachabilityTiming = 0x5367
    case payloadReport = 0x5368
    /// `payloadForms` as version 0.1.0 sends it.
    case earlierPayloadForms = 0x4000

    /// A number of its own, smaller than the bits of the word that a message keeps of its options.
    var place: UInt16 {
        switch self {
        case .responderValidator: 0
        case .locatorList: 1
        case .locatorPreferences: 2
        case .cgaParameters: 3
        case .cgaSignature: 4
        case .ulidPair: 5
        case .forkedInstance: 6
        case .keepaliveTimeout: 7
        case .payloadForms: 8
        case .reachabilityTiming: 9
        case .payloadReport: 10
        case .earlierPayloadForms: 11
        }
    }

    /// Whether the option means something in a message of this type. Elsewhere it is handled as an unknown one.
    public func isDefined(in message: MessageType) -> Bool {
        switch (self, message) {
        case (.responderValidator, .r1), (.responderValidator, .i2), (.responderValidator, .r1bis),
            (.responderValidator, .i2bis):
            true
        case (.ulidPair, .i1), (.ulidPair, .i2), (.ulidPair, .i2bis):
            true
        case (.forkedInstance, .i1), (.forkedInstance, .i2), (.forkedInstance, .i2bis):
            true
        case (.locatorList, _), (.locatorPreferences, _), (.cgaParameters, _), (.cgaSignature, _),
            (.keepaliveTimeout, _), (.reachabilityTiming, _), (.payloadForms, _), (.earlierPayloadForms, _):
            message == .i2 || message == .r2 || message == .i2bis || message == .updateRequest
        case (.payloadReport, _):
            message == .probe
        case (.responderValidator, _), (.ulidPair, _), (.forkedInstance, _):
            false
        }
    }
}

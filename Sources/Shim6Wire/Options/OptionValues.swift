/// What the options of one message say.
struct OptionValues {
    var responderValidator: [UInt8]?
    var ulidPair: ULIDPairOption?
    var forkedInstance: UInt32?
    var locatorOptions = LocatorOptions()
    var payloadReport: PayloadReport?

    /// - Throws: `optionLength`.
    init(_ view: MessageView) throws(ParseError) {
        for option in view.options {
            switch option.type {
            case .responderValidator: responderValidator = Array(option.contents)
            case .locatorList: locatorOptions.locatorList = try LocatorList(option)
            case .locatorPreferences: locatorOptions.locatorPreferences = try LocatorPreferences(option)
            case .cgaParameters: locatorOptions.cgaParameters = Array(option.contents)
            case .cgaSignature: locatorOptions.cgaSignature = Array(option.contents)
            case .ulidPair: ulidPair = try ULIDPairOption(option)
            case .forkedInstance: forkedInstance = try option.forkedInstance()
            case .keepaliveTimeout: locatorOptions.keepaliveTimeout = try option.keepaliveTimeout()
            case .payloadForms: locatorOptions.payloadForms = PayloadForms(option.ownContents)
            case .earlierPayloadForms:
                locatorOptions.payloadForms = locatorOptions.payloadForms ?? PayloadForms(option.contents)
            case .reachabilityTiming: locatorOptions.reachabilityTiming = ReachabilityTiming(option.ownContents)
            case .payloadReport: payloadReport = PayloadReport(option.ownContents)
            }
        }
    }

    /// The validator of a message that has to have one.
    /// - Throws: `missingResponderValidator`; the offset is that of Hdr Ext Len.
    func requiredValidator() throws(ParseError) -> [UInt8] {
        // 5533-5.5-07, 5533-5.6-09
        guard let responderValidator else { throw ParseError(.missingResponderValidator, at: 1) }
        return responderValidator
    }
}

extension MessageWriter {
    /// The options that name the context of an I1, I2 or I2bis (RFC 5533, sections 5.15.6 and 5.15.7).
    mutating func appendContext(ulidPair: ULIDPairOption?, forkedInstance: UInt32?) {
        ulidPair?.write(to: &self)
        if let forkedInstance {
            option(.forkedInstance) { $0.append(forkedInstance) }
        }
    }
}

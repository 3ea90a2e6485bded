/// The options by which a host describes itself to its peer in I2, R2, I2bis and Update Request: its locators, the
/// proof that they are its own, and its Send Timeout (RFC 5533, sections 5.6, 5.7, 5.9 and 5.10; RFC 5534, section 5.3).
public struct LocatorOptions: Hashable, Sendable {
    public var locatorList: LocatorList?
    public var locatorPreferences: LocatorPreferences?
    /// The CGA Parameter Data Structure of the sender's ULID (RFC 3972, section 3; RFC 5533, section 5.15.4).
    public var cgaParameters: [UInt8]?
    /// The CGA Signature over the locator list (RFC 5533, section 5.15.5).
    public var cgaSignature: [UInt8]?
    /// The sender's Send Timeout in seconds. Zero means nothing usable: it is neither sent nor reported.
    public var keepaliveTimeout: UInt16?
    /// The same to the millisecond, between hosts that both say so.
    public var reachabilityTiming: ReachabilityTiming?
    /// The forms of rehomed payload that the sender accepts; nil stands for the payload extension header alone.
    public var payloadForms: PayloadForms?

    public init(
        locatorList: LocatorList? = nil, locatorPreferences: LocatorPreferences? = nil, cgaParameters: [UInt8]? = nil,
        cgaSignature: [UInt8]? = nil, keepaliveTimeout: UInt16? = nil, reachabilityTiming: ReachabilityTiming? = nil,
        payloadForms: PayloadForms? = nil
    ) {
        self.locatorList = locatorList
        self.locatorPreferences = locatorPreferences
        self.cgaParameters = cgaParameters
        self.cgaSignature = cgaSignature
        self.keepaliveTimeout = keepaliveTimeout
        self.reachabilityTiming = reachabilityTiming
        self.payloadForms = payloadForms
    }
}

extension LocatorOptions {
    func write(to writer: inout MessageWriter) throws(EncodeError) {
        locatorList?.write(to: &writer)
        try locatorPreferences?.write(to: &writer)
        writer.option(.cgaParameters, cgaParameters)
        writer.option(.cgaSignature, cgaSignature)
        if let keepaliveTimeout, keepaliveTimeout > 0 {
            writer.option(.keepaliveTimeout) { writer in  // 5534-5.3-08
                writer.append(zeros: 2)
                writer.append(keepaliveTimeout)
            }
        }
        reachabilityTiming?.write(to: &writer)
        if let payloadForms { writer.append(payloadForms) }
    }
}

/// Why octets are not a message that may be processed. The receiver drops it and counts `reason`; two reasons are
/// also answered with an Error message, `unknownMessageType` and `unrecognisedCriticalOption` (RFC 5533, section 12.3).
public struct ParseError: Error, Hashable, Sendable {
    /// Stable names, used for counters.
    public enum Reason: String, Sendable, CaseIterable {
        /// Fewer octets than the smallest header.
        case truncated
        /// Hdr Ext Len runs past the end of the packet.
        case pastEnd
        /// P is set: a payload extension header, not a control message; or it is clear in a payload header.
        case wrongKind
        /// Hdr Ext Len of a payload extension header is not zero.
        case payloadHeaderLength
        /// S is set: a HIP packet.
        case notShim6
        case checksum
        case multicastAddress
        case unspecifiedAddress
        case unknownMessageType
        /// Hdr Ext Len is below the minimum of the message type.
        case tooShort
        /// A Probe says it has no sent report, not even its own.
        case probeWithoutReport
        /// A Probe's reports do not fit into the message.
        case probeReportsPastEnd
        /// Sta = 3.
        case probeState
        /// An option runs past the end of the message.
        case optionPastEnd
        /// An option with C = 1 that is unknown or has no meaning in this message.
        case unrecognisedCriticalOption
        /// The same option twice: which one counts would be anyone's guess.
        case duplicateOption
        /// The Length of an option is not one that its contents can have.
        case optionLength
        /// R1 or I2 without Responder Validator.
        case missingResponderValidator
    }

    public var reason: Reason
    /// The octet at fault, counted from the first octet of the Shim6 header.
    public var offset: Int

    public init(_ reason: Reason, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }
}

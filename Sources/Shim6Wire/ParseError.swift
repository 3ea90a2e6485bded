/// Why octets are not a message that may be processed. The receiver drops it and counts `reason`; two reasons are
/// also answered with an Error message, `unknownMessageType` and `unrecognisedCriticalOption` (RFC 5533, section 12.3).
public struct ParseError: Error, Hashable, Sendable {
    /// The raw values name counters. Programs read them: they stay when a case is renamed.
    public enum Reason: String, Sendable, CaseIterable {
        /// Fewer octets than the smallest header.
        case truncated = "truncated"
        /// Hdr Ext Len runs past the end of the packet.
        case pastEnd = "past_end"
        /// P is set: a payload extension header, not a control message; or it is clear in a payload header.
        case wrongKind = "wrong_kind"
        /// Hdr Ext Len of a payload extension header is not zero.
        case payloadHeaderLength = "payload_header_length"
        /// S is set: a HIP packet.
        case notShim6 = "not_shim6"
        case checksum = "checksum"
        case multicastAddress = "multicast_address"
        case unspecifiedAddress = "unspecified_address"
        case unknownMessageType = "unknown_message_type"
        /// Hdr Ext Len is below the minimum of the message type.
        case tooShort = "too_short"
        /// A Probe says it has no sent report, not even its own.
        case probeWithoutReport = "probe_without_report"
        /// A Probe's reports do not fit into the message.
        case probeReportsPastEnd = "probe_reports_past_end"
        /// Sta = 3.
        case probeState = "probe_state"
        /// An option runs past the end of the message.
        case optionPastEnd = "option_past_end"
        /// An option with C = 1 that is unknown or has no meaning in this message.
        case unrecognisedCriticalOption = "unrecognised_critical_option"
        /// The same option twice: which one counts would be anyone's guess.
        case duplicateOption = "duplicate_option"
        /// The Length of an option is not one that its contents can have.
        case optionLength = "option_length"
        /// R1 or I2 without Responder Validator.
        case missingResponderValidator = "missing_responder_validator"
    }

    public var reason: Reason
    /// The octet at fault, counted from the first octet of the Shim6 header.
    public var offset: Int

    public init(_ reason: Reason, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }
}

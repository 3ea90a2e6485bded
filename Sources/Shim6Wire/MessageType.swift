/// The type of a control message, 7 bits (RFC 5533, section 5.3).
public enum MessageType: UInt8, Sendable, CaseIterable {
    case i1 = 1
    case r1 = 2
    case i2 = 3
    case r2 = 4
    case r1bis = 5
    case i2bis = 6
    case updateRequest = 64
    case updateAcknowledgement = 65
    case keepalive = 66  // 5534-5.1-02
    case probe = 67  // 5534-5.2-06
    case error = 68

    /// Its name in the counters of messages.
    public var name: String {
        switch self {
        case .i1: "i1"
        case .r1: "r1"
        case .i2: "i2"
        case .r2: "r2"
        case .r1bis: "r1bis"
        case .i2bis: "i2bis"
        case .updateRequest: "update_request"
        case .updateAcknowledgement: "update_acknowledgement"
        case .keepalive: "keepalive"
        case .probe: "probe"
        case .error: "error"
        }
    }

    /// Whether a message of this type that names a context its receiver does not have is answered with R1bis.
    /// Types 64-127 are, except Error, which has no tag of its own (RFC 5533, sections 5.3 and 12.4).
    public var elicitsR1bis: Bool { rawValue >= 64 && self != .error }
}

extension MessageType {
    /// The octets of the smallest message of this type (RFC 5533, sections 7.9 to 7.20, 10.4 and 10.5; RFC 5534,
    /// section 5).
    // 5533-7.9-01, 5533-7.11-01, 5533-7.13-01, 5533-7.16-01, 5533-7.18-01, 5533-7.20-01, 5533-10.4-01, 5533-10.5-01
    var minimumLength: Int {
        switch self {
        case .i1, .r1, .r2, .r1bis, .updateRequest, .updateAcknowledgement, .keepalive, .error: 16
        case .i2: 24
        case .i2bis: 32
        case .probe: 16 + ProbeReport.length
        }
    }
}

/// A control message as a value (RFC 5533, sections 5.3 to 5.14; RFC 5534, section 5).
public enum ControlMessage: Hashable, Sendable {
    case i1(I1)
    case r1(R1)
    case i2(I2)
    case r2(R2)
    case r1bis(R1bis)
    case i2bis(I2bis)
    case updateRequest(UpdateRequest)
    case updateAcknowledgement(UpdateAcknowledgement)
    case keepalive(Keepalive)
    case probe(Probe)
    case error(ErrorMessage)

    /// The octets of the largest control message to send: 1280 less the IPv6 header (RFC 5533, section 5.1).
    public static let maximumLength = 1240

    public var type: MessageType {
        switch self {
        case .i1: .i1
        case .r1: .r1
        case .i2: .i2
        case .r2: .r2
        case .r1bis: .r1bis
        case .i2bis: .i2bis
        case .updateRequest: .updateRequest
        case .updateAcknowledgement: .updateAcknowledgement
        case .keepalive: .keepalive
        case .probe: .probe
        case .error: .error
        }
    }
}

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

extension ControlMessage {
    /// Reads all of a message.
    /// - Throws: `optionLength`, `missingResponderValidator`.
    public init(_ view: MessageView) throws(ParseError) {
        switch view.type {
        case .i1: self = .i1(try I1(view))
        case .r1: self = .r1(try R1(view))
        case .i2: self = .i2(try I2(view))
        case .r2: self = .r2(try R2(view))
        case .r1bis: self = .r1bis(try R1bis(view))
        case .i2bis: self = .i2bis(try I2bis(view))
        case .updateRequest: self = .updateRequest(try UpdateRequest(view))
        case .updateAcknowledgement: self = .updateAcknowledgement(UpdateAcknowledgement(view))
        case .keepalive: self = .keepalive(Keepalive(view))
        case .probe: self = .probe(try Probe(view))
        case .error: self = .error(ErrorMessage(view))
        }
    }

    /// The octets of the message from its Shim6 header on, with Next Header 59 and the checksum. Options come in a fixed
    /// order, all with C = 0.
    /// - Throws: why there are none; a message above `maximumLength` is refused.
    public func encoded() throws(EncodeError) -> [UInt8] { try writer().finish() }

    /// How many octets the message takes, also when they are too many: tells whether options have to be left out or
    /// spread over several messages (RFC 5533, section 5.1).
    public func encodedLength() throws(EncodeError) -> Int { try writer().octets.count }

    private func writer() throws(EncodeError) -> MessageWriter {
        switch self {
        case .i1(let message): message.writer()
        case .r1(let message): message.writer()
        case .i2(let message): try message.writer()
        case .r2(let message): try message.writer()
        case .r1bis(let message): message.writer()
        case .i2bis(let message): try message.writer()
        case .updateRequest(let message): try message.writer()
        case .updateAcknowledgement(let message): message.writer()
        case .keepalive(let message): message.writer()
        case .probe(let message): try message.writer()
        case .error(let message): message.writer()
        }
    }
}

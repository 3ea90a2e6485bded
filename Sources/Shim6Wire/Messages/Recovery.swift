// R1bis and I2bis: the messages that recover a context which one side has lost (RFC 5533, sections 5.8 and 5.9).

/// R1bis (RFC 5533, section 5.8). Octets 6-11 Packet Context Tag, 12-15 Responder Nonce, 16- options.
public struct R1bis: Hashable, Sendable {
    /// The tag of the packet that no context was found for.
    public var packetTag: ContextTag
    public var responderNonce: UInt32
    /// Opaque to the receiver, who returns it unchanged in I2bis.
    public var responderValidator: [UInt8]?

    public init(packetTag: ContextTag, responderNonce: UInt32, responderValidator: [UInt8]?) {
        self.packetTag = packetTag
        self.responderNonce = responderNonce
        self.responderValidator = responderValidator
    }
}

/// I2bis (RFC 5533, section 5.9). Octets 6-11 Initiator Context Tag, 12-15 Initiator Nonce, 16-19 Responder Nonce,
/// 26-31 Packet Context Tag, 32- options.
public struct I2bis: Hashable, Sendable {
    public var initiatorTag: ContextTag
    public var initiatorNonce: UInt32
    public var responderNonce: UInt32
    /// The Packet Context Tag of the R1bis.
    public var packetTag: ContextTag
    /// The validator of the R1bis, unchanged.
    public var responderValidator: [UInt8]?
    public var ulidPair: ULIDPairOption?
    /// Forked Instance Identifier; nil stands for zero, the default context.
    public var forkedInstance: UInt32?
    public var options: LocatorOptions

    public init(
        initiatorTag: ContextTag, initiatorNonce: UInt32, responderNonce: UInt32, packetTag: ContextTag,
        responderValidator: [UInt8]?, ulidPair: ULIDPairOption? = nil, forkedInstance: UInt32? = nil,
        options: LocatorOptions = LocatorOptions()
    ) {
        self.initiatorTag = initiatorTag
        self.initiatorNonce = initiatorNonce
        self.responderNonce = responderNonce
        self.packetTag = packetTag
        self.responderValidator = responderValidator
        self.ulidPair = ulidPair
        self.forkedInstance = forkedInstance
        self.options = options
    }
}

extension R1bis {
    // The reserved bits are not looked at: 5533-5.8-03, 5533-5.8-04.
    init(_ view: MessageView) throws(ParseError) {
        self.init(
            packetTag: view.octets.tag(at: 6), responderNonce: view.octets.bigEndian(UInt32.self, at: 12),
            responderValidator: try OptionValues(view).responderValidator)
    }

    func writer() -> MessageWriter {
        var writer = MessageWriter(.r1bis)
        writer.append(packetTag)
        writer.append(responderNonce)
        writer.option(.responderValidator, responderValidator)
        return writer
    }
}

extension I2bis {
    // The reserved bits are not looked at: 5533-5.9-03, 5533-5.9-04, 5533-5.9-05.
    init(_ view: MessageView) throws(ParseError) {
        let options = try OptionValues(view)
        self.init(
            initiatorTag: view.octets.tag(at: 6), initiatorNonce: view.octets.bigEndian(UInt32.self, at: 12),
            responderNonce: view.octets.bigEndian(UInt32.self, at: 16), packetTag: view.octets.tag(at: 26),
            responderValidator: options.responderValidator, ulidPair: options.ulidPair,
            forkedInstance: options.forkedInstance, options: options.locatorOptions)
    }

    func writer() throws(EncodeError) -> MessageWriter {
        var writer = MessageWriter(.i2bis)
        writer.append(initiatorTag)
        writer.append(initiatorNonce)
        writer.append(responderNonce)
        writer.append(zeros: 6)
        writer.append(packetTag)
        writer.option(.responderValidator, responderValidator)
        writer.appendContext(ulidPair: ulidPair, forkedInstance: forkedInstance)
        try options.write(to: &writer)
        return writer
    }
}

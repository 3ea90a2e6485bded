// I1, R1, I2, R2: the four messages that establish a context (RFC 5533, sections 5.4 to 5.7).

/// I1 (RFC 5533, section 5.4). Octets 6-11 Initiator Context Tag, 12-15 Initiator Nonce, 16- options.
public struct I1: Hashable, Sendable {
    public var initiatorTag: ContextTag
    public var initiatorNonce: UInt32
    public var ulidPair: ULIDPairOption?
    /// Forked Instance Identifier; nil stands for zero, the default context.
    public var forkedInstance: UInt32?

    public init(
        initiatorTag: ContextTag, initiatorNonce: UInt32, ulidPair: ULIDPairOption? = nil,
        forkedInstance: UInt32? = nil
    ) {
        self.initiatorTag = initiatorTag
        self.initiatorNonce = initiatorNonce
        self.ulidPair = ulidPair
        self.forkedInstance = forkedInstance
    }
}

/// R1 (RFC 5533, section 5.5). Octets 8-11 Initiator Nonce, 12-15 Responder Nonce, 16- options.
public struct R1: Hashable, Sendable {
    public var initiatorNonce: UInt32
    public var responderNonce: UInt32
    /// Opaque to the initiator, who returns it unchanged in I2.
    public var responderValidator: [UInt8]

    public init(initiatorNonce: UInt32, responderNonce: UInt32, responderValidator: [UInt8]) {
        self.initiatorNonce = initiatorNonce
        self.responderNonce = responderNonce
        self.responderValidator = responderValidator
    }
}

/// I2 (RFC 5533, section 5.6). Octets 6-11 Initiator Context Tag, 12-15 Initiator Nonce, 16-19 Responder Nonce,
/// 24- options.
public struct I2: Hashable, Sendable {
    public var initiatorTag: ContextTag
    public var initiatorNonce: UInt32
    public var responderNonce: UInt32
    /// The validator of the R1, unchanged.
    public var responderValidator: [UInt8]
    public var ulidPair: ULIDPairOption?
    /// Forked Instance Identifier; nil stands for zero, the default context.
    public var forkedInstance: UInt32?
    public var options: LocatorOptions

    public init(
        initiatorTag: ContextTag, initiatorNonce: UInt32, responderNonce: UInt32, responderValidator: [UInt8],
        ulidPair: ULIDPairOption? = nil, forkedInstance: UInt32? = nil, options: LocatorOptions = LocatorOptions()
    ) {
        self.initiatorTag = initiatorTag
        self.initiatorNonce = initiatorNonce
        self.responderNonce = responderNonce
        self.responderValidator = responderValidator
        self.ulidPair = ulidPair
        self.forkedInstance = forkedInstance
        self.options = options
    }
}

/// R2 (RFC 5533, section 5.7). Octets 6-11 Responder Context Tag, 12-15 Initiator Nonce, 16- options.
public struct R2: Hashable, Sendable {
    public var responderTag: ContextTag
    public var initiatorNonce: UInt32
    public var options: LocatorOptions

    public init(responderTag: ContextTag, initiatorNonce: UInt32, options: LocatorOptions = LocatorOptions()) {
        self.responderTag = responderTag
        self.initiatorNonce = initiatorNonce
        self.options = options
    }
}

// The initialisers below read a view of their own type: its checks let the fixed fields be read.

extension I1 {
    // The reserved bits are not looked at: 5533-5.4-04, 5533-5.4-06.
    init(_ view: MessageView) throws(ParseError) {
        let options = try OptionValues(view)
        self.init(
            initiatorTag: view.octets.tag(at: 6), initiatorNonce: view.octets.bigEndian(UInt32.self, at: 12),
            ulidPair: options.ulidPair, forkedInstance: options.forkedInstance)
    }

    func writer() -> MessageWriter {
        var writer = MessageWriter(.i1)
        writer.append(initiatorTag)
        writer.append(initiatorNonce)
        writer.appendContext(ulidPair: ulidPair, forkedInstance: forkedInstance)
        return writer
    }
}

extension R1 {
    // The reserved bits are not looked at: 5533-5.5-03, 5533-5.5-04.
    init(_ view: MessageView) throws(ParseError) {
        self.init(
            initiatorNonce: view.octets.bigEndian(UInt32.self, at: 8),
            responderNonce: view.octets.bigEndian(UInt32.self, at: 12),
            responderValidator: try OptionValues(view).requiredValidator())
    }

    func writer() -> MessageWriter {
        var writer = MessageWriter(.r1)
        writer.append(zeros: 2)
        writer.append(initiatorNonce)
        writer.append(responderNonce)
        writer.option(.responderValidator, responderValidator)  // 5533-5.5-07
        return writer
    }
}

extension I2 {
    // The reserved bits are not looked at: 5533-5.6-03, 5533-5.6-04, 5533-5.6-05.
    init(_ view: MessageView) throws(ParseError) {
        let options = try OptionValues(view)
        self.init(
            initiatorTag: view.octets.tag(at: 6), initiatorNonce: view.octets.bigEndian(UInt32.self, at: 12),
            responderNonce: view.octets.bigEndian(UInt32.self, at: 16),
            responderValidator: try options.requiredValidator(), ulidPair: options.ulidPair,
            forkedInstance: options.forkedInstance, options: options.locatorOptions)
    }

    func writer() throws(EncodeError) -> MessageWriter {
        var writer = MessageWriter(.i2)
        writer.append(initiatorTag)
        writer.append(initiatorNonce)
        writer.append(responderNonce)
        writer.append(zeros: 4)
        writer.option(.responderValidator, responderValidator)  // 5533-5.6-09
        writer.appendContext(ulidPair: ulidPair, forkedInstance: forkedInstance)
        try options.write(to: &writer)
        return writer
    }
}

extension R2 {
    // The reserved bits are not looked at: 5533-5.7-03, 5533-5.7-04.
    init(_ view: MessageView) throws(ParseError) {
        self.init(
            responderTag: view.octets.tag(at: 6), initiatorNonce: view.octets.bigEndian(UInt32.self, at: 12),
            options: try OptionValues(view).locatorOptions)
    }

    func writer() throws(EncodeError) -> MessageWriter {
        var writer = MessageWriter(.r2)
        writer.append(responderTag)
        writer.append(initiatorNonce)
        try options.write(to: &writer)
        return writer
    }
}

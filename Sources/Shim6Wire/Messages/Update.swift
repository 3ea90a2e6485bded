// Update Request and Update Acknowledgement (RFC 5533, sections 5.10 and 5.11).

/// Update Request (RFC 5533, section 5.10). Octets 6-11 Receiver Context Tag, 12-15 Request Nonce, 16- options.
public struct UpdateRequest: Hashable, Sendable {
    /// The sender's CT(peer).
    public var receiverTag: ContextTag
    public var requestNonce: UInt32
    public var options: LocatorOptions

    public init(receiverTag: ContextTag, requestNonce: UInt32, options: LocatorOptions = LocatorOptions()) {
        self.receiverTag = receiverTag
        self.requestNonce = requestNonce
        self.options = options
    }
}

/// Update Acknowledgement (RFC 5533, section 5.11). Octets 6-11 Receiver Context Tag, 12-15 Request Nonce.
public struct UpdateAcknowledgement: Hashable, Sendable {
    /// The sender's CT(peer).
    public var receiverTag: ContextTag
    /// That of the Update Request.
    public var requestNonce: UInt32

    public init(receiverTag: ContextTag, requestNonce: UInt32) {
        self.receiverTag = receiverTag
        self.requestNonce = requestNonce
    }
}

extension UpdateRequest {
    // The reserved bits are not looked at: 5533-5.10-03, 5533-5.10-04.
    init(_ view: MessageView) throws(ParseError) {
        self.init(
            receiverTag: view.octets.tag(at: 6), requestNonce: view.octets.bigEndian(UInt32.self, at: 12),
            options: try OptionValues(view).locatorOptions)
    }

    func writer() throws(EncodeError) -> MessageWriter {
        var writer = MessageWriter(.updateRequest)
        writer.append(receiverTag)
        writer.append(requestNonce)
        try options.write(to: &writer)
        return writer
    }
}

extension UpdateAcknowledgement {
    // The reserved bits are not looked at: 5533-5.11-03, 5533-5.11-04.
    init(_ view: MessageView) {
        self.init(receiverTag: view.octets.tag(at: 6), requestNonce: view.octets.bigEndian(UInt32.self, at: 12))
    }

    func writer() -> MessageWriter {
        var writer = MessageWriter(.updateAcknowledgement)
        writer.append(receiverTag)
        writer.append(requestNonce)
        return writer
    }
}

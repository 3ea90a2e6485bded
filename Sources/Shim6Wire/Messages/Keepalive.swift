/// Keepalive (RFC 5534, section 5.1). Octets 6-11 Receiver Context Tag, 12-15 reserved.
public struct Keepalive: Hashable, Sendable {
    /// The sender's CT(peer).
    public var receiverTag: ContextTag

    public init(receiverTag: ContextTag) {
        self.receiverTag = receiverTag
    }
}

extension Keepalive {
    // Reserved1, R and Reserved2 are not looked at: 5534-5.1-05, 5534-5.1-07, 5534-5.1-10.
    init(_ view: MessageView) {
        self.init(receiverTag: view.octets.tag(at: 6))
    }

    func writer() -> MessageWriter {
        var writer = MessageWriter(.keepalive)
        writer.append(receiverTag)
        writer.append(zeros: 4)
        return writer
    }
}

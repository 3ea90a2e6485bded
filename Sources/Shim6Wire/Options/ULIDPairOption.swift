/// The ULID Pair option: the ULIDs when they are not the addresses of the packet (RFC 5533, section 5.15.6).
public struct ULIDPairOption: Hashable, Sendable {
    /// ULID(peer) for the receiver.
    public var sender: IPv6Address
    /// ULID(local) for the receiver.
    public var receiver: IPv6Address

    public init(sender: IPv6Address, receiver: IPv6Address) {
        self.sender = sender
        self.receiver = receiver
    }
}

// Contents: octets 0-3 reserved, 4-19 Sender ULID, 20-35 Receiver ULID.
extension ULIDPairOption {
    /// - Throws: `optionLength`.
    public init(_ option: OptionView) throws(ParseError) {
        guard option.contents.count == 36 else { throw option.lengthError }
        // 5533-5.15.6-02
        sender = option.contents.address(at: 4)
        receiver = option.contents.address(at: 20)
    }

    func write(to writer: inout MessageWriter) {
        writer.option(.ulidPair) { writer in
            writer.append(zeros: 4)
            writer.append(sender)
            writer.append(receiver)
        }
    }
}

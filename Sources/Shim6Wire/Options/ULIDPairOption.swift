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

/// Why a value has no encoding. Always a mistake of this host, never of a peer.
public enum EncodeError: Error, Hashable, Sendable {
    /// The message would take more octets than allowed (RFC 5533, section 5.1).
    case tooLarge(octets: Int)
    /// An element length outside 1 to 3 octets (RFC 5533, section 5.15.3).
    case elementLength(Int)
    /// Not 1 to 15 sent reports, or more than 15 received ones (RFC 5534, section 5.2).
    case reportCount(sent: Int, received: Int)
}

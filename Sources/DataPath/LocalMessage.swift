import Shim6Wire

/// An ICMPv6 error for this host itself, from `ulid` to `ulid`.
public struct LocalMessage: Hashable, Sendable {
    public var error: ICMPv6Error
    public var ulid: IPv6Address

    public init(error: ICMPv6Error, ulid: IPv6Address) {
        self.error = error
        self.ulid = ulid
    }
}

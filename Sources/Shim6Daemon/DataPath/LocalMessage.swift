import Shim6Wire

/// An ICMPv6 error for this host itself, from `ulid` to `ulid`.
struct LocalMessage {
    var error: ICMPv6Error
    var ulid: IPv6Address
}

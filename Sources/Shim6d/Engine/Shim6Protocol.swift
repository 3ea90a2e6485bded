/// Next headers of the raw sockets.
enum Shim6Protocol {
    /// RFC 5533, section 17.
    static let nextHeader: UInt8 = 140
    static let icmpv6: UInt8 = 58
}

import Shim6Wire

/// Everything that the verification of a Locator List looks at. So who shows the same octets for the same ULID once
/// more has proved the same once more: the CGA Signature covers neither tags nor nonces (RFC 5533, section 5.15.5).
struct Proof: Hashable, Sendable {
    let ulid: IPv6Address
    let list: LocatorList
    let parameters: [UInt8]
    let signature: [UInt8]?

    func hash(into hasher: inout Hasher) {
        hasher.combine(ulid)
        hasher.combine(list)
        // Octets are equal only if they are equally many: neither needs its length here.
        parameters.withUnsafeBytes { hasher.combine(bytes: $0) }
        signature?.withUnsafeBytes { hasher.combine(bytes: $0) }
    }
}

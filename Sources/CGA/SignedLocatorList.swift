import Shim6Wire

/// What a Shim6 CGA Signature is made over (RFC 5533, section 5.15.5):
///
///     octets 0-15   CGA Message Type tag of Shim6
///     octets 16-19  Locator List Generation
///     then          16 octets for each locator of the list whose verification method is CGA, in the order of the list
enum SignedLocatorList {
    /// Known to both sides and never sent (RFC 3972, section 6; 3972-7.4-02).
    static let messageTypeTag: [UInt8] = [
        0x4a, 0x30, 0x56, 0x62, 0x48, 0x58, 0x57, 0x4b, 0x36, 0x55, 0x41, 0x6f, 0x50, 0x6a, 0x6d, 0x48,
    ]

    static func octets(generation: UInt32, locators: some Collection<IPv6Address>) -> [UInt8] {
        var octets = messageTypeTag  // 3972-6-01, 3972-6-05, 3972-7.4-01
        octets.reserveCapacity(20 + 16 * locators.count)
        octets.append(bigEndian: generation)
        for locator in locators {  // 5533-5.15.5-03
            octets.append(bigEndian: locator.high)
            octets.append(bigEndian: locator.low)
        }
        return octets
    }
}

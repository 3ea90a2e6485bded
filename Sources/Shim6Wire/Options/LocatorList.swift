/// The Locator List option: every locator of the sender, in the order that preferences refer to
/// (RFC 5533, section 5.15.2). A list replaces the earlier one whole.
public struct LocatorList: Hashable, Sendable {
    public struct Entry: Hashable, Sendable {
        public var locator: IPv6Address
        /// As on the wire. A value that is no `VerificationMethod` makes the receiver refuse the message (section 7.2).
        public var method: UInt8

        public init(locator: IPv6Address, method: UInt8) {
            self.locator = locator
            self.method = method
        }

        public init(locator: IPv6Address, method: VerificationMethod) {
            self.init(locator: locator, method: method.rawValue)
        }
    }

    /// Compared for equality only.
    public var generation: UInt32
    /// At most 255.
    public var locators: [Entry]

    public init(generation: UInt32, locators: [Entry]) {
        self.generation = generation
        self.locators = locators
    }
}

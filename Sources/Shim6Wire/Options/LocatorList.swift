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
    public var locators: [Entry]

    public init(generation: UInt32, locators: [Entry]) {
        self.generation = generation
        self.locators = locators
    }
}

// Contents: octets 0-3 generation, 4 the number of locators, 5- their methods, zeros up to a multiple of 8 octets from
// the start of the option, the locators.
extension LocatorList {
    /// - Throws: `optionLength`.
    public init(_ option: OptionView) throws(ParseError) {
        let contents = option.contents
        guard contents.count >= 5 else { throw option.lengthError }
        let count = Int(contents.bigEndian(UInt8.self, at: 4))
        let start = 5 + count + Self.padding(count: count)
        guard contents.count == start + 16 * count else { throw option.lengthError }
        generation = contents.bigEndian(UInt32.self, at: 0)
        locators = (0..<count).map { index in
            Entry(
                locator: contents.address(at: start + 16 * index),
                method: contents.bigEndian(UInt8.self, at: 5 + index)
            )
        }
    }

    /// Where the method of locator `index` stands, from the first octet of the option: what the Pointer of an Error
    /// about the method is made from (RFC 5533, section 7.2).
    public static func methodOffset(_ index: Int) -> Int { 9 + index }

    func write(to writer: inout MessageWriter) {
        writer.option(.locatorList) { writer in
            writer.append(generation)
            // More than 8 bits hold is more than a message holds: the writer refuses it in the end.
            writer.append(UInt8(truncatingIfNeeded: locators.count))
            for entry in locators { writer.append(entry.method) }
            writer.append(zeros: Self.padding(count: locators.count))
            for entry in locators { writer.append(entry.locator) }
        }
    }

    /// The zeros between `count` methods and the locators, which begin on a multiple of 8 octets.
    private static func padding(count: Int) -> Int { 7 - count % 8 }
}

/// The Locator Preferences option: one element for each locator of the list with the same generation, in its order
/// (RFC 5533, section 5.15.3).
public struct LocatorPreferences: Hashable, Sendable {
    public struct Flags: OptionSet, Hashable, Sendable {
        public let rawValue: UInt8
        /// The locator is known not to work.
        public static let broken = Flags(rawValue: 0x01)
        /// The locator is less stable than others.
        public static let transient = Flags(rawValue: 0x02)

        public init(rawValue: UInt8) {
            self.rawValue = rawValue
        }
    }

    /// Priority and weight mean what they mean in DNS SRV records: lower priority first, weight shares the load within
    /// one priority.
    public struct Element: Hashable, Sendable {
        public var flags: Flags
        /// Zero when the option does not carry it.
        public var priority: UInt8
        /// Zero when the option does not carry it.
        public var weight: UInt8

        public init(flags: Flags = [], priority: UInt8 = 0, weight: UInt8 = 0) {
            self.flags = flags
            self.priority = priority
            self.weight = weight
        }
    }

    /// The generation of the Locator List that the elements belong to.
    public var generation: UInt32
    /// How many octets of each element go on the wire: 1 flags, 2 also priority, 3 also weight. What a peer sends
    /// beyond three octets is skipped, and 3 stands here.
    public var elementLength: Int
    public var elements: [Element]

    public init(generation: UInt32, elementLength: Int = 3, elements: [Element]) {
        self.generation = generation
        self.elementLength = elementLength
        self.elements = elements
    }
}

// Contents: octets 0-3 generation, 4 the length of an element, 5- elements.
extension LocatorPreferences {
    /// - Throws: `optionLength` if the contents are not a whole number of elements.
    public init(_ option: OptionView) throws(ParseError) {
        let contents = option.contents
        guard contents.count >= 5 else { throw option.lengthError }
        let length = Int(contents.bigEndian(UInt8.self, at: 4))
        guard length > 0, (contents.count - 5) % length == 0 else { throw option.lengthError }
        generation = contents.bigEndian(UInt32.self, at: 0)
        elementLength = min(length, 3)
        elements = stride(from: 5, to: contents.count, by: length).map { start in  // 5533-5.15.3-09
            Element(
                flags: Flags(rawValue: contents.bigEndian(UInt8.self, at: start)),
                priority: length > 1 ? contents.bigEndian(UInt8.self, at: start + 1) : 0,
                weight: length > 2 ? contents.bigEndian(UInt8.self, at: start + 2) : 0
            )
        }
    }

    func write(to writer: inout MessageWriter) throws(EncodeError) {
        guard (1...3).contains(elementLength) else { throw .elementLength(elementLength) }
        writer.option(.locatorPreferences) { writer in
            writer.append(generation)
            writer.append(UInt8(elementLength))
            for element in elements {
                writer.append(element.flags.rawValue)
                if elementLength > 1 { writer.append(element.priority) }
                if elementLength > 2 { writer.append(element.weight) }
            }
        }
    }
}

// The options of this implementation, from the range for experiments (RFC 5533, section 17), which anybody may use: so
// their contents begin with a discriminator. What has one of these numbers and not the discriminator or the length is
// somebody else's, and treated as unknown. All are sent with C = 0: who does not know them skips them.
//
// | number | option | contents after the discriminator |
// |---|---|---|
// | 0x5366 | `PayloadForms` | 0-1 flags, 2-3 reserved |
// | 0x5367 | `ReachabilityTiming` | 0-3 Send Timeout in milliseconds |
// | 0x5368 | `PayloadReport` | 0-15 and 16-31 locators, 32-35 age in milliseconds |
//
// Version 0.1.0 used other numbers, without a discriminator, and drops messages in which these have another length. So they
// are not used again:
//
// | number | option | what becomes of it |
// |---|---|---|
// | 0x4000 | forms of payload, length 4 | only the two values that 0.1.0 sends are taken, since payload depends on them |
// | 0x5364 | Send Timeout in milliseconds, length 4 | skipped: the peer's whole seconds hold |
// | 0x5365 | payload that came in, length 36 | skipped |

extension OptionType {
    /// What the contents of our experimental options begin with.
    public static let discriminator: [UInt8] = [0x73, 0x68, 0x69, 0x9d]

    /// Whether contents are those of this option, as far as its number alone does not tell.
    func admits(_ contents: ArraySlice<UInt8>) -> Bool {
        func isOurs(length: Int) -> Bool {
            contents.count == Self.discriminator.count + length && contents.starts(with: Self.discriminator)
        }
        return switch self {
        case .payloadForms: isOurs(length: 4)
        case .reachabilityTiming: isOurs(length: 4)
        case .payloadReport: isOurs(length: 36)
        case .earlierPayloadForms: contents.elementsEqual([0, 2, 0, 0]) || contents.elementsEqual([0, 3, 0, 0])
        case .responderValidator, .locatorList, .locatorPreferences, .cgaParameters, .cgaSignature, .ulidPair,
            .forkedInstance, .keepaliveTimeout:
            true
        }
    }
}

extension OptionView {
    /// The contents of an experimental option behind its discriminator.
    var ownContents: ArraySlice<UInt8> { contents.dropFirst(OptionType.discriminator.count) }
}

extension MessageWriter {
    /// Appends an experimental option: its discriminator, and what `contents` writes.
    mutating func experimental(_ type: OptionType, contents: (inout MessageWriter) -> Void) {
        option(type) { writer in
            writer.append(contentsOf: OptionType.discriminator)
            contents(&writer)
        }
    }
}

// The options of this implementation. `ExperimentalNumber` has their numbers and what is in them.

extension OptionType {
    /// What the contents of our experimental options begin with, since anybody may use their numbers.
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

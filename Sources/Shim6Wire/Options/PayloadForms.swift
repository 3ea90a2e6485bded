/// The forms of rehomed payload that a host accepts: contents of the Payload Forms option.
///
/// The option is an experimental one: hosts that do not know it skip it. Octets 0-1 behind the discriminator are flags,
/// those of unknown forms are ignored; 2-3 are reserved, zero. A host without the option accepts what RFC 5533 says: the
/// payload extension header.
public struct PayloadForms: OptionSet, Hashable, Sendable {
    public let rawValue: UInt16

    public init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    /// The payload extension header with the context tag (RFC 5533, section 5.1).
    public static let payloadHeader = PayloadForms(rawValue: 1 << 0)
    /// A type 2 routing header and a Home Address option with the ULIDs (RFC 6275, sections 6.3 and 6.4).
    public static let homeAddress = PayloadForms(rawValue: 1 << 1)

    /// Those that have a name here.
    public static let known: PayloadForms = [.payloadHeader, .homeAddress]
}

extension PayloadForms {
    /// `contents` are 4 octets.
    init(_ contents: ArraySlice<UInt8>) {
        self = PayloadForms(rawValue: contents.bigEndian(UInt16.self, at: 0)).intersection(.known)
    }
}

extension MessageWriter {
    mutating func append(_ forms: PayloadForms) {
        func write(_ writer: inout MessageWriter) {
            writer.append(forms.rawValue)
            writer.append(zeros: 2)
        }
        experimental(.payloadForms, contents: write)
        // A peer of version 0.1.0 would send what this host cannot take.
        if !forms.contains(.payloadHeader) { option(.earlierPayloadForms, contents: write) }
    }
}

/// A number on the wire that no RFC gives its meaning: it comes from a range for experiments, which anybody may use.
///
/// `all` is the only list of them. A new one is entered here before it is sent; `docs/wire.md` has the same list.
public struct ExperimentalNumber: Sendable, Hashable {
    /// What is numbered.
    public enum Kind: String, Sendable, CaseIterable {
        case message = "message"
        case option = "option"
        case payloadForm = "flag of Payload Forms"
        case nextHeader = "next header"

        /// The numbers that are for experiments.
        public var ranges: [ClosedRange<UInt16>] {
            switch self {
            case .message: [60...63, 124...127]
            case .option: [16384...32767]
            case .payloadForm: [0...15]
            case .nextHeader: [253...254]
            }
        }

        /// What says so.
        public var source: String {
            switch self {
            case .message, .option: "RFC 5533, section 17"
            case .payloadForm: "our option"
            case .nextHeader: "RFC 3692, section 2.1"
            }
        }
    }

    public enum Use: String, Sendable {
        case current = "in use"
        /// Only between this host and one of version 0.1.0.
        case earlier = "with version 0.1.0"
        /// Version 0.1.0 sends it, and drops messages in which it has another length: it is not used again.
        case retired = "skipped"
        /// It never leaves the host.
        case inside = "inside the host"
    }

    public var kind: Kind
    /// The number of a flag is that of its bit.
    public var number: UInt16
    public var use: Use
    /// Whether the contents begin with `OptionType.discriminator`. What has the number and not the discriminator or the
    /// length is somebody else's, and treated as unknown.
    public var isDiscriminated: Bool
    /// What it is, with what its contents are behind the discriminator.
    public var meaning: String

    /// All options are sent with C = 0: who does not know them skips them. There is no message.
    public static let all = [
        option(.payloadForms, "Payload Forms: 0-1 flags, 2-3 reserved"),
        option(.reachabilityTiming, "Reachability Timing: 0-3 Send Timeout in milliseconds"),
        option(.payloadReport, "Payload Report: 0-15 and 16-31 locators, 32-35 age in milliseconds"),
        ExperimentalNumber(
            kind: .option, number: OptionType.earlierPayloadForms.rawValue, use: .earlier, isDiscriminated: false,
            meaning: "forms of payload, length 4: only the two values that it sends, since payload depends on them"),
        ExperimentalNumber(
            kind: .option, number: 0x5364, use: .retired, isDiscriminated: false,
            meaning: "Send Timeout in milliseconds, length 4: the whole seconds hold"),
        ExperimentalNumber(
            kind: .option, number: 0x5365, use: .retired, isDiscriminated: false,
            meaning: "payload that came in, length 36"),
        form(.payloadHeader, "payload extension header (RFC 5533, section 5.1)"),
        form(.homeAddress, "type 2 routing header and Home Address option (RFC 6275, sections 6.3 and 6.4)"),
        ExperimentalNumber(
            kind: .nextHeader, number: UInt16(NextHeader.experimental), use: .inside, isDiscriminated: false,
            meaning: "stands in a Packet Too Big from this host to itself, which makes the kernel lower an MTU"),
    ]

    private static func option(_ type: OptionType, _ meaning: String) -> ExperimentalNumber {
        ExperimentalNumber(kind: .option, number: type.rawValue, use: .current, isDiscriminated: true, meaning: meaning)
    }

    private static func form(_ form: PayloadForms, _ meaning: String) -> ExperimentalNumber {
        ExperimentalNumber(
            kind: .payloadForm, number: UInt16(form.rawValue.trailingZeroBitCount), use: .current,
            isDiscriminated: false, meaning: meaning)
    }
}

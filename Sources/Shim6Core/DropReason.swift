import CGA
import Shim6Wire

/// Why something that came in had no effect. Every "silently discard" of the RFCs is one of these, and is counted.
public enum DropReason: Error, Hashable, Sendable {
    /// The octets are no message (RFC 5533, sections 5 and 12.3).
    case parse(ParseError.Reason)
    /// The peer's parameters, key or signature were refused (RFC 5533, section 7.2).
    case proof(CGAError)

    // Lookup.
    /// No context has this Receiver Context Tag.
    case unknownTag
    /// Payload with a tag that no context has, reported by the data path.
    case unknownPayloadTag
    /// The tag is right but the packet's addresses are no locators of the context.
    case locatorsOutsideSets
    /// An R1 or R2 that answers no I1, I2 or I2bis of ours.
    case unmatchedNonce
    /// An R1bis about a tag that no context sends with, or from or to addresses that are no locators of it.
    case unmatchedR1bis
    /// An R1bis about a context whose tag comes in with other packets all the time.
    case doubtfulR1bis
    /// An R1bis or Error was due, but its receiver's network has had enough of them.
    case answerRate
    /// The context's state has no use for this message.
    case unexpectedInState
    /// An Error that quotes nothing of ours.
    case unmatchedError
    /// The packet's source, the peer's ULID or a locator of its list is an address of this host.
    case ownAddress
    /// The peer's tag is one that this host has given out itself.
    case ownTag
    /// The Initiator Nonce of the peer is that of an exchange which this host has begun with it.
    case ownNonce

    // Establishment.
    /// The Receiver ULID is no address of this host.
    case ulidNotLocal
    /// A ULID that cannot be one: multicast, link-local, loopback, unspecified, or the same on both sides.
    case ulidNotUsable
    /// The peer's validator leaves no room for an I2 of at most 1280 octets.
    case validatorTooLong
    /// The Responder Nonce is none that this host has given out of late.
    case staleResponderNonce
    /// The Responder Validator is not one that this host has made for these addresses.
    case badValidator
    /// An I2 or I2bis that a newer one has already replaced.
    case supersededIntroduction
    /// There are as many contexts as there may be.
    case contextTableFull
    /// The peer's /64 has as many contexts as it may have.
    case tooManyContextsOfPeer
    /// The peer's /48 has as many contexts as it may have.
    case tooManyContextsOfSite
    /// More proofs of peers to verify than the limit for one second.
    case verificationRate

    // Verification of the peer's locators (RFC 5533, section 7.2).
    /// A Locator List without a CGA Parameter Data Structure, now or earlier.
    case parametersMissing
    /// A list with CGA locators but without CGA Signature.
    case signatureMissing
    /// A verification method that this host does not know.
    case unsupportedMethod
    /// The list has no locator that could ever be used.
    case noUsableLocator
    /// The packet's source is neither the ULID nor a verified locator.
    case sourceNotALocator

    // Updates.
    /// CT(peer) is not known yet, so nothing can be acknowledged.
    case peerTagUnknown
    /// Locator Preferences for another Locator List than the latest.
    case generationOutOfSync
    /// Locator Preferences that are more or fewer than the locators of the list.
    case wrongNumberOfLocators
    /// An Update Request that a newer one has already replaced.
    case supersededUpdate
    /// An Update Acknowledgement of no Update Request that is outstanding.
    case unmatchedAcknowledgement

    /// A Parameter Problem that quotes no I1 that is outstanding.
    case unmatchedParameterProblem
}

extension DropReason {
    /// Its name in reports. Programs read it: it stays when a case is renamed.
    public var name: String {
        switch self {
        case .parse(let reason): reason.rawValue
        case .proof(let error): Self.name(of: error)
        case .unknownTag: "unknown_tag"
        case .unknownPayloadTag: "unknown_payload_tag"
        case .locatorsOutsideSets: "locators_outside_sets"
        case .unmatchedNonce: "unmatched_nonce"
        case .unmatchedR1bis: "unmatched_r1bis"
        case .doubtfulR1bis: "doubtful_r1bis"
        case .answerRate: "answer_rate"
        case .unexpectedInState: "unexpected_in_state"
        case .unmatchedError: "unmatched_error"
        case .ownAddress: "own_address"
        case .ownTag: "own_tag"
        case .ownNonce: "own_nonce"
        case .ulidNotLocal: "ulid_not_local"
        case .ulidNotUsable: "ulid_not_usable"
        case .validatorTooLong: "validator_too_long"
        case .staleResponderNonce: "stale_responder_nonce"
        case .badValidator: "bad_validator"
        case .supersededIntroduction: "superseded_introduction"
        case .contextTableFull: "context_table_full"
        case .tooManyContextsOfPeer: "too_many_contexts_of_peer"
        case .tooManyContextsOfSite: "too_many_contexts_of_site"
        case .verificationRate: "verification_rate"
        case .parametersMissing: "parameters_missing"
        case .signatureMissing: "signature_missing"
        case .unsupportedMethod: "unsupported_method"
        case .noUsableLocator: "no_usable_locator"
        case .sourceNotALocator: "source_not_a_locator"
        case .peerTagUnknown: "peer_tag_unknown"
        case .generationOutOfSync: "generation_out_of_sync"
        case .wrongNumberOfLocators: "wrong_number_of_locators"
        case .supersededUpdate: "superseded_update"
        case .unmatchedAcknowledgement: "unmatched_acknowledgement"
        case .unmatchedParameterProblem: "unmatched_parameter_problem"
        }
    }

    private static func name(of error: CGAError) -> String {
        switch error {
        case .truncatedParameters: "truncated_parameters"
        case .malformedPublicKey: "malformed_public_key"
        case .malformedExtension: "malformed_extension"
        case .collisionCount: "collision_count"
        case .subnetPrefix: "subnet_prefix"
        case .hash1: "hash1"
        case .unassignedSec: "unassigned_sec"
        case .hash2: "hash2"
        case .methodContradictsParameters: "method_contradicts_parameters"
        case .notRSA: "not_r_s_a"
        case .keyTooShort: "key_too_short"
        case .keyTooLong: "key_too_long"
        case .unusableKey: "unusable_key"
        case .signatureLength: "signature_length"
        case .signature: "signature"
        case .keyMismatch: "key_mismatch"
        case .cryptography: "cryptography"
        }
    }
}

extension DropReason: CaseIterable {
    public static let allCases: [DropReason] =
        ParseError.Reason.allCases.map { .parse($0) } + CGAError.allCases.map { .proof($0) } + [
            .unknownTag, .unknownPayloadTag, .locatorsOutsideSets, .unmatchedNonce, .unmatchedR1bis, .doubtfulR1bis,
            .answerRate, .unexpectedInState, .unmatchedError, .ownAddress, .ownTag, .ownNonce, .ulidNotLocal,
            .ulidNotUsable,
            .validatorTooLong, .staleResponderNonce, .badValidator, .supersededIntroduction, .contextTableFull,
            .tooManyContextsOfPeer, .tooManyContextsOfSite, .verificationRate, .parametersMissing, .signatureMissing,
            .unsupportedMethod, .noUsableLocator, .sourceNotALocator, .peerTagUnknown, .generationOutOfSync,
            .wrongNumberOfLocators, .supersededUpdate, .unmatchedAcknowledgement, .unmatchedParameterProblem,
        ]
}

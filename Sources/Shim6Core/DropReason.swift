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
    case staleResponderNonce
    case badValidator
    /// An I2 or I2bis that a newer one has already replaced.
    case supersededIntroduction
    case contextTableFull
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
    case unmatchedAcknowledgement

    /// A Parameter Problem that quotes no I1 that is outstanding.
    case unmatchedParameterProblem

    /// A stable name for counters.
    public var name: String {
        switch self {
        case .parse(let reason): "\(reason)"
        case .proof(let error): "\(error)"
        default: "\(self)"
        }
    }
}

import REAP
import Shim6Wire

/// What a peer has told, all of it verified (RFC 5533, section 6.1).
struct Peer {
    /// CT(peer).
    var tag: ContextTag
    /// Ls(peer): just the ULID if it sent no list.
    var locators: [VerifiedLocator]
    /// Their addresses to use, best first.
    var candidates: [IPv6Address]
    /// Of the latest list; nil if it sent none.
    var generation: UInt32?
    /// The PDS, for Update Requests without one.
    var parameters: [UInt8]?
    /// The peer's Send Timeout in seconds, which is our Keepalive Timeout.
    var keepaliveTimeout: UInt16?
    /// The forms of rehomed payload that it accepts.
    var forms = PayloadForms.payloadHeader
    /// The same to the millisecond; it holds if we announce ours so too.
    var timing: ReachabilityTiming?
    /// The list as received, to know a repetition without verifying it again.
    var list: LocatorList?
    /// Request Nonces of the latest Update Requests, newest last. A late duplicate of an older one must not undo a
    /// newer one.
    var requestNonces: [UInt32] = []

    private static let rememberedRequests = 8

    func hasLocator(_ address: IPv6Address) -> Bool { locators.contains { $0.address == address } }

    mutating func remember(requestNonce: UInt32) {
        requestNonces = (requestNonces + [requestNonce]).suffix(Self.rememberedRequests)
    }

    /// Takes over what needs no proof.
    mutating func take(_ options: LocatorOptions) {
        if let timeout = options.keepaliveTimeout {  // 5534-5.3-05
            keepaliveTimeout = timeout
            timing = options.reachabilityTiming
        }
        if let timing = options.reachabilityTiming { self.timing = timing }
        if let forms = options.payloadForms { self.forms = forms }
    }

    /// Takes over a list that was verified, with the locators that it proves to be of use.
    mutating func take(_ proof: Proof, _ locators: [VerifiedLocator]) {
        self.locators = locators
        candidates = locators.map(\.address)
        parameters = proof.parameters
        list = proof.list
        generation = proof.list.generation
    }

    /// Takes Locator Preferences over; they replace all earlier ones (RFC 5533, sections 5.15.3 and 10.4).
    mutating func take(_ preferences: LocatorPreferences?, random: inout RandomSource) throws(DropReason) {
        guard let preferences else { return }
        guard let list, preferences.generation == generation else { throw .generationOutOfSync }
        guard preferences.elements.count == list.locators.count else { throw .wrongNumberOfLocators }
        for (entry, element) in zip(list.locators, preferences.elements) {
            guard let index = locators.firstIndex(where: { $0.address == entry.locator }) else { continue }
            locators[index].preference = element
        }
        candidates = locators.ranked(random: &random)
    }
}

import Locators
import REAP
import Shim6Wire

// What a peer says about itself, verified (RFC 5533, section 7.2).
extension Host {
    /// A peer that introduces itself in I2 or R2. What was verified for this ULID before, `known`, is not verified again.
    func verifiedPeer(
        tag: ContextTag, _ options: LocatorOptions, of ulids: ULIDPair, known: Peer? = nil
    ) throws(DropReason) -> Peer {
        guard known?.tag == tag || table.sending(tag).count < configuration.maximumContextsPerPeerTag else {
            throw .tooManyContextsOfPeer
        }
        var peer = Peer(
            tag: tag, locators: [VerifiedLocator(address: ulids.peer, method: nil)], candidates: [ulids.peer])
        if known?.tag == tag { peer.requestNonces = known?.requestNonces ?? [] }
        if let known, let list = options.locatorList, known.list == list, known.parameters == options.cgaParameters {
            peer.locators = known.locators.map { VerifiedLocator(address: $0.address, method: $0.method) }
            peer.candidates = peer.locators.map(\.address)
            peer.list = known.list
            peer.generation = known.generation
            peer.parameters = known.parameters
        }
        try take(options, into: &peer, of: ulids)
        do throws(DropReason) {
            try takePreferences(options, into: &peer)
        } catch {
            // Preferences for another list are no reason to do without a context.
            count(error)
        }
        return peer
    }

    /// Takes a Locator List and the rest over into what is known of the peer. In I2 and R2 a list needs the PDS beside
    /// it; an Update Request may rely on the one sent earlier.
    func take(_ options: LocatorOptions, into peer: inout Peer, of ulids: ULIDPair) throws(DropReason) {
        if let timeout = options.keepaliveTimeout {  // 5534-5.3-05
            peer.keepaliveTimeout = timeout
            peer.timing = options.reachabilityTiming
        }
        if let timing = options.reachabilityTiming { peer.timing = timing }
        if let forms = options.payloadForms { peer.forms = forms }
        let parameters = options.cgaParameters ?? peer.parameters
        guard let list = options.locatorList else {
            if let parameters, parameters != peer.parameters {
                try takeFromBudget()
                try verifier.verify(parameters: parameters, of: ulids.peer)
                peer.parameters = parameters
            }
            return
        }
        guard list != peer.list || parameters != peer.parameters else { return }
        guard let parameters else { throw .parametersMissing }
        peer.locators = try provenLocators(
            Proof(ulid: ulids.peer, list: list, parameters: parameters, signature: options.cgaSignature))
        peer.parameters = parameters
        peer.list = list
        peer.generation = list.generation
        peer.candidates = peer.locators.map(\.address)
    }

    /// The locators of a list which may be used, as far as this host wants to know them.
    private func provenLocators(_ proof: Proof) throws(DropReason) -> [VerifiedLocator] {
        if let known = proofs.value(for: proof) {
            tally.knownProofs &+= 1
            return known
        }
        guard proof.list.locators.contains(where: { $0.locator.canBeLocator }) else { throw .noUsableLocator }
        try takeFromBudget()
        try verifier.verify(proof.list, parameters: proof.parameters, signature: proof.signature, of: proof.ulid)
        var locators: [VerifiedLocator] = []
        for entry in proof.list.locators where locators.count < configuration.maximumLocators {
            guard entry.locator.canBeLocator, !locators.contains(where: { $0.address == entry.locator }) else {
                continue
            }
            locators.append(VerifiedLocator(address: entry.locator, method: VerificationMethod(rawValue: entry.method)))
        }
        proofs.insert(locators, for: proof)
        return locators
    }

    /// Takes Locator Preferences over; they replace all earlier ones (RFC 5533, sections 5.15.3 and 10.4).
    func takePreferences(_ options: LocatorOptions, into peer: inout Peer) throws(DropReason) {
        guard let preferences = options.locatorPreferences else { return }
        guard let list = peer.list, preferences.generation == peer.generation else { throw .generationOutOfSync }
        guard preferences.elements.count == list.locators.count else { throw .wrongNumberOfLocators }
        for (entry, element) in zip(list.locators, preferences.elements) {
            guard let index = peer.locators.firstIndex(where: { $0.address == entry.locator }) else { continue }
            peer.locators[index].preference = element
        }
        peer.candidates = peer.locators.ranked(random: &random)
    }

    private func takeFromBudget() throws(DropReason) {
        guard budget.take(at: now) else { throw .verificationRate }
        tally.verifications &+= 1
    }

    /// Puts newly verified data of the peer into an established context.
    func replace(_ peer: Peer, of context: Context) {
        guard let data = context.established else { return }
        let old = data.peer
        table.change(context) { data.replace(peer) }
        removeConfused(with: context)
        install(context)
        if peer.keepaliveTimeout != old.keepaliveTimeout || peer.timing != old.timing {
            reachability(context, .configured(reapConfiguration(for: peer)))
        }
        if peer.locators != old.locators {
            publish(.peerLocators(peer.locators), context)
            locatorsChanged(context)
        }
    }
}

import Locators
import REAP
import Shim6Wire

/// For whom a proof is looked at, and where its message came from.
enum Asker {
    /// A peer that begins something.
    case peer(IPv6Address)
    /// One that answers this host.
    case answer(IPv6Address)
}

// What a peer says about itself, verified (RFC 5533, section 7.2).
extension Host {
    /// A peer that introduces itself in I2 or R2 from `asker`. What was verified for this ULID before, `known`, is not
    /// verified again.
    func verifiedPeer(
        tag: ContextTag, _ options: LocatorOptions, of ulids: ULIDPair, known: Peer? = nil, _ asker: Asker
    ) throws(DropReason) -> Peer {
        guard table[tag] == nil else { throw .ownTag }
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
        try take(options, into: &peer, of: ulids, asker)
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
    func take(
        _ options: LocatorOptions, into peer: inout Peer, of ulids: ULIDPair, _ asker: Asker
    ) throws(DropReason) {
        if let timeout = options.keepaliveTimeout {  // 5534-5.3-05
            peer.keepaliveTimeout = timeout
            peer.timing = options.reachabilityTiming
        }
        if let timing = options.reachabilityTiming { peer.timing = timing }
        if let forms = options.payloadForms { peer.forms = forms }
        let parameters = options.cgaParameters ?? peer.parameters
        guard let list = options.locatorList else {
            if let parameters, parameters != peer.parameters {
                // No list is empty that is looked at.
                let proof = Proof(
                    ulid: ulids.peer, list: LocatorList(generation: 0, locators: []), parameters: parameters,
                    signature: nil)
                try verify(proof, asker) { () throws(DropReason) in
                    try verifier.verify(parameters: parameters, of: ulids.peer)
                }
                peer.parameters = parameters
            }
            return
        }
        guard list != peer.list || parameters != peer.parameters else { return }
        guard let parameters else { throw .parametersMissing }
        peer.locators = try provenLocators(
            Proof(ulid: ulids.peer, list: list, parameters: parameters, signature: options.cgaSignature), asker)
        peer.parameters = parameters
        peer.list = list
        peer.generation = list.generation
        peer.candidates = peer.locators.map(\.address)
        if peer.candidates.contains(where: lists.contains) { count(.ownAddress) }
    }

    /// The locators of a list which may be used, as far as this host wants to know them.
    private func provenLocators(_ proof: Proof, _ asker: Asker) throws(DropReason) -> [VerifiedLocator] {
        if let known = proofs.value(for: proof) {
            tally.knownProofs &+= 1
            return known
        }
        guard proof.list.locators.contains(where: { $0.locator.canBeLocator && !lists.contains($0.locator) }) else {
            throw .noUsableLocator
        }
        try verify(proof, asker) { () throws(DropReason) in
            try verifier.verify(proof.list, parameters: proof.parameters, signature: proof.signature, of: proof.ulid)
        }
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

    /// Looks at a proof, unless it is known to be none or the asker's network has had its share.
    private func verify(
        _ proof: Proof, _ asker: Asker, _ look: () throws(DropReason) -> Void
    ) throws(DropReason) {
        if let known = refusals.value(for: proof) {
            tally.knownRefusals &+= 1
            faultyEntry = known.entry
            throw known.reason
        }
        let isGranted =
            switch asker {
            case .peer(let source): budget.take(for: source, at: now)
            case .answer(let source): ownBudget.take(for: source, at: now)
            }
        guard isGranted else { throw .verificationRate }
        tally.verifications &+= 1
        do throws(DropReason) {
            try look()
        } catch {
            faultyEntry = verifier.faultyEntry(of: proof.list, parameters: proof.parameters, ulid: proof.ulid)
            // What failed for a reason of this host may be right the next time.
            if error != .proof(.cryptography) {
                refusals.insert(Refutation(reason: error, entry: faultyEntry), for: proof)
            }
            throw error
        }
    }

    /// What payload and Probes may be sent to, best first: an address of this host leads nowhere.
    func destinations(of peer: Peer) -> [IPv6Address] {
        guard peer.candidates.contains(where: lists.contains) else { return peer.candidates }
        return peer.candidates.filter { !lists.contains($0) }
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

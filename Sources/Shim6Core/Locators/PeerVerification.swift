import CGA
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

/// Verifies what peers say about themselves (RFC 5533, section 7.2), and remembers what was verified and what was
/// refused.
final class PeerVerification {
    private var verifier: any LocatorVerifier
    /// Verifications that peers have begun.
    private var budget: VerificationBudget
    /// Those of exchanges that this host began: peers cannot use them up.
    private var ownBudget: VerificationBudget
    /// Proofs that were verified, with the locators that they prove to be of use.
    private var proofs: RecentlyUsed<Proof, [VerifiedLocator]>
    /// Proofs that were refused, and why.
    private var refusals: RecentlyUsed<Proof, Refusal>

    init(_ configuration: HostConfiguration, _ verifier: any LocatorVerifier) {
        self.verifier = verifier
        proofs = RecentlyUsed(capacity: configuration.maximumProofs)
        refusals = RecentlyUsed(capacity: configuration.maximumRefusals)
        budget = VerificationBudget(perSecond: configuration.maximumVerificationsPerSecond)
        ownBudget = budget
    }

    /// Puts in how full the tables are.
    func fill(_ counters: inout HostCounters) {
        counters.proofs = HostCounters.TableUse(proofs)
        counters.refusals = HostCounters.TableUse(refusals)
        counters.keys = verifier.keys
    }

    /// A peer that introduces itself in I2 or R2 from `asker`. What was verified for this ULID before, `known`, is not
    /// verified again.
    func peer(
        _ tag: ContextTag, _ options: LocatorOptions, of ulids: ULIDPair, known: Peer?, _ asker: Asker,
        _ turn: inout Turn
    ) throws(Refusal) -> Peer {
        var peer = Peer(tag: tag, locators: [], candidates: [])
        if known?.tag == tag { peer.requestNonces = known?.requestNonces ?? [] }
        if let known, let list = options.locatorList, known.list == list, known.parameters == options.cgaParameters {
            peer.locators = known.locators.map { VerifiedLocator(address: $0.address, method: $0.method) }
            peer.candidates = peer.locators.map(\.address)
            peer.list = known.list
            peer.generation = known.generation
            peer.parameters = known.parameters
        }
        try take(options, into: &peer, of: ulids, asker, turn)
        if peer.list == nil {
            peer.locators = [VerifiedLocator(address: ulids.peer, method: nil)]
            peer.candidates = [ulids.peer]
        }
        do throws(DropReason) {
            try peer.take(options.locatorPreferences, random: &turn.random)
        } catch {
            // Preferences for another list are no reason to do without a context.
            turn.count(error)
        }
        return peer
    }

    /// A peer after an Update Request, which may rely on the PDS sent earlier (section 10.4).
    func updated(
        _ known: Peer, _ request: UpdateRequest, of ulids: ULIDPair, _ asker: Asker, _ turn: inout Turn
    ) throws(Refusal) -> Peer {
        var peer = known
        try take(request.options, into: &peer, of: ulids, asker, turn)
        do throws(DropReason) {
            try peer.take(request.options.locatorPreferences, random: &turn.random)
        } catch {
            throw Refusal(error)
        }
        peer.remember(requestNonce: request.requestNonce)
        return peer
    }

    /// Takes a Locator List and the rest over into what is known of the peer. In I2 and R2 a list needs the PDS beside
    /// it.
    private func take(
        _ options: LocatorOptions, into peer: inout Peer, of ulids: ULIDPair, _ asker: Asker, _ turn: Turn
    ) throws(Refusal) {
        peer.take(options)
        let parameters = options.cgaParameters ?? peer.parameters
        guard let list = options.locatorList else {
            if let parameters, parameters != peer.parameters {
                // No list is empty that is looked at.
                let none = LocatorList(generation: 0, locators: [])
                try verify(
                    Proof(ulid: ulids.peer, list: none, parameters: parameters, signature: nil), asker, turn)
                peer.parameters = parameters
            }
            return
        }
        guard list != peer.list || parameters != peer.parameters else { return }
        guard let parameters else { throw Refusal(.parametersMissing) }
        let proof = Proof(
            ulid: ulids.peer, list: list, parameters: parameters, signature: options.cgaSignature)
        // 5533-7.2-02, 5533-7.2-03
        peer.take(proof, try provenLocators(proof, asker, turn))
        if peer.candidates.contains(where: turn.host.lists.contains) { turn.count(.ownAddress) }
    }

    /// The locators of a list which may be used, as far as this host wants to know them.
    private func provenLocators(
        _ proof: Proof, _ asker: Asker, _ turn: Turn
    ) throws(Refusal) -> [VerifiedLocator] {
        let host = turn.host
        if let known = proofs.value(for: proof) {
            host.tally.knownProofs &+= 1
            return known
        }
        guard proof.list.locators.contains(where: { $0.locator.canBeLocator && !host.lists.contains($0.locator) })
        else { throw Refusal(.noUsableLocator) }
        try verify(proof, asker, turn)
        var locators: [VerifiedLocator] = []
        for entry in proof.list.locators where locators.count < host.configuration.maximumLocators {
            guard entry.locator.canBeLocator, !locators.contains(where: { $0.address == entry.locator }) else {
                continue
            }
            locators.append(VerifiedLocator(address: entry.locator, method: VerificationMethod(rawValue: entry.method)))
        }
        proofs.insert(locators, for: proof)
        return locators
    }

    /// Looks at a proof, unless it is known to be none or the asker's network has had its share.
    private func verify(_ proof: Proof, _ asker: Asker, _ turn: Turn) throws(Refusal) {
        if let known = refusals.value(for: proof) {
            turn.host.tally.knownRefusals &+= 1
            throw known
        }
        let isGranted =
            switch asker {
            case .peer(let source): budget.take(for: source, at: turn.now)
            case .answer(let source): ownBudget.take(for: source, at: turn.now)
            }
        guard isGranted else { throw Refusal(.verificationRate) }
        turn.host.tally.verifications &+= 1
        // 5533-7.13-08, 5533-7.16-06, 5533-7.20-06, 5533-10.4-05
        do throws(DropReason) {
            if proof.list.locators.isEmpty {
                try verifier.verify(parameters: proof.parameters, of: proof.ulid)
            } else {
                try verifier.verify(
                    proof.list, parameters: proof.parameters, signature: proof.signature, of: proof.ulid)
            }
        } catch {
            let entry = verifier.faultyEntry(of: proof.list, parameters: proof.parameters, ulid: proof.ulid)
            let refusal = Refusal(error, faultyEntry: entry)
            // What failed for a reason of this host may be right the next time.
            if error != .proof(.cryptography) { refusals.insert(refusal, for: proof) }
            throw refusal
        }
    }
}

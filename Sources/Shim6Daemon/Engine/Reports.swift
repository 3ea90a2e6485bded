import Configuration
import DataPath
import Glibc
import KernelRows
import Netlink
import REAP
import Shim6Control
import Shim6Core
import Shim6Wire

/// The state of the daemon in the form of the control protocol.
struct Reports {
    let configuration: Configuration
    let started: Instant
    let host: Endpoint
    let dataPath: any DataPath
    let uplinks: Uplinks
    let rows: OwnRows
    let identities: Identities
    let timeline: Timeline
    let counters: EngineCounters
    /// What an operator should know.
    let warnings: [String]

    // MARK: Contexts

    func summary(_ context: ContextOutline) -> ContextSummary {
        let incoming = context.incoming
        return ContextSummary(
            tag: context.localTag, state: context.state.rawValue, reachability: context.reachability?.rawValue,
            ulids: context.ulids, outgoing: context.outgoing, lastIncoming: incoming,
            rehomed: Rehoming(
                outgoing: context.isRehomed,
                incoming: incoming.map { $0.destination != context.ulids.local || $0.source != context.ulids.peer }
                    ?? false))
    }

    func detail(of context: ContextSnapshot) -> ContextDetail {
        var local = context.localLocators.map { locator in
            ContextLocator(
                address: locator.address, method: locator.method?.name, verified: locator.method != nil,
                state: !locator.available
                    ? .withdrawn : context.outgoing?.source == locator.address ? .preferred : .usable,
                ulid: locator.address == context.ulids.local)
        }
        var peer = context.peerLocators.map { locator in
            ContextLocator(
                address: locator.address, method: locator.method?.name,
                verified: locator.method != nil && configuration.peers.verify,
                state: context.outgoing?.destination == locator.address ? .preferred : .usable,
                ulid: locator.address == context.ulids.peer)
        }
        local.addWithdrawn(ulid: context.ulids.local)
        peer.addWithdrawn(ulid: context.ulids.peer)
        let isEstablished = context.state == .established
        let keepalive = context.keepaliveTimeout
        return ContextDetail(
            summary: summary(context.outline), peerTag: context.peerTag, forkedInstance: context.forkedInstance,
            flows: context.flows.map(FlowSelector.init),
            localLocators: LocatorSet(generation: context.localGeneration, locators: local),
            peerLocators: LocatorSet(generation: context.peerGeneration, locators: peer),
            timeouts: isEstablished
                ? ReachabilityTimeouts(
                    send: context.sendTimeout.inSeconds, keepalive: keepalive.inSeconds,
                    keepaliveInterval: (keepalive / REAPConfiguration.keepalivesInTimeout).inSeconds) : nil,
            counters: ContextCounts(
                messagesIn: context.counters.messagesIn, messagesOut: context.counters.messagesOut,
                explorations: context.counters.explorations, switches: context.counters.switches,
                updatesSent: context.counters.updatesSent, updatesReceived: context.counters.updatesReceived),
            updatePending: context.updatePending,
            obstacle: dataPath.traits.obstacle ?? uplinks.obstacle
                ?? context.unsuitableForms.map(PayloadForms.obstacle),
            now: Moment(.monotonicNow),
            created: Moment(context.createdAt), established: context.establishedAt.map(Moment.init),
            lastIn: context.lastIn.map(Moment.init), lastOut: context.lastOut.map(Moment.init),
            lastSwitch: context.lastSwitch.map(Moment.init))
    }

    func explanation(of context: ContextSnapshot) -> Explanation {
        let now = Instant.monotonicNow
        func ago(_ time: Instant?) -> Double? { time.map { (now - $0).inSeconds } }
        let pairs = host.candidates(of: context.localTag).map { candidate in
            let locator = context.peerLocators.first { $0.address == candidate.pair.destination }
            return Explanation.Pair(
                source: candidate.pair.source, destination: candidate.pair.destination,
                inUse: candidate.pair == context.outgoing,
                verified: locator?.method != nil || candidate.pair.destination == context.ulids.peer,
                method: locator?.method?.name, confirmedAgo: ago(candidate.evidence.confirmed),
                arrivedAgo: ago(candidate.evidence.arrived))
        }
        let timers = context.timers.map { timer, deadline in
            Explanation.ArmedTimer(name: timer.name, secondsLeft: (deadline - now).inSeconds)
        }
        return Explanation(
            tag: context.localTag, outgoing: context.outgoing,
            reason: context.lastSwitchReason.map(Explanation.Reason.init) ?? .ulids,
            reachability: context.reachability?.rawValue,
            pairs: pairs, timers: timers.sorted { $0.secondsLeft < $1.secondsLeft },
            roundTrip: context.roundTrip?.inSeconds, obstacle: uplinks.obstacle, now: Moment(now))
    }

    // MARK: Locators

    func locatorStatus(_ use: AddressUse) -> [LocatorStatus] {
        let offered = Set(uplinks.localLocators.map(\.address))
        return uplinks.uplinks.enumerated().flatMap { index, uplink in
            let source = uplinks.newSessions(by: uplink)
            let missing = uplinks.missingAddresses(on: index).map { Uplink.Address(row: $0, isVerifiable: true) }
            return (uplink.addresses + missing).map { address in
                let locator = address.row.address
                return LocatorStatus(
                    address: locator, prefixLength: Int(address.row.prefixLength),
                    interface: uplink.configuration.interface, method: address.isVerifiable ? method(of: locator) : nil,
                    securityParameter: address.isVerifiable ? Int(locator.low >> 61) : nil,
                    state: state(of: address, on: uplink, isOffered: offered.contains(locator)),
                    standing: uplinks.addresses.standing(of: locator).flatMap { .init(rawValue: $0.rawValue) },
                    newSessions: source.map { $0 == locator }, dns: belongsIntoDNS(address, of: uplink),
                    ulidOf: use.ulidOf[locator] ?? 0, sourceOf: use.sourceOf[locator] ?? 0)
            }
        }
    }

    /// As a ULID, with itself as locator.
    private func method(of address: IPv6Address) -> String {
        (identities.isInSet(address, of: address) ? VerificationMethod.hba : .cga).name
    }

    // MARK: Identity

    func identityReport(_ use: AddressUse) -> IdentityReport {
        IdentityReport(
            keyFile: identities.configuration.privateKey ?? identities.configuration.key, keyBits: identities.key.bits,
            broughtAlong: !identities.makesAddresses, making: identities.isMaking,
            addresses: identities.addresses.map { address in
                let uplink = uplinks.uplinks.first { $0.addresses.contains { $0.row.address == address } }
                return IdentityReport.Address(
                    address: address, method: method(of: address), securityParameter: Int(address.low >> 61),
                    collisionCount: Int(identities.proof(of: address)?.collisionCount ?? 0),
                    interface: uplink?.configuration.interface, old: identities.retired.contains(address),
                    ulidOf: use.ulidOf[address] ?? 0)
            },
            exhausted: identities.exhausted.sorted().map { "\(IPv6Address(high: $0, low: 0))/64" })
    }

    /// The addresses that this host is to be known by: not those that are on their way out, that no packet gets from, or that
    /// the operator excludes.
    private func belongsIntoDNS(_ address: Uplink.Address, of uplink: Uplink) -> Bool {
        let locator = address.row.address
        return address.isVerifiable && !address.isShared && !address.isDuplicate
            && !identities.retired.contains(locator)
            && uplinks.addresses.standing(of: locator) != .refuted
            && !uplink.configuration.excluded.contains { $0.contains(locator) }
            && (!address.isDeprecated || uplinks.addresses.heldBack.contains(locator))
    }

    private func state(of address: Uplink.Address, on uplink: Uplink, isOffered: Bool) -> LocatorStatus.State {
        if address.isShared { return .shared }
        if !address.isVerifiable { return .unverifiable }
        if address.isDuplicate { return .duplicate }
        if !uplink.isRunning || !uplink.isOperational && !isOffered { return .unavailable }
        if address.isTentative { return .tentative }
        return address.isDeprecated && !uplinks.addresses.heldBack.contains(address.row.address) ? .deprecated : .usable
    }

    // MARK: New sessions

    func newSessions(over uplink: Uplink) -> NewSessions? {
        guard let source = uplinks.newSessions(by: uplink) else { return nil }
        let owner = uplinks.uplinks.first { $0.locators.contains { $0.row.address == source } }
        if owner != nil, dataPath.traits.obstacle == nil {
            let standing = uplinks.addresses.standing(of: source)
            let isForced = identities.configuration.prefer == .always && identities.makesAddresses
            return NewSessions(
                source: source, protected: true,
                reason: isForced ? "prefer = true" : standing?.words ?? "peers can verify it")
        }
        return NewSessions(
            source: source, protected: false,
            reason: owner == nil ? obstacle(on: uplink, to: source) : dataPath.traits.obstacle ?? "")
    }

    /// Why new sessions over an uplink do not take one of the daemon's addresses.
    private func obstacle(on uplink: Uplink, to source: IPv6Address) -> String {
        if uplink.addresses.contains(where: { $0.row.address == source && $0.isShared }) {
            return "several hosts share it"
        }
        guard let own = uplink.locators.first?.row.address else { return "the uplink has no locator" }
        guard let standing = uplinks.addresses.standing(of: own) else { return "peers cannot verify it" }
        switch identities.configuration.prefer {
        case .never: return "prefer = false keeps \(own) back"
        case .proven where !standing.isGood: return "\(own) is held back, since \(standing.words)"
        case .proven, .always: return "the kernel does not take \(own)"
        }
    }
}

extension Explanation.Reason {
    fileprivate init(_ reason: UseReason) {
        switch reason {
        case .exploration: self = .exploration
        case .failback: self = .failback
        case .asked: self = .asked
        }
    }
}

extension AddressProofs.Standing {
    /// For people.
    fileprivate var words: String {
        switch self {
        case .unproven: "nothing beyond the gateway has answered to it yet"
        case .assumed: "a router lets every host make its own addresses"
        case .proven: "something beyond the gateway has answered to it"
        case .refuted: "what answers to another address here does not answer to it"
        }
    }
}

extension [ContextLocator] {
    /// The ULID stays the ULID when it is no longer a locator.
    fileprivate mutating func addWithdrawn(ulid: IPv6Address) {
        guard !contains(where: \.ulid) else { return }
        append(ContextLocator(address: ulid, method: nil, verified: false, state: .withdrawn, ulid: true))
    }
}

extension VerificationMethod {
    fileprivate var name: String {
        switch self {
        case .hba: "hba"
        case .cga: "cga"
        }
    }
}

extension Duration {
    var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }
}

extension Shim6Core.Timer {
    /// For people.
    fileprivate var name: String {
        switch self {
        case .context: "retransmission"
        case .reap(_, let timer): timer.rawValue
        case .resume: "resume"
        }
    }
}

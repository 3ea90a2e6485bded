import REAP
import Shim6Wire

/// What all associations of a host share: its configuration, what it says of itself, its paths, its counters.
final class Surroundings {
    var configuration: HostConfiguration
    let activity: any ActivityTable
    /// What the contexts tell each other of their paths.
    let paths: SharedPaths
    var lists: LocalLists
    var tally = HostCounters()
    var messagesIn = MessageCounts()
    var messagesOut = MessageCounts()
    private let identity: any LocalIdentity

    init(_ configuration: HostConfiguration, identity: any LocalIdentity, activity: any ActivityTable) {
        self.configuration = configuration
        self.identity = identity
        self.activity = activity
        paths = SharedPaths(probesPerSecond: configuration.maximumProbesPerSecond)
        lists = LocalLists(maximumLocators: configuration.maximumLocators)
    }

    /// The local list for contexts of a ULID.
    func list(for ulid: IPv6Address, random: inout RandomSource) -> LocalList {
        lists.list(for: ulid, identity: identity, random: &random)
    }

    /// A part of a list with a signature of its own; nil if it cannot be signed.
    func part(_ locators: [LocalLocator], of list: LocalList, random: inout RandomSource) -> LocalList? {
        lists.part(locators, of: list, identity: identity, random: &random)
    }

    /// What the host still has of the locators that a peer knows, best first. Others are no sources until the peer has
    /// acknowledged them (RFC 5533, section 7.2).
    func available(_ list: LocalList) -> [IPv6Address] {
        lists.locators.filter { list.contains($0.address) }.working.map(\.address)
    }

    /// What payload and Probes may be sent to, best first: an address of this host leads nowhere.
    func destinations(of peer: Peer) -> [IPv6Address] {
        guard peer.candidates.contains(where: lists.contains) else { return peer.candidates }
        return peer.candidates.filter { !lists.contains($0) }
    }

    /// The best form of rehomed payload that this host sends and the peer accepts.
    func form(towards peer: Peer) -> PayloadForms? { configuration.sentForms.first(where: peer.forms.contains) }

    /// What an I2 or R2 with this list says about the host.
    func options(announcing list: LocalList) -> LocatorOptions {
        completed(list.options(keepaliveTimeout: announcedKeepaliveTimeout))
    }

    /// The options, with what this implementation adds: the forms of rehomed payload that this host accepts, and its
    /// Send Timeout if seconds do not say it.
    func completed(_ options: LocatorOptions) -> LocatorOptions {
        var options = options
        if configuration.acceptedForms != .payloadHeader { options.payloadForms = configuration.acceptedForms }
        options.reachabilityTiming = announcedTiming
        return options
    }

    /// The timers of a context: ours, and what the peer announced.
    func reapConfiguration(for peer: Peer?) -> REAPConfiguration {
        var reap = configuration.reap
        reap.peerSendTimeout = peer?.keepaliveTimeout.map { .seconds(Int($0)) }
        guard let timing = peer?.timing, isFinelyTimed else { return reap }
        reap.isFinelyAgreed = true
        reap.peerSendTimeout = .milliseconds(Int64(timing.sendTimeoutMilliseconds))
        return reap
    }

    /// Our Send Timeout for the Keepalive Timeout option, which is needed when it is not 15 seconds (RFC 5534,
    /// section 5.3: 5534-5.3-02).
    private var announcedKeepaliveTimeout: UInt16? {
        configuration.reap.sendTimeout == REAPConfiguration.defaultSendTimeout ? nil : wholeSendTimeout
    }

    /// Our Send Timeout in whole seconds, rounded down: the peer's Keepalives have to come in time. One second stands
    /// for less: without the finer option no less holds.
    var wholeSendTimeout: UInt16 {
        UInt16(clamping: max(configuration.reap.sendTimeout.components.seconds, 1))
    }

    /// Whether seconds do not say all about our timers.
    private var isFinelyTimed: Bool {
        configuration.reap.quick != nil || configuration.reap.sendTimeout.components.attoseconds != 0
    }

    /// Our Send Timeout to the millisecond, for a peer that may understand it; nil if whole seconds say it.
    private var announcedTiming: ReachabilityTiming? {
        guard isFinelyTimed else { return nil }
        let milliseconds = configuration.reap.sendTimeout.wholeNanoseconds / 1_000_000
        return ReachabilityTiming(sendTimeoutMilliseconds: max(1, UInt32(clamping: milliseconds)))
    }
}

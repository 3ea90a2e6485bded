import REAP
import Shim6Core
import Shim6Wire

/// One host: its addresses, its data path, and the daemon that performs the effects, as far as it runs.
final class SimulatedHost {

    /// What the notices have told of a context: kept beside the host's own state, to compare.
    struct Shadow {
        var ulids: ULIDPair
        var state: ContextState
        var reachability = REAPState.operational
        var leftOperational = Instant(nanoseconds: 0)
    }

    struct IdleWatch {
        var ulids: ULIDPair
        var seconds: Int
        /// When the last packet came in, or the watch began.
        var touched: Instant
    }

    let number: Int
    let identity: any AddressMaker
    private let proofs: Proofs
    private let configuration: HostConfiguration
    private let triggerThreshold: Int
    let sabotage: Sabotage

    /// The address on each link; nil while it has none.
    var addresses: [IPv6Address?]
    /// What peers are told of the address on a link.
    var preferences: [Int: LocatorPreferences.Element] = [:]
    /// The address that a link had before it was taken away.
    var parked: [IPv6Address?]
    /// Addresses that it still has, but that lead nowhere.
    private(set) var deadAddresses: [IPv6Address] = []
    /// Links whose addresses have taken the place of those.
    private(set) var renumberedLinks: Set<Int> = []
    /// All addresses that it ever had.
    private(set) var owned: Set<IPv6Address> = []
    private var numbering = 0

    private(set) var daemon: Endpoint?
    /// Counts the daemon's runs: what was meant for an earlier one is void.
    private(set) var run = 0
    var stamps: StampTable
    var dataPath: SimulatedDataPath
    var armed: [Timer: Instant] = [:]
    var idleWatches: [ContextTag: IdleWatch] = [:]
    /// The contexts of which it was asked what uses them.
    var asked: Set<ContextTag> = []
    var shadows: [ContextTag: Shadow] = [:]

    /// By how much its clock is ahead of the simulation's.
    var clockLead = Duration.zero
    /// Until when nothing gets in or out.
    var deafUntil = Instant(nanoseconds: 0)
    /// Until when the daemon stands still, and what waits for it: messages and reports first, timers then.
    var stalledUntil = Instant(nanoseconds: 0)
    var backlog: [Event] = []
    var lateTimers: [(timer: Timer, deadline: Instant)] = []

    init(number: Int, scenario: Scenario, proofs: Proofs, sabotage: Sabotage) {
        self.number = number
        self.proofs = proofs
        self.sabotage = sabotage
        let links = 0..<scenario.links[number]
        identity =
            scenario.unproven.contains(number)
            ? UnprovenAddresses(number: number)
            : proofs.identity(
                ofHost: number, prefixes: links.map { Self.prefix(ofHost: number, link: $0, numbering: $0 + 1) })
        configuration = scenario.configurations[number]
        triggerThreshold = scenario.triggerThreshold
        stamps = StampTable(count: configuration.maximumContexts)
        dataPath = SimulatedDataPath(stamps: stamps, triggerThreshold: triggerThreshold, sabotage: sabotage)
        addresses = Array(repeating: nil, count: scenario.links[number])
        parked = addresses
        for link in addresses.indices { giveAddress(to: link) }
    }

    /// `A` is host 0.
    var name: String { String(UnicodeScalar(UInt8(ascii: "A") + UInt8(number))) }

    private static func prefix(ofHost number: Int, link: Int, numbering: Int) -> UInt64 {
        0x2001_0db8_0000_0000 | UInt64(number + 0xa) << 16 | UInt64(link) << 8 | UInt64(numbering)
    }

    /// Gives a link a new address in a new prefix.
    func giveAddress(to link: Int) {
        numbering += 1
        let address = identity.makeAddress(prefix: Self.prefix(ofHost: number, link: link, numbering: numbering))
        addresses[link] = address
        owned.insert(address)
    }

    func keepDeadAddress(of link: Int) {
        if let address = addresses[link] { deadAddresses.append(address) }
        renumberedLinks.insert(link)
    }

    func link(of address: IPv6Address) -> Int? { addresses.firstIndex(of: address) }

    var locators: [LocalLocator] {
        let alive = addresses.enumerated().compactMap { link, address in
            address.map { LocalLocator(address: $0, method: .cga, preference: preferences[link] ?? .init()) }
        }
        return alive + deadAddresses.map { LocalLocator(address: $0, method: .cga) }
    }

    /// Ends the daemon, and takes away what it left in the data path.
    func clear() {
        stop()
        stamps = StampTable(count: configuration.maximumContexts)
        dataPath = SimulatedDataPath(stamps: stamps, triggerThreshold: triggerThreshold, sabotage: sabotage)
    }

    /// Starts the daemon; what an earlier run left in the data path goes.
    func start(random: SeededGenerator) {
        clear()
        daemon = Endpoint(
            configuration: configuration, identity: identity, verifier: proofs.verifier, activity: stamps,
            random: random)
    }

    /// Ends the daemon; the data path goes on as it is.
    func stop() {
        daemon = nil
        run += 1
        armed = [:]
        idleWatches = [:]
        asked = []
        shadows = [:]
        backlog = []
        lateTimers = []
        stalledUntil = Instant(nanoseconds: 0)
    }

    func shadow(of ulids: ULIDPair) -> Shadow? { shadows.values.first { $0.ulids == ulids } }
}

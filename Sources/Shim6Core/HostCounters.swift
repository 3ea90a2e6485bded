import CGA
import REAP
import Shim6Wire

/// What a host has counted since its start, and how full its tables are.
public struct HostCounters: Sendable, Equatable {
    public internal(set) var drops: [DropReason: UInt64] = [:]
    /// Messages that passed the checks of RFC 5533 section 12.3.
    public internal(set) var messagesIn: [MessageType: UInt64] = [:]
    public internal(set) var messagesOut: [MessageType: UInt64] = [:]
    /// Proofs of peers that were looked at: the costly operations.
    public internal(set) var verifications: UInt64 = 0
    /// Proofs that were verified before, for another context of the peer.
    public internal(set) var knownProofs: UInt64 = 0
    /// Proofs that were refused before, and were not looked at again.
    public internal(set) var knownRefusals: UInt64 = 0
    /// Error messages about messages of ours, by code.
    public internal(set) var errorsIn: [UInt8: UInt64] = [:]
    /// Contexts that became established.
    public internal(set) var established: UInt64 = 0
    /// Contexts that the peer had lost and that it has again by I2bis.
    public internal(set) var recovered: UInt64 = 0
    /// Outgoing payload moved to another locator pair.
    public internal(set) var switches: UInt64 = 0
    /// Returns to a better pair that did not last, so that the next takes longer.
    public internal(set) var dampings: UInt64 = 0
    /// Own triggers that were refused because the table was full.
    public internal(set) var triggersRefused: UInt64 = 0
    /// Contexts that peers made, that never carried payload, and that made room for others.
    public internal(set) var contextsEvicted: UInt64 = 0
    /// Idle contexts that were kept for a socket, and that made room for others.
    public internal(set) var idleContextsEvicted: UInt64 = 0
    /// Probes that were not sent, to locators at which nothing was ever answered, or of contexts without payload.
    public internal(set) var probesHeldBack: UInt64 = 0

    /// Negative cache entries that ended early because there were too many.
    var holddownsEvicted: UInt64 = 0

    /// Size and limit of each table at this moment.
    public internal(set) var contexts = TableUse()
    public internal(set) var holddowns = TableUse()
    /// Verified proofs of peers.
    public internal(set) var proofs = TableUse()
    /// Refused proofs of peers.
    public internal(set) var refusals = TableUse()
    /// Decoded keys of peers.
    public internal(set) var keys = TableUse()

    /// Pairs of locators of which the contexts tell each other.
    public internal(set) var paths = TableUse()
    /// Locators that several of them suspect.
    public internal(set) var locatorFates = TableUse()
    /// Pairs on which payload of some got lost.
    public internal(set) var barredPairs = TableUse()

    /// Nothing has been counted yet.
    public init() {}

    public struct TableUse: Sendable, Equatable {
        public internal(set) var used = 0
        public internal(set) var limit = 0
        /// How many entries had to make room, or found none.
        public internal(set) var evictions: UInt64 = 0
    }

    public func drops(_ reason: DropReason) -> UInt64 { drops[reason] ?? 0 }
}

// The names in reports. Programs read them: they stay when a member is renamed.
extension HostCounters {
    /// Everything that is counted but drops. Messages and codes that never came are missing.
    public var byName: [String: UInt64] {
        var counts = [
            "established": established, "recovered": recovered, "switches": switches, "dampings": dampings,
            "verifications": verifications, "known_proofs": knownProofs, "known_refusals": knownRefusals,
            "contexts_evicted": contextsEvicted, "probes_held_back": probesHeldBack,
            "idle_contexts_evicted": idleContextsEvicted, "triggers_refused": triggersRefused,
        ]
        for (type, count) in messagesIn { counts["in_\(type.name)"] = count }
        for (type, count) in messagesOut { counts["out_\(type.name)"] = count }
        for (code, count) in errorsIn { counts["in_error_code_\(code)"] = count }
        return counts
    }

    public var dropsByName: [String: UInt64] { Dictionary(uniqueKeysWithValues: drops.map { ($0.key.name, $0.value) }) }

    /// A table under its name, and what becomes of an entry too many, for people.
    public struct NamedTable: Sendable, Equatable {
        public var name: String
        public var use: TableUse
        public var whenFull: String
    }

    public var tables: [NamedTable] {
        let leastUsed = "the one unused for longest goes"
        return [
            NamedTable(
                name: "contexts", use: contexts,
                whenFull: "one that a peer made and never used goes, or an idle one; else no new ones"),
            NamedTable(name: "holddowns", use: holddowns, whenFull: "the one that ends first goes"),
            NamedTable(name: "proofs", use: proofs, whenFull: leastUsed),
            NamedTable(name: "refused-proofs", use: refusals, whenFull: leastUsed),
            NamedTable(name: "peer-keys", use: keys, whenFull: leastUsed),
            NamedTable(name: "paths", use: paths, whenFull: "what is older than 30 s goes, else all"),
            NamedTable(name: "locator-fates", use: locatorFates, whenFull: "all go"),
            NamedTable(name: "barred-pairs", use: barredPairs, whenFull: "what ended 10 min ago goes, else all"),
        ]
    }
}

extension HostCounters.TableUse {
    init(_ records: SharedPaths.Records) {
        self.init(used: records.count, limit: records.limit, evictions: records.forgotten)
    }

    init(_ kept: RecentlyUsed<some Hashable & Sendable, some Sendable>) {
        self.init(used: kept.count, limit: kept.capacity, evictions: kept.evictions)
    }
}

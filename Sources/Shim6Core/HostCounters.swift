import CGA
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

    public struct TableUse: Sendable, Equatable {
        public internal(set) var used = 0
        public internal(set) var limit = 0
        /// How many entries had to make room, or found none.
        public internal(set) var evictions: UInt64 = 0
    }

    public func drops(_ reason: DropReason) -> UInt64 { drops[reason] ?? 0 }
}

extension HostCounters.TableUse {
    init(_ kept: RecentlyUsed<some Hashable & Sendable, some Sendable>) {
        self.init(used: kept.count, limit: kept.capacity, evictions: kept.evictions)
    }
}

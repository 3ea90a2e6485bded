import REAP
import Shim6Wire

/// How little is lost with a context when others need its place.
struct Spareness {
    /// The first go first.
    enum Kind: Int {
        /// It never carried payload.
        case unused
        /// Kept though idle, by what may send but has no session.
        case idleWithoutSession
        /// Kept though idle, by a session.
        case idle
    }

    var kind: Kind
    /// When it was made or last used.
    var since: Instant
}

/// All associations of a host and the ways to find them (RFC 5533, section 12.4). Bounded in every direction.
final class AssociationTable {
    let maximumContexts: Int
    let maximumHolddowns: Int
    private let maximumPerPeerPrefix: Int
    private let maximumPerPeerSite: Int

    private var byTag: [ContextTag: Association] = [:]
    private var byKey: [ContextKey: Association] = [:]
    /// I1-SENT, I2-SENT and I2BIS-SENT, for R1 and R2.
    private var byNonce: [UInt32: Association] = [:]
    /// By CT(peer), which different peers may choose alike: one for each, and all further ones.
    private var byPeerTag: [ContextTag: Association] = [:]
    private var moreByPeerTag: [ContextTag: [Association]] = [:]
    private var perPeerPrefix: [UInt64: Int] = [:]
    /// The same by /48.
    private var perPeerSite: [UInt64: Int] = [:]
    /// Contexts that may make room, the next one last, and when others may be looked for.
    private var spares: [Association] = []
    private var nextSearch = Instant(nanoseconds: 0)
    /// E-FAILED and NO-SUPPORT.
    private(set) var holddowns: [ContextTag: Association] = [:]
    private var counts = [Int](repeating: 0, count: ContextState.allCases.count)
    /// Slots that were used and given back; above `nextSlot` none was ever used.
    private var freeSlots: [UInt32] = []
    private var nextSlot: UInt32 = 0

    init(_ configuration: HostConfiguration) {
        maximumContexts = configuration.maximumContexts
        maximumHolddowns = configuration.maximumHolddowns
        maximumPerPeerPrefix = configuration.maximumContextsPerPeerPrefix
        maximumPerPeerSite = configuration.maximumContextsPerPeerSite
    }

    var tags: [ContextTag] { Array(byTag.keys) }
    var all: [Association] { byTag.values.sorted { $0.tag.rawValue < $1.tag.rawValue } }
    /// Contexts that have a slot.
    var activeCount: Int { Int(nextSlot) - freeSlots.count }
    var isFull: Bool { activeCount >= maximumContexts }
    /// Whether half of the table is of contexts that are still negotiated.
    var isBusy: Bool { byNonce.count >= max(maximumContexts / 2, 1) }

    var countByState: [ContextState: Int] {
        Dictionary(uniqueKeysWithValues: ContextState.allCases.map { ($0, counts[$0.place]) })
    }

    subscript(tag: ContextTag) -> Association? { byTag[tag] }
    subscript(key: ContextKey) -> Association? { byKey[key] }

    /// The context in I1-SENT, I2-SENT or I2BIS-SENT with this Initiator Nonce.
    func negotiating(_ nonce: UInt32) -> Association? { byNonce[nonce] }

    /// Contexts that send with this tag.
    func sending(_ peerTag: ContextTag) -> [Association] {
        byPeerTag[peerTag].map { [$0] + (moreByPeerTag[peerTag] ?? []) } ?? []
    }

    /// The same without one of them.
    func others(sending peerTag: ContextTag, than association: Association) -> [Association] {
        // It is the only one nearly always.
        guard byPeerTag[peerTag] !== association || moreByPeerTag[peerTag] != nil else { return [] }
        return sending(peerTag).filter { $0 !== association }
    }

    /// Whether a peer may not have one more context made for it here.
    func isFull(for peer: IPv6Address) -> Bool { (perPeerPrefix[peer.high] ?? 0) >= maximumPerPeerPrefix }

    /// The same for all of its /48.
    func isFull(forSiteOf peer: IPv6Address) -> Bool { (perPeerSite[peer.site] ?? 0) >= maximumPerPeerSite }

    /// The one that makes room when the table is full: of the first kind that there is, the oldest of the /48 that has
    /// most. They are looked for once a second at most, since that takes a look at all of them. `spareness` is nil for
    /// those that stay.
    func spare(at now: Instant, _ spareness: (Association) -> Spareness?) -> (Association, Spareness)? {
        while let spare = spares.last {
            if byTag[spare.tag] === spare, let spareness = spareness(spare) { return (spare, spareness) }
            spares.removeLast()
        }
        guard now >= nextSearch else { return nil }
        nextSearch = now + .seconds(1)
        var left = perPeerSite
        var found: [(association: Association, spareness: Spareness, left: Int)] = []
        let all = byTag.values.compactMap { association in spareness(association).map { (association, $0) } }
        for (association, spareness) in all.sorted(by: { $0.1.since < $1.1.since }) {
            let site = association.ulids.peer.site
            found.append((association, spareness, left[site] ?? 0))
            left[site, default: 0] -= 1
        }
        found.sort {
            ($0.spareness.kind.rawValue, $1.left, $0.spareness.since)
                < ($1.spareness.kind.rawValue, $0.left, $1.spareness.since)
        }
        // New contexts are unused at first. While they come, they go before more than a few idle ones do.
        let isUnused = found.first?.spareness.kind == .unused
        spares = found.prefix { ($0.spareness.kind == .unused) == isUnused }
            .prefix(max(maximumContexts / (isUnused ? 8 : 1_024), 1)).map(\.association).reversed()
        guard let first = found.first else { return nil }
        return (first.association, first.spareness)
    }

    /// The holddown that ends first.
    var firstHolddown: Association? {
        func end(_ association: Association) -> Instant { association.common.deadline ?? Instant(nanoseconds: 0) }
        return holddowns.values.min { end($0) < end($1) }
    }

    /// A random tag that no context has (RFC 5533, section 7.1).
    func freshTag(_ random: inout RandomSource) -> ContextTag {
        while true {
            // 5533-7.1-02, 5533-7.1-03, 5533-7.1-04
            let tag = ContextTag(truncating: random.next())
            if byTag[tag] == nil { return tag }
        }
    }

    /// A random Initiator Nonce that no negotiation has.
    func freshNonce(_ random: inout RandomSource) -> UInt32 {
        while true {
            let nonce: UInt32 = random.next()
            if byNonce[nonce] == nil { return nonce }
        }
    }

    /// A slot below `maximumContexts`; nil if all are taken.
    func takeSlot() -> UInt32? {
        if let slot = freeSlots.popLast() { return slot }
        guard nextSlot < maximumContexts else { return nil }
        defer { nextSlot += 1 }
        return nextSlot
    }

    func insert(_ association: Association) {
        let peer = association.ulids.peer
        byTag[association.tag] = association
        byKey[association.key] = association
        perPeerPrefix[peer.high, default: 0] += 1
        perPeerSite[peer.site, default: 0] += 1
        index(association, association.indexed)
    }

    func remove(_ association: Association) {
        let peer = association.ulids.peer
        unindex(association, association.indexed)
        byTag[association.tag] = nil
        byKey[association.key] = nil
        Self.decrement(&perPeerPrefix, peer.high)
        Self.decrement(&perPeerSite, peer.site)
    }

    private static func decrement(_ counts: inout [UInt64: Int], _ prefix: UInt64) {
        if let count = counts[prefix] { counts[prefix] = count > 1 ? count - 1 : nil }
    }

    /// Finds an association that has changed by what it has now.
    func update(_ association: Association) {
        let index = association.state.index
        guard index != association.indexed else { return }
        unindex(association, association.indexed)
        association.indexed = index
        self.index(association, index)
    }

    /// Takes back a slot.
    func release(_ slot: UInt32?) {
        if let slot { freeSlots.append(slot) }
    }

    private func index(_ association: Association, _ index: AssociationState.Index) {
        counts[index.state.place] += 1
        if let nonce = index.nonce { byNonce[nonce] = association }
        if let tag = index.peerTag {
            if byPeerTag[tag] == nil {
                byPeerTag[tag] = association
            } else {
                moreByPeerTag[tag, default: []].append(association)
            }
        }
        switch index.state {
        case .eFailed, .noSupport: holddowns[association.tag] = association
        case .i1Sent, .i2Sent, .established, .i2bisSent: break
        }
    }

    private func unindex(_ association: Association, _ index: AssociationState.Index) {
        counts[index.state.place] -= 1
        if let nonce = index.nonce { byNonce[nonce] = nil }
        if let tag = index.peerTag {
            let others = others(sending: tag, than: association)
            byPeerTag[tag] = others.first
            if !others.isEmpty || !moreByPeerTag.isEmpty {
                moreByPeerTag[tag] = others.count > 1 ? Array(others.dropFirst()) : nil
            }
        }
        holddowns[association.tag] = nil
    }
}

extension ContextState {
    /// Among all states.
    fileprivate var place: Int {
        switch self {
        case .i1Sent: 0
        case .i2Sent: 1
        case .established: 2
        case .i2bisSent: 3
        case .eFailed: 4
        case .noSupport: 5
        }
    }
}

extension IPv6Address {
    /// The leftmost 48 bits.
    fileprivate var site: UInt64 { high >> 16 }
}

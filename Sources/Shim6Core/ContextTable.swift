import REAP
import Shim6Wire

/// All contexts of a host and the ways to find them (RFC 5533, section 12.4). Bounded in every direction.
final class ContextTable {
    let maximumContexts: Int
    let maximumHolddowns: Int
    private let maximumPerPeerPrefix: Int
    private let maximumPerPeerSite: Int

    private var byTag: [ContextTag: Context] = [:]
    private var byKey: [ContextKey: Context] = [:]
    /// I1-SENT, I2-SENT and I2BIS-SENT, for R1 and R2.
    private var byNonce: [UInt32: Context] = [:]
    /// By CT(peer), which different peers may choose alike.
    private var byPeerTag: [ContextTag: [Context]] = [:]
    private var perPeerPrefix: [UInt64: Int] = [:]
    /// The same by /48.
    private var perPeerSite: [UInt64: Int] = [:]
    /// Contexts that may make room, the next one last, and when others may be looked for.
    private var spares: [Context] = []
    private var nextSearch = Instant(nanoseconds: 0)
    /// E-FAILED and NO-SUPPORT.
    private(set) var holddowns: [ContextTag: Context] = [:]
    /// States without a context may be missing.
    private(set) var countByState: [ContextState: Int] = [:]
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
    var all: [Context] { byTag.values.sorted { $0.tag.rawValue < $1.tag.rawValue } }
    /// Contexts that have a slot.
    var activeCount: Int { Int(nextSlot) - freeSlots.count }
    var isFull: Bool { activeCount >= maximumContexts }
    /// Whether half of the table is of contexts that are still negotiated.
    var isBusy: Bool { byNonce.count >= max(maximumContexts / 2, 1) }

    subscript(tag: ContextTag) -> Context? { byTag[tag] }
    subscript(key: ContextKey) -> Context? { byKey[key] }

    /// The context in I1-SENT, I2-SENT or I2BIS-SENT with this Initiator Nonce.
    func negotiating(_ nonce: UInt32) -> Context? { byNonce[nonce] }

    /// Contexts that send with this tag.
    func sending(_ peerTag: ContextTag) -> [Context] { byPeerTag[peerTag] ?? [] }

    /// Whether a peer may not have one more context made for it here.
    func isFull(for peer: IPv6Address) -> Bool { (perPeerPrefix[peer.high] ?? 0) >= maximumPerPeerPrefix }

    /// The same for all of its /48.
    func isFull(forSiteOf peer: IPv6Address) -> Bool { (perPeerSite[peer.site] ?? 0) >= maximumPerPeerSite }

    /// The context that makes room when the table is full: of those that `may`, the oldest of the /48 that has most. They
    /// are looked for once a second at most, since that takes a look at all of them.
    func spare(at now: Instant, where may: (Context) -> Bool) -> Context? {
        while let spare = spares.last {
            if byTag[spare.tag] === spare, may(spare) { return spare }
            spares.removeLast()
        }
        guard now >= nextSearch else { return nil }
        nextSearch = now + .seconds(1)
        var left = perPeerSite
        var found: [(context: Context, left: Int)] = []
        for context in byTag.values.filter(may).sorted(by: { $0.createdAt < $1.createdAt }) {
            let site = context.ulids.peer.site
            found.append((context, left[site] ?? 0))
            left[site, default: 0] -= 1
        }
        found.sort { ($1.left, $0.context.createdAt) < ($0.left, $1.context.createdAt) }
        spares = found.prefix(max(maximumContexts / 8, 1)).map(\.context).reversed()
        return spares.last
    }

    /// A random tag that no context has (RFC 5533, section 7.1).
    func freshTag(_ random: inout RandomSource) -> ContextTag {
        while true {
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

    func insert(_ context: Context) {
        byTag[context.tag] = context
        byKey[context.key] = context
        perPeerPrefix[context.ulids.peer.high, default: 0] += 1
        perPeerSite[context.ulids.peer.site, default: 0] += 1
        index(context)
    }

    func remove(_ context: Context) {
        unindex(context)
        releaseSlot(of: context)
        byTag[context.tag] = nil
        byKey[context.key] = nil
        Self.decrement(&perPeerPrefix, context.ulids.peer.high)
        Self.decrement(&perPeerSite, context.ulids.peer.site)
    }

    private static func decrement(_ counts: inout [UInt64: Int], _ prefix: UInt64) {
        if let count = counts[prefix] { counts[prefix] = count > 1 ? count - 1 : nil }
    }

    /// Changes a context so that it is still found by what it is found by.
    func change(_ context: Context, _ body: () -> Void) {
        unindex(context)
        body()
        index(context)
    }

    func releaseSlot(of context: Context) {
        guard let slot = context.slot else { return }
        context.slot = nil
        freeSlots.append(slot)
    }

    private func index(_ context: Context) {
        countByState[context.name, default: 0] += 1
        if let nonce = context.initiatorNonce { byNonce[nonce] = context }
        if let tag = context.peerTag { byPeerTag[tag, default: []].append(context) }
        switch context.name {
        case .eFailed, .noSupport: holddowns[context.tag] = context
        case .i1Sent, .i2Sent, .established, .i2bisSent: break
        }
    }

    private func unindex(_ context: Context) {
        countByState[context.name, default: 0] -= 1
        if let nonce = context.initiatorNonce { byNonce[nonce] = nil }
        if let tag = context.peerTag {
            byPeerTag[tag]?.removeAll { $0 === context }
            if byPeerTag[tag]?.isEmpty == true { byPeerTag[tag] = nil }
        }
        holddowns[context.tag] = nil
    }
}

extension IPv6Address {
    /// The leftmost 48 bits.
    fileprivate var site: UInt64 { high >> 16 }
}

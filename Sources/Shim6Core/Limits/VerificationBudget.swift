import REAP
import Shim6Wire

/// Bounds how often a second keys and signatures of peers are looked at, and shares it out.
///
/// What was looked at weighs on its /48 and its /32, less with time: after a second about a third of it is left. A /48
/// may have as much as is left free for everybody, and a /32 three times as much. So a /48 that asks without end leaves
/// half to others, those of its /32 included; a /32 leaves a quarter, which is for those outside of it; and of many
/// that ask without end each holds itself back. Hundreds of such /32s at once leave newcomers less than they ask for.
struct VerificationBudget {
    /// What looks of some time ago still weigh.
    private struct Weight {
        var amount = 0.0
        var tick: UInt64 = 0

        func left(at now: UInt64) -> Double { now > tick ? amount * VerificationBudget.rest(now - tick) : amount }

        mutating func add(at now: UInt64) {
            amount = left(at: now) + 1
            tick = max(tick, now)
        }
    }

    private let capacity: Double
    private var total = Weight()
    private var sites: [UInt64: Weight] = [:]
    private var networks: [UInt64: Weight] = [:]
    /// How many sites are too many to keep those that weigh nothing any more.
    private var limit = Self.leastLimit

    private static let leastLimit = 256

    init(perSecond: Int) {
        capacity = Double(max(perSecond, 1))
    }

    /// Takes one verification for a message from `source`; false if its network has had its share.
    mutating func take(for source: IPv6Address, at now: Instant) -> Bool {
        // A 60th of a second.
        let tick = now.nanoseconds >> 24
        let (site, network) = (source.high >> 16, source.high >> 32)
        let free = capacity - total.left(at: tick)
        guard (sites[site]?.left(at: tick) ?? 0) + 1 <= free, (networks[network]?.left(at: tick) ?? 0) + 1 <= free * 3
        else { return false }
        total.add(at: tick)
        sites[site, default: Weight()].add(at: tick)
        networks[network, default: Weight()].add(at: tick)
        if sites.count > limit { forget(at: tick) }
        return true
    }

    private mutating func forget(at tick: UInt64) {
        sites = sites.filter { $0.value.left(at: tick) > 0.05 }
        networks = networks.filter { $0.value.left(at: tick) > 0.05 }
        limit = max(Self.leastLimit, sites.count * 2)
    }

    /// 59/60 to the power of the ticks.
    private static func rest(_ ticks: UInt64) -> Double {
        guard ticks < 4096 else { return 0 }
        var (rest, factor, left) = (1.0, 59.0 / 60, ticks)
        while left > 0 {
            if left & 1 == 1 { rest *= factor }
            factor *= factor
            left >>= 1
        }
        return rest
    }
}

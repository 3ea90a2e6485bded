import Locators
import Netlink
import REAP
import Shim6Wire

/// When an address or prefix is preferred no more, and when it is over; nil for never (RFC 4862, section 5.5.4).
struct Lifetimes: Hashable {
    var preferred: Instant?
    var valid: Instant?

    static let forever = Lifetimes()

    private init() {}

    /// Seconds from now; nil for ever.
    init(preferred: UInt32?, valid: UInt32?, at now: Instant) {
        self.preferred = preferred.map { now + .seconds(Int($0)) }
        self.valid = valid.map { now + .seconds(Int($0)) }
    }

    /// Whole seconds that are left.
    func preferredSeconds(at now: Instant) -> UInt32? { preferred.map { Self.seconds(until: $0, at: now) } }
    func validSeconds(at now: Instant) -> UInt32? { valid.map { Self.seconds(until: $0, at: now) } }

    private static func seconds(until end: Instant, at now: Instant) -> UInt32 {
        end > now ? UInt32(clamping: (end.nanoseconds - now.nanoseconds + 500_000_000) / 1_000_000_000) : 0
    }
}

/// The prefixes that routers advertise on each interface, as far as the kernel tells.
///
/// Where the kernel makes addresses by itself, or another program does from the same advertisements, these addresses
/// tell which prefixes there are and how long they live. Where nobody does, the advertisements tell when they come in.
struct AdvertisedPrefixes {
    /// As many prefixes an interface as the kernel makes addresses for (max_addresses).
    static let limit = 16
    /// RFC 4862, section 5.5.3 e: an advertisement cannot make a prefix end earlier than that.
    private static let shortestValid: UInt32 = 7_200
    /// IFAPROT_KERNEL_RA: an address that the kernel made in an advertised prefix.
    private static let madeByKernel: UInt8 = 2

    private struct Key: Hashable {
        var prefix: IPv6Prefix
        var interface: UInt32
    }

    private static func key(of row: InterfaceAddress) -> Key? {
        IPv6Prefix(row.address, length: Int(row.prefixLength)).map { Key(prefix: $0, interface: row.interface) }
    }

    private var heard: [Key: Lifetimes] = [:]
    /// Those of which an advertisement told; the others are as many as the host has addresses.
    var count: Int { heard.count }
    /// Prefixes for which there was no room.
    private(set) var refused: UInt64 = 0
    private var seen: [Key: Lifetimes] = [:]
    /// Prefixes in which a router lets every host make its own addresses (RFC 4862, section 5.5.3), for all that is known.
    private var autonomous: Set<Key> = []

    /// An advertisement has come in.
    mutating func hear(_ advertised: AdvertisedPrefix, at now: Instant) {
        guard advertised.isAutonomous, let prefix = advertised.prefix, prefix.length == 64,
            prefix.address.canBeLocator, advertised.preferred ?? .max <= advertised.valid ?? .max
        else { return }
        let key = Key(prefix: prefix, interface: advertised.interface)
        let earlier = heard[key].map { $0.validSeconds(at: now) ?? .max } ?? 0
        let valid = max(advertised.valid ?? .max, min(earlier, Self.shortestValid))
        guard valid > 0 else { return }
        guard heard[key] != nil || heard.keys.count(where: { $0.interface == key.interface }) < Self.limit else {
            refused += 1
            return
        }
        heard[key] = Lifetimes(preferred: advertised.preferred, valid: valid == .max ? nil : valid, at: now)
        autonomous.insert(key)
    }

    /// Looks at the addresses that others have made, and at own ones that are still there from an earlier run.
    mutating func read(_ rows: some Sequence<InterfaceAddress>, own: [InterfaceAddress], at now: Instant) {
        seen = [:]
        for row in rows where row.prefixLength == 64 && row.address.canBeLocator {
            guard row.protocol == Self.madeByKernel || !row.flags.contains(.permanent),
                !row.flags.contains(.temporary), let key = Self.key(of: row)
            else { continue }
            if row.protocol == Self.madeByKernel || row.flags.contains(.managesTemporary) { autonomous.insert(key) }
            let lifetimes = Lifetimes(preferred: row.preferred, valid: row.valid, at: now)
            // Several addresses in one prefix: the one that lives longest had the latest advertisement.
            guard let known = seen[key], let end = known.valid, row.valid != nil, (lifetimes.valid ?? end) <= end else {
                seen[key] = lifetimes
                continue
            }
        }
        for row in own where row.valid != nil {
            guard let key = Self.key(of: row), seen[key] == nil, heard[key] == nil else { continue }
            heard[key] = Lifetimes(preferred: row.preferred, valid: row.valid, at: now)
        }
        heard = heard.filter { $0.value.validSeconds(at: now) != 0 }
        autonomous = autonomous.filter { heard[$0] != nil || seen[$0] != nil }
    }

    /// The prefixes on an interface, without those that have two seconds to live or less, in the order of their numbers.
    func prefixes(on interface: UInt32, at now: Instant) -> [(prefix: IPv6Prefix, lifetimes: Lifetimes)] {
        let all = heard.merging(seen) { _, seen in seen }.filter { $0.key.interface == interface }
        return all.filter { $0.value.validSeconds(at: now) ?? .max > 2 }
            .map { ($0.key.prefix, $0.value) }.sorted { $0.0.address < $1.0.address }
    }

    /// The interface is down or gone: what comes after may be another network.
    mutating func forget(interface: UInt32) {
        heard = heard.filter { $0.key.interface != interface }
        autonomous = autonomous.filter { $0.interface != interface }
    }

    /// Whether a router on this interface lets every host make its own addresses in a prefix.
    func isAutonomous(_ prefix: IPv6Prefix, on interface: UInt32) -> Bool {
        autonomous.contains(Key(prefix: prefix, interface: interface))
    }
}

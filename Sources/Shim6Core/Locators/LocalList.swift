import Locators
import REAP
import Shim6Wire

/// Ls(local) as it is told to peers, with its proof. One for each local ULID, shared by all its contexts.
struct LocalList: Hashable {
    var ulid: IPv6Address
    /// Nil if the ULID has no proof, or if the host has no locator at the moment: nothing is announced then.
    var announcement: Announcement?

    struct Announcement: Hashable {
        var generation: UInt32
        /// Best first.
        var locators: [LocalLocator]
        var parameters: [UInt8]
        var signature: [UInt8]?
    }

    /// The addresses that this list makes known to the peer. Without a list it knows just the ULID.
    var addresses: [IPv6Address] { announcement?.locators.map(\.address) ?? [ulid] }

    func contains(_ address: IPv6Address) -> Bool {
        announcement?.locators.contains { $0.address == address } ?? (address == ulid)
    }

    /// The preferences in the order of the list; nil without a list.
    var preferences: LocatorPreferences? {
        announcement.map { LocatorPreferences(generation: $0.generation, elements: $0.locators.map(\.preference)) }
    }

    /// The list as a peer knows it that was told no preferences.
    var withoutPreferences: LocalList {
        var plain = self
        plain.announcement?.locators =
            announcement?.locators.map {
                LocalLocator(address: $0.address, method: $0.method)
            } ?? []
        return plain
    }

    /// The options that carry the list. Preferences that say nothing are left out: a new list comes without any.
    func options(keepaliveTimeout: UInt16?) -> LocatorOptions {
        guard let announcement else { return LocatorOptions(keepaliveTimeout: keepaliveTimeout) }
        let entries = announcement.locators.map { LocatorList.Entry(locator: $0.address, method: $0.method) }
        let hasPreferences = announcement.locators.contains { $0.preference != LocatorPreferences.Element() }
        // 5533-5.6-14, 5533-5.6-16, 5533-5.7-08, 5533-5.9-14, 5533-7.6-02
        return LocatorOptions(
            locatorList: LocatorList(generation: announcement.generation, locators: entries),
            locatorPreferences: hasPreferences ? preferences : nil,
            cgaParameters: announcement.parameters, cgaSignature: announcement.signature,
            keepaliveTimeout: keepaliveTimeout)
    }
}

/// Makes the lists, and keeps them until the host's locators change: a signature costs far more than all else here.
struct LocalLists {
    /// What this host can be reached at now, best first.
    private(set) var locators: [LocalLocator] = []
    private let maximumLocators: Int
    private var lists: [IPv6Address: LocalList] = [:]
    /// Parts of lists, by ULID and locators: as many as there are ways to leave out the last ones.
    private var parts: [[IPv6Address]: LocalList] = [:]

    init(maximumLocators: Int) {
        self.maximumLocators = maximumLocators
    }

    func contains(_ address: IPv6Address) -> Bool { locators.contains { $0.address == address } }

    /// Returns whether anything changed. Addresses that are no locators, and repetitions, are left out.
    mutating func replace(_ new: [LocalLocator]) -> Bool {
        var seen: Set<IPv6Address> = []
        let usable = new.filter { $0.address.canBeLocator && seen.insert($0.address).inserted }
        guard usable != locators else { return false }
        let isSameList =
            usable.map(\.address) == locators.map(\.address) && usable.map(\.method) == locators.map(\.method)
        locators = usable
        if isSameList {
            // The same list with other preferences: its signature still holds.
            lists = lists.mapValues { list in
                var list = list
                if let known = list.announcement { list.announcement?.locators = known.locators.map(withPreference) }
                return list
            }
        } else {
            lists.removeAll()
            parts.removeAll()
        }
        return true
    }

    private func withPreference(_ locator: LocalLocator) -> LocalLocator {
        var locator = locator
        if let now = locators.first(where: { $0.address == locator.address }) { locator.preference = now.preference }
        return locator
    }

    /// The list for contexts of `ulid`, with a new random generation if it was not made yet.
    mutating func list(
        for ulid: IPv6Address, identity: some LocalIdentity, random: inout RandomSource
    ) -> LocalList {
        if let list = lists[ulid] { return list }
        guard let parameters = identity.parameters(of: ulid), !locators.isEmpty else { return LocalList(ulid: ulid) }
        let announcement = announcement(of: ulid, parameters, generation: random.next(), identity)
        let list = LocalList(ulid: ulid, announcement: announcement)
        lists[ulid] = list
        return list
    }

    /// A part of `list` with a generation and a signature of its own: made once, however often a peer makes it needed.
    /// Nil if it cannot be signed. `locators` are some of the list's, without preferences.
    mutating func part(
        _ locators: [LocalLocator], of list: LocalList, identity: some LocalIdentity,
        random: inout RandomSource
    ) -> LocalList? {
        let name = [list.ulid] + locators.map(\.address)
        if let part = parts[name] { return part }
        guard let parameters = list.announcement?.parameters,
            let announcement = LocalList.Announcement(
                of: list.ulid, locators, parameters, generation: random.next(), identity)
        else { return nil }
        let part = LocalList(ulid: list.ulid, announcement: announcement)
        parts[name] = part
        return part
    }

    /// The longest list that fits into a message. The ULID keeps its place whatever is left out.
    private func announcement(
        of ulid: IPv6Address, _ parameters: [UInt8], generation: UInt32, _ identity: some LocalIdentity
    ) -> LocalList.Announcement? {
        func announce(_ list: [LocalLocator]) -> LocalList.Announcement? {
            LocalList.Announcement(of: ulid, list, parameters, generation: generation, identity)
        }
        var kept = locators.map { locator in
            identity.isInSet(locator.address, of: ulid)
                ? LocalLocator(address: locator.address, method: .hba, preference: locator.preference) : locator
        }
        func leaveOutLast() { kept.remove(at: kept.lastIndex { $0.address != ulid } ?? 0) }
        while kept.count > max(maximumLocators, 1) { leaveOutLast() }
        guard let whole = announce(kept) else { return nil }
        var shortened = whole
        while !LocalList(ulid: ulid, announcement: shortened).fits {
            guard kept.count > 1 else { return nil }
            leaveOutLast()
            shortened.locators = kept
        }
        return shortened == whole ? whole : announce(kept)
    }
}

extension LocalList.Announcement {
    /// A signed list; nil if it cannot be signed: a list that peers would refuse is worse than none.
    init?(
        of ulid: IPv6Address, _ locators: [LocalLocator], _ parameters: [UInt8], generation: UInt32,
        _ identity: some LocalIdentity
    ) {
        let signed = locators.filter { $0.method == .cga }.map(\.address)
        let signature =
            signed.isEmpty ? nil : identity.signature(by: ulid, generation: generation, locators: signed)
        // 5533-5.6-17
        if signature == nil && !signed.isEmpty { return nil }
        self.init(generation: generation, locators: locators, parameters: parameters, signature: signature)
    }
}

extension LocalList {
    /// The locators of a part of the list that `fits` into a message, as long as it can be; the ULID and `source` keep
    /// their places (RFC 5533, section 5.1). Nil if not even that fits. The rest follows by Update Request.
    func shortened(keeping source: IPv6Address, where fits: (LocalList) -> Bool) -> [LocalLocator]? {
        var shorter = withoutPreferences
        // What is tried has the signature of the whole list, which is as long as its own will be.
        while !fits(shorter) {
            guard
                let index = shorter.announcement?.locators.lastIndex(where: {
                    $0.address != ulid && $0.address != source
                })
            else { return nil }
            shorter.announcement?.locators.remove(at: index)
        }
        return shorter.announcement?.locators
    }

    /// Whether a message can carry the list: an I2 with a validator of 28 octets stands for the largest one
    /// (RFC 5533, section 5.1).
    fileprivate var fits: Bool {
        var options = withoutPreferences.options(keepaliveTimeout: 1)
        options.reachabilityTiming = ReachabilityTiming(sendTimeoutMilliseconds: 1)
        let i2 = I2(
            initiatorTag: ContextTag(truncating: 0), initiatorNonce: 0, responderNonce: 0,
            responderValidator: [UInt8](repeating: 0, count: 28), options: options)
        return (try? ControlMessage.i2(i2).encoded()) != nil
    }
}

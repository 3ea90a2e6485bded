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

    /// The options that carry the list.
    func options(keepaliveTimeout: UInt16?) -> LocatorOptions {
        guard let announcement else { return LocatorOptions(keepaliveTimeout: keepaliveTimeout) }
        let entries = announcement.locators.map { LocatorList.Entry(locator: $0.address, method: $0.method) }
        return LocatorOptions(
            locatorList: LocatorList(generation: announcement.generation, locators: entries),
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

    init(maximumLocators: Int) {
        self.maximumLocators = maximumLocators
    }

    func contains(_ address: IPv6Address) -> Bool { locators.contains { $0.address == address } }

    /// Returns whether anything changed. Addresses that are no locators, and repetitions, are left out.
    mutating func replace(_ new: [LocalLocator]) -> Bool {
        var seen: Set<IPv6Address> = []
        let usable = new.filter { $0.address.canBeLocator && seen.insert($0.address).inserted }
        guard usable != locators else { return false }
        locators = usable
        lists.removeAll()
        return true
    }

    /// The list for contexts of `ulid`, with a new random generation if it was not made yet.
    mutating func list(
        for ulid: IPv6Address, identity: some LocalIdentity, random: inout some RandomNumberGenerator
    ) -> LocalList {
        if let list = lists[ulid] { return list }
        guard let parameters = identity.parameters(of: ulid), !locators.isEmpty else { return LocalList(ulid: ulid) }
        let announcement = announcement(of: ulid, parameters, generation: random.next(), identity)
        let list = LocalList(ulid: ulid, announcement: announcement)
        lists[ulid] = list
        return list
    }

    /// The longest list that fits into a message. The ULID keeps its place whatever is left out.
    private func announcement(
        of ulid: IPv6Address, _ parameters: [UInt8], generation: UInt32, _ identity: some LocalIdentity
    ) -> LocalList.Announcement? {
        func announce(_ list: [LocalLocator]) -> LocalList.Announcement? {
            let signed = list.filter { $0.method == .cga }.map(\.address)
            let signature =
                signed.isEmpty ? nil : identity.signature(by: ulid, generation: generation, locators: signed)
            // A list that peers would refuse is worse than none.
            if signature == nil && !signed.isEmpty { return nil }
            return LocalList.Announcement(
                generation: generation, locators: list, parameters: parameters, signature: signature)
        }
        var kept = locators.map { locator in
            identity.isInSet(locator.address, of: ulid)
                ? LocalLocator(address: locator.address, method: .hba) : locator
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

extension LocalList {
    /// Whether a message can carry the list: an I2 with a validator of 36 octets stands for the largest one
    /// (RFC 5533, section 5.1).
    fileprivate var fits: Bool {
        let i2 = I2(
            initiatorTag: ContextTag(truncating: 0), initiatorNonce: 0, responderNonce: 0,
            responderValidator: [UInt8](repeating: 0, count: 36), options: options(keepaliveTimeout: 1))
        return (try? ControlMessage.i2(i2).encoded()) != nil
    }
}

extension IPv6Address {
    /// Whether packets can be sent to it from anywhere: what is not cannot be a locator or a ULID.
    var canBeLocator: Bool { !isMulticast && !isUnspecified && !isLoopback && !isLinkLocal }
}

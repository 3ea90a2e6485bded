import KernelRows
import Locators
import Logging
import Netlink
import REAP
import Shim6Wire

/// Puts the host's cryptographic addresses on the uplinks and keeps them as the prefixes are: one a prefix, with the
/// prefix's lifetimes. The kernel does duplicate address detection. Addresses of others are only looked at.
final class AddressManager {
    private let rows: OwnRows
    private let identities: Identities
    private let log: Logger
    /// The addresses that this run has put on interfaces, and the number of each one's uplink.
    private var made: [IPv6Address: (row: InterfaceAddress, uplink: Int)] = [:]
    private let labels: AddressLabels
    /// How far what it has made is known to get.
    var proofs: AddressProofs
    /// Those for which the lifetimes of their prefixes hold; the others are deprecated.
    private(set) var preferred: Set<IPv6Address> = []
    /// Those of the others that are deprecated for no other reason.
    private(set) var heldBack: Set<IPv6Address> = []
    /// Uplinks on which new sessions have other addresses to take, by number.
    private var rivalled: Set<Int> = []
    /// Something is missing that comes with time: look again in a second.
    private(set) var isWaiting = false

    init(socket: RouteSocket, rows: OwnRows, identities: Identities, log: Logger) {
        self.rows = rows
        self.identities = identities
        self.log = log
        labels = AddressLabels(socket: socket, log: log)
        proofs = AddressProofs(isAsking: identities.configuration.prefer == .proven)
    }

    // MARK: Duplicates

    /// The kernel keeps an address for ever that turned out to be a duplicate, but deletes one with lifetimes, and
    /// tells why in that message alone.
    func hear(_ change: KernelChange) {
        guard change.isRemoval, case .address(let row) = change.row, row.flags.contains(.detectionFailed),
            made[row.address]?.row.interface == row.interface
        else { return }
        replace(row)
    }

    private func replace(_ row: InterfaceAddress) {
        log.error("another host has \(row.address)")
        rows.remove(row)
        made.removeValue(forKey: row.address)
        do {
            try identities.replace(row.address)
        } catch {
            log.error("\(error.message)")
        }
    }

    // MARK: Keeping

    /// Brings the addresses in line with the uplinks' prefixes. `others` are all addresses of the host that it has not made,
    /// `isNeeded` tells whether a context has an address as its ULID. `rows.repair` has to follow.
    func keep(
        _ uplinks: [Uplink], others: [InterfaceAddress], routes: [Route], isNeeded: (IPv6Address) -> Bool,
        at now: Instant
    ) {
        for uplink in uplinks {
            for address in uplink.addresses where address.isDuplicate && made[address.row.address] != nil {
                replace(address.row)
            }
        }
        guard identities.makesAddresses else {
            removeUnwanted(from: uplinks, wanted: [])
            return
        }
        isWaiting = identities.provide(
            for: uplinks.flatMap(\.prefixes).map(\.prefix), areAll: uplinks.allSatisfy { !$0.prefixes.isEmpty }, at: now
        )
        heldBack = []
        followProofs(uplinks, routes: routes, at: now)
        choosePreferred(uplinks, others: others)
        var wanted: Set<IPv6Address> = []
        for (index, uplink) in uplinks.enumerated() {
            guard let link = uplink.link, link.isUp else { continue }
            for prefix in uplink.prefixes {
                guard let address = identities.address(in: prefix.prefix), wanted.insert(address).inserted else {
                    continue
                }
                var row = row(address, prefix, on: link, at: now)
                if !preferred.contains(address), row.preferred != 0 {
                    row.preferred = 0
                    heldBack.insert(address)
                }
                put(row, on: index, of: uplink)
            }
        }
        keepRetired(uplinks, &wanted, isNeeded: isNeeded, at: now)
        removeUnwanted(from: uplinks, wanted: wanted)
        let labelled = uplinks.filter { !preferred.isDisjoint(with: current(on: $0)) }
        let rivals = labelled.flatMap(\.addresses).filter { $0.isRival && !$0.row.address.isUniqueLocal }
        labels.keep(preferred.intersection(wanted), over: Set(rivals.map(\.row.address)))
    }

    // MARK: Whether new sessions take them

    private func current(on uplink: Uplink) -> [IPv6Address] {
        guard uplink.link?.isUp == true else { return [] }
        return uplink.prefixes.compactMap { identities.address(in: $0.prefix) }
    }

    private func followProofs(_ uplinks: [Uplink], routes: [Route], at now: Instant) {
        let main = routes.filter {
            $0.table == Route.mainTable && $0.type == Route.unicast && $0.protocol != Mark.protocolNumber
        }
        let interfaces = Set(uplinks.compactMap { $0.link?.index })
        let elsewhere = main.filter { !($0.interface.map(interfaces.contains) ?? false) }.compactMap(\.destination)
        proofs.follow(
            uplinks.flatMap { uplink -> [AddressProofs.Place] in
                guard let link = uplink.link, link.isUp else { return [] }
                let gateway = uplink.gateway.flatMap { IPv6Prefix($0, length: 128) }
                let onLink = main.filter { $0.interface == link.index && $0.gateway == nil }.compactMap(\.destination)
                return uplink.prefixes.compactMap { prefix in
                    guard let address = identities.address(in: prefix.prefix) else { return nil }
                    return AddressProofs.Place(
                        address: address, interface: link.index, isAutonomous: prefix.isAutonomous,
                        other: uplink.addresses.first { $0.isRival && !$0.row.address.isUniqueLocal }?.row.address,
                        checks: uplink.configuration.checks, onLink: onLink + (gateway.map { [$0] } ?? []),
                        elsewhere: elsewhere)
                }
            }, at: now)
    }

    /// An address that nothing has answered to is deprecated, so that the kernel takes another one on the uplink, and
    /// resolvers IPv4 if there is none. But the kernel avoids deprecated addresses before it looks at the interface. So
    /// where it would take an address of another interface in place of the only one here, that is not deprecated.
    private func choosePreferred(_ uplinks: [Uplink], others: [InterfaceAddress]) {
        rivalled = Set(uplinks.indices.filter { uplinks[$0].addresses.contains(where: \.isRival) })
        switch identities.configuration.prefer {
        case .never: preferred = []
        case .always: preferred = Set(uplinks.flatMap(current))
        case .proven:
            preferred = Set(uplinks.flatMap(current).filter { proofs.standing(of: $0).isGood })
            let unusable: InterfaceAddress.Flags = [.deprecated, .tentative, .detectionFailed]
            let isChoice =
                !preferred.isEmpty
                || others.contains { $0.address.canBeLocator && $0.flags.isDisjoint(with: unusable) }
            guard isChoice else { return }
            for (index, uplink) in uplinks.enumerated() where !rivalled.contains(index) {
                let here = current(on: uplink)
                if preferred.isDisjoint(with: here) { preferred.formUnion(here) }
            }
        }
    }

    private func row(
        _ address: IPv6Address, _ prefix: Uplink.Prefix, on link: Link, at now: Instant
    ) -> InterfaceAddress {
        InterfaceAddress(
            address, prefixLength: prefix.prefix.length, interface: link.index,
            // Whether the hosts of an advertised prefix are on the link is for the router to say.
            flags: prefix.isAdvertised ? .noPrefixRoute : [], preferred: prefix.lifetimes.preferredSeconds(at: now),
            valid: prefix.lifetimes.validSeconds(at: now), protocol: Mark.protocolNumber)
    }

    private func put(_ row: InterfaceAddress, on index: Int, of uplink: Uplink) {
        if made.updateValue((row, index), forKey: row.address)?.row.interface != row.interface {
            log.notice("address \(row.address)", metadata: ["interface": "\(uplink.configuration.interface)"])
        }
        let present = uplink.addresses.first { $0.row.address == row.address }?.row
        if let present, !present.lives(as: row) { rows.put(row) } else { rows.note(row) }
    }

    /// Old addresses stay, deprecated, for as long as they are ULIDs of contexts, and until what takes their place can be
    /// used: a host whose addresses are replaced is never without.
    private func keepRetired(
        _ uplinks: [Uplink], _ wanted: inout Set<IPv6Address>, isNeeded: (IPv6Address) -> Bool, at now: Instant
    ) {
        for address in identities.retired {
            guard isNeeded(address) || isSuccessorAwaited(address, on: uplinks) else {
                if let entry = made.removeValue(forKey: address) { rows.remove(entry.row) }
                identities.forget(address)
                continue
            }
            for (index, uplink) in uplinks.enumerated() {
                guard let link = uplink.link, link.isUp,
                    let prefix = uplink.prefixes.first(where: { $0.prefix.contains(address) })
                else { continue }
                var row = row(address, prefix, on: link, at: now)
                row.preferred = 0
                wanted.insert(address)
                put(row, on: index, of: uplink)
            }
        }
    }

    /// Whether the address that follows a retired one is not there yet, or may still prove a duplicate.
    private func isSuccessorAwaited(_ retired: IPv6Address, on uplinks: [Uplink]) -> Bool {
        uplinks.contains { uplink in
            guard let prefix = uplink.prefixes.first(where: { $0.prefix.contains(retired) }),
                let successor = identities.address(in: prefix.prefix)
            else { return false }
            return !uplink.addresses.contains { $0.row.address == successor && !$0.isTentative && !$0.isDuplicate }
        }
    }

    /// Removes addresses with our mark that no prefix asks for any more, also those of earlier runs.
    private func removeUnwanted(from uplinks: [Uplink], wanted: Set<IPv6Address>) {
        for uplink in uplinks {
            for row in uplink.addresses.map(\.row) where row.protocol == Mark.protocolNumber {
                if wanted.contains(row.address), made[row.address]?.row.interface == row.interface { continue }
                log.notice("no longer \(row.address)", metadata: ["interface": "\(uplink.configuration.interface)"])
                rows.remove(row)
            }
        }
        for (address, entry) in made where !wanted.contains(address) {
            // While the interface is down its prefixes are unknown; the address is only missing then.
            guard uplinks[entry.uplink].link?.isUp == true else { continue }
            rows.remove(entry.row)
            made.removeValue(forKey: address)
        }
    }

    // MARK: Questions

    /// Addresses that were made for an uplink and are not there now, since its interface is down or gone.
    func missing(on uplink: Int, present: [Uplink.Address]) -> [InterfaceAddress] {
        let present = Set(present.map(\.row.address))
        return made.values.filter { $0.uplink == uplink && !present.contains($0.row.address) }.map(\.row)
            .sorted { $0.address < $1.address }
    }

    /// The prefixes of the addresses on an uplink that contexts need, whether these are there now or not.
    func prefixes(on uplink: Int, where isNeeded: (IPv6Address) -> Bool) -> Set<IPv6Prefix> {
        Set(
            made.values.filter { $0.uplink == uplink && isNeeded($0.row.address) }.compactMap {
                IPv6Prefix($0.row.address, length: Int($0.row.prefixLength))
            })
    }

    /// What is known of an address that it has made and that is current; nil for others.
    func standing(of address: IPv6Address) -> AddressProofs.Standing? {
        made[address] == nil || identities.retired.contains(address) ? nil : proofs.standing(of: address)
    }

    var hasRetired: Bool { !identities.retired.isEmpty }

    // MARK: The end

    /// The contexts are gone, and so is the need for retired addresses; the others stay unless `removing`. New sessions take
    /// what they took without them.
    func stop(removing: Bool) {
        for entry in made.values {
            var row = entry.row
            if removing || identities.retired.contains(row.address) {
                rows.remove(row)
                continue
            }
            if rivalled.contains(entry.uplink), row.preferred != 0 {
                row.preferred = 0
                rows.put(row)
            }
            rows.leave(row)
        }
        labels.keep([], over: [])
    }
}

extension InterfaceAddress {
    /// Whether the lifetimes differ by no more than what reading the clock at another moment makes.
    fileprivate func lives(as other: InterfaceAddress) -> Bool {
        func isClose(_ left: UInt32?, _ right: UInt32?) -> Bool {
            guard let left, let right else { return left == nil && right == nil }
            return max(left, right) - min(left, right) <= 1 && (left == 0) == (right == 0)
        }
        return isClose(preferred, other.preferred) && isClose(valid, other.valid)
    }
}

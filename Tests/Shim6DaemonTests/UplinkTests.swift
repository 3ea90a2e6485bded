import CNetlink
import Configuration
import Glibc
import KernelRows
import Requirements
import Shim6Wire
import Testing

@testable import Netlink
@testable import Shim6Daemon

/// Which addresses of an uplink are offered to peers (RFC 5534, sections 3.1 and 3.2).
@Suite struct UplinkTests {
    private let prefixes = ["2001:db8:a1::/64", "2001:db8:a2::/64"].compactMap { IPv6Prefix($0) }
    private var first: IPv6Prefix { prefixes[0] }
    private var second: IPv6Prefix { prefixes[1] }

    private func address(
        in prefix: IPv6Prefix, _ low: UInt64, flags: InterfaceAddress.Flags = [], isVerifiable: Bool = true
    ) -> Uplink.Address {
        let address = IPv6Address(high: prefix.address.high, low: low)
        return Uplink.Address(
            row: InterfaceAddress(address, prefixLength: 64, interface: 7, flags: flags), isVerifiable: isVerifiable)
    }

    private func uplink(_ addresses: [Uplink.Address], excluded: [IPv6Prefix] = []) -> Uplink {
        var configuration = Configuration.Uplink()
        configuration.excluded = excluded
        var uplink = Uplink(configuration: configuration, table: 6141)
        var link = cnl_link()
        link.flags = UInt32(IFF_UP | IFF_RUNNING)
        uplink.link = Link(link)
        uplink.addresses = addresses
        return uplink
    }

    private func offered(_ uplink: Uplink) -> [UInt64] { uplink.locators.map(\.row.address.low) }

    @Test(.requirement("5534-3.1-05"))
    func `An address in a prefix that the operator excludes is offered to nobody`() {
        let addresses = [address(in: first, 1), address(in: second, 2), address(in: first, 3)]
        #expect(offered(uplink(addresses)) == [1, 2, 3])
        #expect(offered(uplink(addresses, excluded: [first])) == [2])
        #expect(offered(uplink(addresses, excluded: [first, second])) == [])
    }

    @Test func `An address that several hosts share is offered to nobody, whoever says so`() {
        func row(_ low: UInt64, length: UInt8 = 64, flags: InterfaceAddress.Flags = .permanent, by maker: UInt8 = 0)
            -> InterfaceAddress
        {
            let address = IPv6Address(high: first.address.high, low: low)
            return InterfaceAddress(
                address, prefixLength: length, interface: 7, flags: flags, protocol: maker)
        }
        var configuration = Configuration.Uplink()
        configuration.shared = [IPv6Address(high: first.address.high, low: 1)]
        var uplink = Uplink(configuration: configuration, table: 6141)
        uplink.link = self.uplink([]).link
        let rows = [
            row(1), row(2), row(3, by: InterfaceAddress.madeByKeepalived), row(4, length: 128),
            // By DHCP, and by the daemon.
            row(5, length: 128, flags: []), row(6, length: 128, by: Mark.protocolNumber),
        ]
        uplink.addresses = rows.map {
            Uplink.Address(row: $0, isVerifiable: true, isShared: uplink.isShared($0, isVerifiable: true))
        }
        // What no peer can verify is not offered in any case, and by DHCP as likely as not.
        #expect(!uplink.isShared(rows[3], isVerifiable: false) && uplink.isShared(rows[2], isVerifiable: false))
        #expect(offered(uplink) == [2, 5, 6])
    }

    @Test(.requirement("5534-3.1-03"))
    func `Tentative and duplicate addresses are left out, optimistic ones come after others, deprecated ones last`() {
        let addresses = [
            address(in: first, 1, flags: .deprecated), address(in: first, 2, flags: .tentative),
            address(in: first, 3, flags: [.tentative, .optimistic]), address(in: first, 4),
            address(in: first, 5, flags: [.tentative, .detectionFailed]), address(in: first, 6, isVerifiable: false),
        ]
        #expect(offered(uplink(addresses)) == [4, 3, 1])
    }

    @Test(.requirement("5534-3.2-01"))
    func `Without its link, or without its carrier, an uplink has no locator`() {
        var uplink = uplink([address(in: first, 1)])
        #expect(offered(uplink) == [1])
        uplink.link?.flags = UInt32(IFF_UP)
        #expect(offered(uplink) == [] && !uplink.isOperational)
        uplink.link?.flags = UInt32(IFF_RUNNING)
        #expect(offered(uplink) == [])
        uplink.link = nil
        #expect(offered(uplink) == [])
    }
}

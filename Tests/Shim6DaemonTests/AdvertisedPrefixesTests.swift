import Netlink
import REAP
import Requirements
import Shim6Wire
import Testing

@testable import Shim6Daemon

/// What is known of advertised prefixes, from the kernel's addresses and from advertisements. Times in seconds.
@Suite struct AdvertisedPrefixesTests {
    private let interface: UInt32 = 7
    private let prefix = IPv6Prefix(IPv6Address(high: 0x2001_0db8_00a1_0000, low: 0), length: 64)

    private func at(_ seconds: Int) -> Instant { Instant(nanoseconds: 0) + .seconds(1000 + seconds) }

    private func advertised(
        preferred: UInt32?, valid: UInt32?, _ prefix: IPv6Prefix? = nil, autonomous: Bool = true
    ) -> AdvertisedPrefix {
        AdvertisedPrefix(
            prefix ?? self.prefix, interface: interface, isAutonomous: autonomous, preferred: preferred, valid: valid)
    }

    /// An address that the kernel made.
    private func row(_ low: UInt64 = 5, preferred: UInt32?, valid: UInt32?, flags: InterfaceAddress.Flags = [])
        -> InterfaceAddress
    {
        InterfaceAddress(
            IPv6Address(high: 0x2001_0db8_00a1_0000, low: low), prefixLength: 64, interface: interface, flags: flags,
            preferred: preferred, valid: valid, protocol: 2)
    }

    private func lifetimes(_ prefixes: AdvertisedPrefixes, at seconds: Int) -> [UInt32?]? {
        guard let found = prefixes.prefixes(on: interface, at: at(seconds)).first else { return nil }
        #expect(found.prefix == prefix)
        return [found.lifetimes.preferredSeconds(at: at(seconds)), found.lifetimes.validSeconds(at: at(seconds))]
    }

    @Test(.requirement("5534-3.1-02"))
    func `An advertisement makes a prefix known for as long as it says`() {
        var prefixes = AdvertisedPrefixes()
        prefixes.hear(advertised(preferred: 20, valid: 30), at: at(0))
        #expect(lifetimes(prefixes, at: 10) == [10, 20])
        #expect(lifetimes(prefixes, at: 25) == [0, 5])
        #expect(lifetimes(prefixes, at: 29) == nil)
        prefixes.hear(advertised(preferred: nil, valid: nil), at: at(29))
        #expect(lifetimes(prefixes, at: 100_000) == [nil, nil])
        prefixes.forget(interface: interface)
        #expect(lifetimes(prefixes, at: 100_000) == nil)
    }

    @Test func `An advertisement deprecates at once but ends nothing within two hours`() {
        var prefixes = AdvertisedPrefixes()
        prefixes.hear(advertised(preferred: 9_000, valid: 9_000), at: at(0))
        prefixes.hear(advertised(preferred: 0, valid: 0), at: at(10))
        #expect(lifetimes(prefixes, at: 10) == [0, 7_200])
        prefixes.hear(advertised(preferred: 0, valid: 0), at: at(1_010))
        #expect(lifetimes(prefixes, at: 1_010) == [0, 6_200])
    }

    @Test func `Only autonomous prefixes of 64 bits of unicast addresses count, and not more than 16`() throws {
        var prefixes = AdvertisedPrefixes()
        prefixes.hear(advertised(preferred: 20, valid: 30, autonomous: false), at: at(0))
        prefixes.hear(advertised(preferred: 40, valid: 30), at: at(0))
        prefixes.hear(advertised(preferred: 0, valid: 0), at: at(0))
        for text in ["2001:db8::/63", "fe80::/64", "fec0::/64", "ff02::/64"] {
            let prefix: IPv6Prefix = try #require(IPv6Prefix(text))
            prefixes.hear(advertised(preferred: 20, valid: 30, prefix), at: at(0))
        }
        #expect(prefixes.prefixes(on: interface, at: at(1)).isEmpty)
        for number in UInt64(0)..<100 {
            let other = IPv6Prefix(IPv6Address(high: 0x2001_0db8_0000_0000 + number, low: 0), length: 64)
            prefixes.hear(advertised(preferred: 20, valid: 30, other), at: at(0))
        }
        #expect(prefixes.prefixes(on: interface, at: at(1)).count == 16)
        #expect(prefixes.count == 16 && prefixes.refused == 84)
    }

    @Test(.requirement("5534-3.1-06"))
    func `The kernel's own address says how long a prefix lives`() {
        var prefixes = AdvertisedPrefixes()
        prefixes.hear(advertised(preferred: 200, valid: 300), at: at(0))
        prefixes.read([row(preferred: 20, valid: 30), row(6, preferred: 2, valid: 3)], own: [], at: at(0))
        #expect(lifetimes(prefixes, at: 0) == [20, 30])
        // It is gone: what was heard still holds.
        prefixes.read([], own: [], at: at(1))
        #expect(lifetimes(prefixes, at: 1) == [199, 299])
    }

    @Test func `Neither permanent nor temporary addresses make a prefix known`() {
        var prefixes = AdvertisedPrefixes()
        var manual = row(preferred: nil, valid: nil, flags: .permanent)
        manual.protocol = 0
        prefixes.read([manual, row(6, preferred: 20, valid: 30, flags: .temporary)], own: [], at: at(0))
        #expect(lifetimes(prefixes, at: 0) == nil)
    }

    @Test func `An own address from before a restart makes its prefix known until that ends`() {
        var prefixes = AdvertisedPrefixes()
        prefixes.read([], own: [row(preferred: 20, valid: 30)], at: at(0))
        #expect(lifetimes(prefixes, at: 5) == [15, 25])
        var other = AdvertisedPrefixes()
        other.read([], own: [row(preferred: nil, valid: nil)], at: at(0))
        #expect(lifetimes(other, at: 5) == nil)
    }

    @Test func `Only a router that is heard, or the kernel's own address, makes a prefix autonomous`() throws {
        let prefix = try #require(prefix)
        var prefixes = AdvertisedPrefixes()
        // By DHCP, for example: a lifetime, but by nobody known.
        var dynamic = row(preferred: 20, valid: 30)
        dynamic.protocol = 0
        prefixes.read([dynamic], own: [], at: at(0))
        #expect(lifetimes(prefixes, at: 0) == [20, 30] && !prefixes.isAutonomous(prefix, on: interface))
        dynamic.flags = .managesTemporary
        prefixes.read([dynamic], own: [], at: at(0))
        #expect(prefixes.isAutonomous(prefix, on: interface) && !prefixes.isAutonomous(prefix, on: interface + 1))
        prefixes.read([], own: [], at: at(1))
        #expect(!prefixes.isAutonomous(prefix, on: interface))
        prefixes.hear(advertised(preferred: 20, valid: 30), at: at(1))
        #expect(prefixes.isAutonomous(prefix, on: interface))
        prefixes.forget(interface: interface)
        #expect(!prefixes.isAutonomous(prefix, on: interface))
    }
}

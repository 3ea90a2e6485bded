import DataPath
import Shim6Wire
import Testing

@Suite struct DataPathNetworkTests {
    private static func address(_ low: UInt64) -> IPv6Address { IPv6Address(high: 0x2001_0db8_0000_0000, low: low) }
    private static func uplink(_ interface: UInt32, isRunning: Bool, _ addresses: Set<IPv6Address>)
        -> DataPathNetwork.Uplink
    {
        DataPathNetwork.Uplink(
            interface: interface, name: "uplink\(interface)", mtu: 1500, gateway: nil, isRunning: isRunning,
            addresses: addresses, locators: addresses.subtracting([address(9)]))
    }
    private let network = DataPathNetwork(
        uplinks: [uplink(1, isRunning: false, [address(1)]), uplink(2, isRunning: true, [address(2), address(9)])],
        rulePriority: 99)

    @Test func `An address is on the uplink that has it, as long as that can send`() {
        #expect(network.uplink(of: Self.address(2))?.interface == 2)
        #expect(network.uplink(of: Self.address(9))?.interface == 2)
        #expect(network.uplink(of: Self.address(1)) == nil)
    }

    @Test func `Locators have the place of their uplink, and pinned ULIDs none without one`() {
        let places = network.places(pinned: [Self.address(1), Self.address(2)])
        #expect(places == [Self.address(1): nil, Self.address(2): 2])
    }
}

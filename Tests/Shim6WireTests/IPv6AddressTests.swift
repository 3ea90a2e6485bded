import Requirements
import Shim6Wire
import Testing

@Suite struct IPv6AddressTests {
    @Test func `Octets are read and written in network order`() {
        let octets: [UInt8] = [0x20, 0x01, 0x0d, 0xb8, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]
        let address = IPv6Address(octets: octets)
        #expect(address == IPv6Address(high: 0x2001_0db8_0001_0203, low: 0x0405_0607_0809_0a0b))
        #expect(address?.octets == octets)
        #expect(IPv6Address(octets: octets.dropLast()) == nil)
        #expect(IPv6Address(octets: octets + [0]) == nil)
    }
}

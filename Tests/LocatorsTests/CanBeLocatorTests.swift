import Locators
import Requirements
import Shim6Wire
import SpecialAddresses
import Testing

@Suite struct CanBeLocatorTests {
    @Test(.requirement("5534-3.1-04"), arguments: SpecialAddresses.blocks)
    func `Global and unique local unicast addresses can be locators, others cannot`(block: SpecialAddresses.Block) {
        for address in block.ends { #expect(address.canBeLocator == block.canBeLocator, "\(address)") }
    }

    @Test func `Unique local addresses are those of fc00::7`() throws {
        let texts = ["fbff::1", "fc00::1", "fdff::1", "fe00::1", "2001:db8::1"]
        #expect(try texts.map { try #require(IPv6Address($0)).isUniqueLocal } == [false, true, true, false, false])
    }
}

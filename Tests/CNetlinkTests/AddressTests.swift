import Glibc
import Netlink
import Requirements
import Shim6Wire
import Testing

@Suite(.asRoot, .freshNamespace)
struct AddressTests {
    let network: TestNetwork
    let routes: RouteSocket
    let link: UInt32

    init() throws {
        network = try TestNetwork()
        routes = try RouteSocket()
        link = try network.veth()
    }

    private func find(_ text: String) throws -> InterfaceAddress? {
        let wanted = try address(text)
        return try routes.addresses().first { $0.address == wanted }
    }

    @Test func `An address is added once with its flags, lifetimes and mark`() throws {
        let new = InterfaceAddress(
            try address("2001:db8:a1::1"), prefixLength: 64, interface: link, flags: [.noDetection, .noPrefixRoute],
            preferred: 1_000, valid: 2_000, protocol: 114)
        try routes.add(new)
        let found = try #require(try find("2001:db8:a1::1"))
        #expect(found.prefixLength == 64)
        #expect(found.interface == link)
        #expect(found.flags.isSuperset(of: [.noDetection, .noPrefixRoute]))
        #expect(found.flags.isDisjoint(with: [.tentative, .deprecated, .permanent]))
        #expect((900...1_000).contains(found.preferred ?? 0))
        #expect((1_900...2_000).contains(found.valid ?? 0))
        #expect(found.protocol == 114)
        #expect(found.scope == 0)
        #expect(try network.run("ip -6 addr show dev a").contains("2001:db8:a1::1/64"))
        #expect(refusal { try routes.add(new) } == EEXIST)
    }

    @Test(.requirement("5534-3.1-03"))
    func `An address under duplicate address detection is tentative`() throws {
        // Without a carrier the detection does not begin.
        try network.run("ip link set dev b down")
        try routes.add(InterfaceAddress(try address("2001:db8:a1::1"), prefixLength: 64, interface: link))
        #expect(try #require(try find("2001:db8:a1::1")).flags.contains(.tentative))
        try network.run("ip link set dev b up")
        let settled = try eventually {
            try find("2001:db8:a1::1").flatMap { $0.flags.contains(.tentative) ? nil : $0 }
        }
        #expect(settled?.flags.contains(.detectionFailed) == false)
        #expect(settled?.preferred == nil)
        #expect(settled?.valid == nil)
    }

    @Test func `Replacing changes the lifetimes in place`() throws {
        var pin = InterfaceAddress(
            try address("2001:db8:a1::1"), prefixLength: 128, interface: link, flags: .noDetection)
        try routes.replace(pin)
        #expect(try #require(try find("2001:db8:a1::1")).flags.contains(.permanent))
        pin.preferred = 0
        try routes.replace(pin)
        let found = try #require(try find("2001:db8:a1::1"))
        #expect(found.flags.contains(.deprecated))
        #expect(found.preferred == 0)
        #expect(found.valid == nil)
        #expect(try routes.addresses().filter { $0.address == found.address }.count == 1)
    }

    @Test func `The same address stands on two interfaces and goes from one`() throws {
        let other = try network.index("b")
        let text = "2001:db8:a1::1"
        for index in [link, other] {
            try routes.add(
                InterfaceAddress(try address(text), prefixLength: 128, interface: index, flags: .noDetection))
        }
        let here = InterfaceAddress(try address(text), prefixLength: 128, interface: link)
        try routes.delete(here)
        #expect(try find(text)?.interface == other)
        #expect(refusal { try routes.delete(here) } == EADDRNOTAVAIL)
    }

    @Test func `The local end of a point-to-point address is the address`() throws {
        try network.run("ip -6 addr add 2001:db8:a1::1 peer 2001:db8:a1::2 dev a nodad")
        #expect(try find("2001:db8:a1::1")?.prefixLength == 128)
        #expect(try find("2001:db8:a1::2") == nil)
    }

    @Test func `An address for no interface is refused with the kernel's reason`() throws {
        let lost = InterfaceAddress(try address("2001:db8:a1::1"), prefixLength: 64, interface: 9_999)
        #expect(refusal { try routes.add(lost) } == ENODEV)
    }

    @Test func `Flushing takes the addresses with our mark only`() throws {
        for (text, mark) in [("2001:db8:a1::1", 114), ("2001:db8:a1::2", 115), ("2001:db8:a1::3", 114)] {
            try routes.add(
                InterfaceAddress(
                    try address(text), prefixLength: 64, interface: link, flags: .noDetection, protocol: UInt8(mark)))
        }
        try network.run("ip -6 addr add 2001:db8:a1::4/64 dev a nodad")
        #expect(try routes.flushAddresses(protocol: 114) == 2)
        #expect(try routes.flushAddresses(protocol: 114) == 0)
        let left = try routes.addresses().filter { $0.interface == link }.map(\.address.description).sorted()
        #expect(left == ["2001:db8:a1::2", "2001:db8:a1::4"])
        #expect(refusal { try routes.flushAddresses(protocol: 0) } == EINVAL)
    }
}

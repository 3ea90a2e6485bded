import Glibc
import Netlink
import Testing

@Suite(.asRoot, .freshNamespace)
struct LinkTests {
    let network: TestNetwork
    let routes: RouteSocket

    init() throws {
        network = try TestNetwork()
        routes = try RouteSocket()
    }

    private func link(_ name: String) throws -> Link {
        try #require(try routes.links().first { $0.name == name })
    }

    @Test func `A new veth pair is two links that know each other`() throws {
        try routes.addVethPair("shim0", "shim0x")
        let (near, far) = (try link("shim0"), try link("shim0x"))
        #expect(near.kind == "veth")
        #expect(near.peer == far.index)
        #expect(far.peer == near.index)
        #expect(near.index == (try network.index("shim0")))
        #expect(!near.isUp)
        #expect(near.mtu == 1_500)
        #expect(near.hardwareType == 1)
        #expect(refusal { try routes.addVethPair("shim0", "other") } == EEXIST)
    }

    @Test func `The loopback is hardware that is up`() throws {
        let loopback = try link("lo")
        #expect(loopback.isUp)
        #expect(loopback.isLoopback)
        #expect(loopback.kind == nil)
        #expect(loopback.peer == nil)
    }

    @Test func `A tun link tells its kind`() throws {
        try network.run("ip tuntap add t0 mode tun")
        #expect(try link("t0").kind == "tun")
        #expect(try link("t0").hardwareType == 0xfffe)
    }

    @Test func `Settings of a link are read back`() throws {
        try routes.addVethPair("shim0", "shim0x")
        let (near, far) = (try network.index("shim0"), try network.index("shim0x"))
        try routes.setMTU(1_700, interface: near)
        try routes.setGSOMaxSize(40_000, interface: near)
        try routes.setResolution(false, interface: near)
        try routes.stopAddressGeneration(interface: near)
        try routes.setUp(true, interface: near)
        try routes.setUp(true, interface: far)
        let link = try #require(
            // The kernel sees to the operational state a little later.
            try eventually {
                let link = try self.link("shim0")
                return link.operationalState == .up ? link : nil
            })
        #expect(link.mtu == 1_700)
        #expect(link.gsoMaxSize == 40_000)
        #expect(link.isWithoutResolution)
        #expect(link.isUp)
        #expect(link.hasCarrier)
        #expect(try network.run("ip -d link show shim0").contains("addrgenmode none"))
        #expect(try routes.addresses().allSatisfy { $0.interface != near })
        #expect(try routes.addresses().contains { $0.interface == far })
        try routes.setGSOMaxSize(65_536, interface: near)
        try routes.setResolution(true, interface: near)
        try routes.setUp(false, interface: far)
        let changed = try self.link("shim0")
        #expect(changed.gsoMaxSize == 65_536)
        #expect(!changed.isWithoutResolution)
        #expect(changed.isUp)
        #expect(!changed.hasCarrier)
    }

    @Test func `Deleting one end of a pair deletes both, and no link without a number`() throws {
        try routes.addVethPair("shim0", "shim0x")
        let index = try network.index("shim0")
        #expect(refusal { try routes.deleteLink(interface: 0) } == ENODEV)
        try routes.deleteLink(interface: index)
        #expect(try routes.links().map(\.name).filter { $0.hasPrefix("shim0") } == [])
        #expect(refusal { try routes.deleteLink(interface: index) } == ENODEV)
    }

    @Test func `All segmentation of a veth end is turned off and stays on at the other`() throws {
        try routes.addVethPair("shim0", "shim0x")
        let segmentation = [
            "tx-tcp-segmentation", "tx-tcp6-segmentation", "tx-generic-segmentation", "tx-udp-segmentation",
            "tx-gso-list", "tx-sctp-segmentation",
        ]
        #expect(try Offloads.active(device: "shim0").isSuperset(of: segmentation))
        try Offloads.turnOffSegmentation(device: "shim0")
        let left = try Offloads.active(device: "shim0")
        #expect(left.isDisjoint(with: segmentation))
        #expect(left.filter { $0.hasSuffix("-segmentation") } == [])
        #expect(!left.isEmpty)
        #expect(try !Offloads.hasSegmentation(device: "shim0"))
        #expect(try Offloads.hasSegmentation(device: "shim0x"))
        #expect(try Offloads.active(device: "shim0x").isSuperset(of: segmentation))
        #expect(refusal { try Offloads.turnOffSegmentation(device: "none") } == ENODEV)
    }
}

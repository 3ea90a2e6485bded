import Glibc
import KernelRows
import Netlink

/// `shim0` and `shim0x`, the veth pair of `Steering`, with the programs on them.
final class SteeringDevices {
    private let socket: RouteSocket
    private let program: KernelProgram
    /// The stack's end, and the other one.
    private(set) var index: UInt32 = 0
    private(set) var peerIndex: UInt32 = 0
    /// Octets; nil while it is the kernel's own.
    private var mtu: UInt32?

    private static let settings: [(setting: InterfaceSetting, value: Int, device: String)] = [
        (.acceptRouterAdvertisements, 0, Mark.steeringDevice), (.acceptRouterAdvertisements, 0, Mark.steeringPeer),
        (.disableIPv6, 1, Mark.steeringPeer),
    ]
    private static let mostMerged: UInt32 = 65_536
    /// The kernel's name for generic receive offload.
    private static let merging = "rx-gro"

    init(socket: RouteSocket, program: KernelProgram) {
        self.socket = socket
        self.program = program
    }

    /// Throws `NetworkFailure`, `KernelError` or `KernelProgramError`.
    func make() throws {
        try socket.addVethPair(Mark.steeringDevice, Mark.steeringPeer)
        let links = try socket.links()
        guard let device = links.first(where: { $0.name == Mark.steeringDevice })?.index,
            let peer = links.first(where: { $0.name == Mark.steeringPeer })?.index
        else { throw NetworkFailure("\(Mark.steeringDevice) is gone", code: ENODEV) }
        (index, peerIndex) = (device, peer)
        try setUp()
    }

    /// Makes the devices what they have to be, whatever they are.
    func setUp() throws {
        for device in [index, peerIndex] {
            try socket.stopAddressGeneration(interface: device)
            try socket.setResolution(false, interface: device)
        }
        for row in Self.settings { try row.setting.set(row.value, on: row.device) }
        // The kernel cannot segment behind a header that it does not know, so nothing unsegmented may pass shim0x,
        // and the jumbo header of larger packets would stall a rehomed stream.
        try Offloads.turnOffSegmentation(device: Mark.steeringDevice)
        // Restored packets pass through shim0; the kernel merges them there only if shim0x could not have made larger
        // ones.
        try Offloads.turnOffSegmentation(device: Mark.steeringPeer)
        try Offloads.turnOnMerging(device: Mark.steeringDevice)
        try socket.setGSOMaxSize(Self.mostMerged, interface: index)
        try applyMTU()
        try program.attach(shim0: index, shim0x: peerIndex)
        for device in [peerIndex, index] { try socket.setUp(true, interface: device) }
    }

    func setMTU(_ octets: UInt32) throws(KernelError) {
        guard octets != mtu else { return }
        mtu = octets
        try applyMTU()
    }

    private func applyMTU() throws(KernelError) {
        guard let mtu else { return }
        for device in [index, peerIndex] { try socket.setMTU(mtu, interface: device) }
    }

    /// Whether both are there, in this namespace.
    func arePresent() throws(KernelError) -> Bool { isPair(try links()) }

    private func links() throws(KernelError) -> [Link] {
        try socket.links().filter { $0.index == index || $0.index == peerIndex }
    }

    private func isPair(_ links: [Link]) -> Bool {
        links.contains { $0.index == index && $0.name == Mark.steeringDevice && $0.peer == peerIndex }
            && links.contains { $0.index == peerIndex && $0.name == Mark.steeringPeer }
    }

    /// Whether both are what they have to be.
    func areWhole() throws -> Bool {
        let links = try links()
        return try isPair(links)
            && links.allSatisfy { $0.isUp && $0.isWithoutResolution && $0.mtu == mtu ?? $0.mtu }
            && links.contains { $0.index == index && $0.gsoMaxSize == Self.mostMerged }
            && Self.settings.allSatisfy { $0.setting.value(on: $0.device) == $0.value }
            && !Offloads.hasSegmentation(device: Mark.steeringDevice)
            && !Offloads.hasSegmentation(device: Mark.steeringPeer)
            && Offloads.active(device: Mark.steeringDevice).contains(Self.merging)
            && program.isAttached(shim0: index, shim0x: peerIndex)
    }

    /// Removes a veth pair left by an earlier run, or this one's.
    static func remove(_ socket: RouteSocket) throws(KernelError) {
        for link in try socket.links() where link.name == Mark.steeringDevice && link.kind == "veth" {
            try socket.deleteLink(interface: link.index)
        }
    }
}

import Glibc
import Netlink
import Shim6Wire

/// Lets packets come in on an interface as if they came from the wire, before all that filters there: a tap device, and
/// a classifier that hands over what comes in on it. The device goes with its descriptor, so with the process at the
/// latest.
final class Injector {
    private let descriptor: Int32
    private let header: [UInt8]

    private static let deviceFile = "/dev/net/tun"
    /// TUNSETIFF, SIOCGIFHWADDR.
    private static let makeDevice: UInt = 0x4004_54ca
    private static let readAddress: UInt = 0x8927
    /// IFF_TUN and IFF_TAP, without further headers (IFF_NO_PI).
    private static let (withoutEthernet, withEthernet): (UInt16, UInt16) = (0x1001, 0x1002)
    private static let (ethernet, nameLength): (UInt16, Int) = (1, 16)

    init(_ uplink: Link) throws(KernelError) {
        let hasEthernet = uplink.hardwareType == Self.ethernet
        descriptor = open(Self.deviceFile, O_RDWR | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw KernelError(number: errno, request: "open \(Self.deviceFile)") }
        var request = Array("shim6p%d".utf8) + [UInt8](repeating: 0, count: 32)
        let kind = hasEthernet ? Self.withEthernet : Self.withoutEthernet
        request.replaceSubrange(Self.nameLength..<Self.nameLength + 2, with: [UInt8(kind & 0xff), UInt8(kind >> 8)])
        guard ioctl(descriptor, Self.makeDevice, &request) == 0 else {
            let failure = errno
            close(descriptor)
            throw KernelError(number: failure, request: "make a tap device")
        }
        let name = String(decoding: request.prefix { $0 != 0 }, as: UTF8.self)
        if hasEthernet {
            _ = ioctl(descriptor, Self.readAddress, &request)
            let own = request[(Self.nameLength + 2)..<(Self.nameLength + 8)]
            header = Array(own) + [0x02, 0, 0, 0, 0x61, 0x40, 0x86, 0xdd]
        } else {
            header = []
        }
        let socket = try RouteSocket()
        guard let device = try socket.links().first(where: { $0.name == name }) else {
            throw KernelError(number: ENODEV, request: "find \(name)")
        }
        try? socket.stopAddressGeneration(interface: device.index)
        try socket.setUp(true, interface: device.index)
        let handOver =
            "tc qdisc add dev \(name) clsact && tc filter add dev \(name) ingress protocol ipv6 u32 match u32 0 0 "
            + "action mirred ingress redirect dev \(uplink.name)"
        guard Programs.run(handOver) else {
            throw KernelError(number: ENOTSUP, request: "hand packets over to \(uplink.name) by \"\(handOver)\"")
        }
    }

    deinit { close(descriptor) }

    func send(_ packet: ProbePacket) {
        let frame = header + packet.octets
        _ = write(descriptor, frame, frame.count)
    }
}

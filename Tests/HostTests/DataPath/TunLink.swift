import CTestKernel
import Foundation
import Lab
import Steering
import Synchronization

/// An uplink whose packets have no Ethernet header: a tun device at each end, and a thread that carries packets across.
final class TunLink: Sendable {
    private let ends: (Int32, Int32)
    private let isOpen = Atomic(true)
    private let done = DispatchSemaphore(value: 0)

    /// Takes the place of the uplink's veth pair, with the same names and addresses.
    init(replacing uplink: Uplink, of host: SteeredHost, in topology: Topology, table: Int) throws {
        try host.namespace.run("ip", "link", "del", uplink.device)
        ends = (
            try host.namespace.inside { try Self.open(uplink.device) },
            try topology.internet.inside { try Self.open(uplink.device) }
        )
        try topology.internet.run("ip", "link", "set", uplink.device, "up")
        try topology.internet.run("ip", "addr", "add", "\(uplink.gateway)/64", "dev", uplink.device, "nodad")
        try host.namespace.run("ip", "link", "set", uplink.device, "up")
        try host.namespace.run("ip", "addr", "add", "\(uplink.address(uplink.host))/64", "dev", uplink.device, "nodad")
        try host.namespace.run("ip", "-6", "route", "add", "default", "dev", uplink.device, "table", "\(table)")
        Thread.detachNewThread { [self] in carry() }
    }

    /// Ends the thread and the devices.
    func close() {
        isOpen.store(false, ordering: .relaxed)
        done.wait()
        Glibc.close(ends.0)
        Glibc.close(ends.1)
    }

    private static func open(_ name: String) throws -> Int32 {
        let descriptor = tun_open(name)
        guard descriptor >= 0 else { throw LabError("no tun device: \(String(cString: strerror(-descriptor)))") }
        return descriptor
    }

    private func carry() {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        var entries = [ends.0, ends.1].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        while isOpen.load(ordering: .relaxed) {
            guard poll(&entries, 2, 20) > 0 else { continue }
            for (from, to) in [(ends.0, ends.1), (ends.1, ends.0)] {
                var length = read(from, &buffer, buffer.count)
                while length > 0 {
                    _ = write(to, buffer, length)
                    length = read(from, &buffer, buffer.count)
                }
            }
        }
        done.signal()
    }
}

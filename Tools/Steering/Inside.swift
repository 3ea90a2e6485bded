import CTestKernel
import Foundation
import Lab

extension Namespace {
    /// Runs `body` with the calling thread inside. What it opens (sockets, tun devices, attached programs) stays inside.
    public func inside<Value>(_ body: () throws -> Value) throws -> Value {
        let home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)
        let place = open("/run/netns/\(name)", O_RDONLY | O_CLOEXEC)
        defer {
            close(home)
            close(place)
        }
        guard home >= 0, place >= 0, network_namespace_enter(place) == 0 else { throw LabError("cannot enter \(name)") }
        defer { precondition(network_namespace_enter(home) == 0, "the thread cannot go back to its network namespace") }
        return try body()
    }

    public func index(of device: String) throws -> UInt32 {
        let index = try inside { if_nametoindex(device) }
        guard index > 0 else { throw LabError("\(name) has no device \(device)") }
        return index
    }
}

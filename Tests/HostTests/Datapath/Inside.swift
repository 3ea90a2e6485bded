import CTestKernel
import Foundation
import Lab

extension Namespace {
    /// Runs `body` with the calling thread inside. What it opens (sockets, tun devices, attached programs) stays inside.
    func inside<Value>(_ body: () throws -> Value) throws -> Value {
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

    func index(of device: String) throws -> UInt32 {
        let index = try inside { if_nametoindex(device) }
        guard index > 0 else { throw LabError("\(name) has no device \(device)") }
        return index
    }
}

/// Somebody else's tc filter that counts packets with a mark.
final class Witness {
    private var witness = CTestKernel.witness()

    init(in namespace: Namespace, on device: String, ingress: Bool, priority: UInt32, mark: UInt32) throws {
        let index = try namespace.index(of: device)
        let code = try namespace.inside { witness_attach(&witness, index, ingress ? 1 : 0, priority, mark) }
        guard code == 0 else { throw LabError("no witness on \(device): \(String(cString: strerror(-code)))") }
    }

    deinit { witness_close(&witness) }

    var count: Int64 { witness_count(&witness) }
}

import CTestKernel
import Foundation
import Lab

/// A network namespace without a name that exists while a test works in it, so that nothing can be left behind.
enum PrivateNetwork {
    /// Runs `body` in a new network namespace. It must not wait for other tasks: the namespace is the calling thread's.
    static func run<Value>(_ body: () throws -> Value) throws -> Value {
        let home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)
        try check(home < 0 ? -errno : 0)
        defer { close(home) }
        try check(network_namespace_make())
        defer { precondition(network_namespace_enter(home) == 0, "the thread cannot go back to its network namespace") }
        return try body()
    }

    /// Runs `ip` in the namespace of the calling thread.
    static func ip(_ arguments: String) throws {
        try Program.run(["ip"] + arguments.split(separator: " ").map(String.init))
    }

    private static func check(_ code: Int32) throws {
        guard code >= 0 else { throw LabError("no network namespace: \(String(cString: strerror(-code)))") }
    }
}

import CNamespace
import Foundation
import Netlink
import Shim6Wire
import Testing

/// What a test does to the namespace that its thread is in, with the ip command as the second opinion.
struct TestNetwork {
    struct CommandFailed: Error {
        var command: String
        var output: String
    }

    /// Refuses the namespace of the process. Brings the loopback up.
    init() throws {
        try #require(try Self.currentNamespace() != Self.namespace("/proc/self/ns/net"), "not in a fresh namespace")
        try run("ip link set lo up")
    }

    @discardableResult
    func run(_ command: String) throws -> String {
        guard let pipe = popen("\(command) 2>&1", "r") else { throw CommandFailed(command: command, output: "popen") }
        var output: [UInt8] = []
        while case let octet = getc(pipe), octet != EOF { output.append(UInt8(truncatingIfNeeded: octet)) }
        let text = String(decoding: output, as: UTF8.self)
        guard pclose(pipe) == 0 else { throw CommandFailed(command: command, output: text) }
        return text
    }

    /// A veth pair a, b, both ends up, without addresses of their own. Returns the index of a.
    func veth() throws -> UInt32 {
        try run("ip link add name a type veth peer name b")
        try run("ip link set dev a addrgenmode none up")
        try run("ip link set dev b addrgenmode none up")
        return try index("a")
    }

    func index(_ name: String) throws -> UInt32 {
        let index = if_nametoindex(name)
        try #require(index != 0, "no interface \(name)")
        return index
    }

    static func currentNamespace() throws -> String { try namespace("/proc/thread-self/ns/net") }

    static func namespace(_ path: String) throws -> String {
        try FileManager.default.destinationOfSymbolicLink(atPath: path)
    }
}

/// Another namespace, for the other end of a link. It goes when nothing holds it any more.
final class OtherNamespace {
    private let home: Int32
    private let other: Int32

    /// Call it on a thread that is in a namespace of its own.
    init() throws {
        home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)
        try #require(home >= 0)
        try #require(namespace_leave() == 0)
        other = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)
        try #require(other >= 0)
        try #require(namespace_enter(home) == 0)
    }

    deinit {
        close(other)
        close(home)
    }

    /// The name by which the ip command knows it.
    var path: String { "/proc/\(getpid())/fd/\(other)" }

    @discardableResult
    func run<Result>(_ body: () throws -> Result) throws -> Result {
        try #require(namespace_enter(other) == 0)
        defer { if namespace_enter(home) != 0 { fatalError("lost the way home") } }
        return try body()
    }
}

/// The errno of a request that must be refused.
func refusal(_ body: () throws -> Void) -> Int32? {
    do {
        try body()
        return nil
    } catch {
        return (error as? KernelError)?.number
    }
}

/// Asks until the answer is there. Gives up after ten seconds.
func eventually<Answer>(_ body: () throws -> Answer?) throws -> Answer? {
    for _ in 0..<1_000 {
        if let answer = try body() { return answer }
        usleep(10_000)
    }
    return nil
}

func address(_ text: String) throws -> IPv6Address { try #require(IPv6Address(text)) }
func prefix(_ text: String) throws -> IPv6Prefix { try #require(IPv6Prefix(text)) }

import Foundation

/// A network namespace. Programs in it also get a mount namespace of their own (`ip netns exec` makes it for `/sys`).
public struct Namespace: Sendable, Hashable {
    public let name: String

    /// What to put before a command to run it inside.
    public var entry: [String] { ["ip", "netns", "exec", name] }

    @discardableResult
    public func run(_ arguments: String..., input: String? = nil, limit: Double = 60) throws -> String {
        try Program.run(entry + arguments, input: input, limit: limit)
    }

    @discardableResult
    public func run(_ arguments: [String], input: String? = nil, limit: Double = 60) throws -> String {
        try Program.run(entry + arguments, input: input, limit: limit)
    }

    /// Runs a program to its end, however it ends.
    public func result(of arguments: [String], input: String? = nil, limit: Double = 60) throws -> Program.Result {
        try Program.result(of: entry + arguments, input: input, limit: limit)
    }

    /// Runs `ip -json` and decodes what it prints. It prints nothing at all for an empty list.
    public func query<Value: Decodable>(_ arguments: String..., as type: Value.Type) throws -> Value {
        let text = try run(["ip", "-json", "-details"] + arguments)
        let json = text.allSatisfy(\.isWhitespace) ? "[]" : text
        return try JSONDecoder().decode(Value.self, from: Data(json.utf8))
    }

    /// A counter of `/proc/net/snmp6`, such as "TcpInCsumErrors" of `nstat`.
    public func counter(_ name: String) throws -> Int {
        let table = try run("nstat", "-asz", name)
        for line in table.split(separator: "\n") {
            let fields = line.split(separator: " ")
            if fields.count > 1, fields[0] == name, let value = Int(fields[1]) { return value }
        }
        throw LabError("\(self.name) has no counter \(name)")
    }

    /// Sets kernel parameters of this namespace: `["net.ipv6.conf.all.forwarding": "1"]`.
    public func set(_ parameters: KeyValuePairs<String, String>) throws {
        try run(["sysctl", "-qw"] + parameters.map { "\($0.key)=\($0.value)" })
    }

    /// Ends what runs inside and removes the namespace. Does nothing if it is not there.
    func remove() {
        guard FileManager.default.fileExists(atPath: "/run/netns/\(name)") else { return }
        let inside = (try? Program.run(["ip", "netns", "pids", name])) ?? ""
        for line in inside.split(separator: "\n") {
            if let identifier = pid_t(line) { kill(identifier, SIGKILL) }
        }
        _ = try? Program.run(["ip", "netns", "delete", name])
    }
}

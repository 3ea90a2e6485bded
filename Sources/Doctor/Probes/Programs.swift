import Glibc

/// Programs of the system. Not by Foundation's Process, which needs a loopback that is up.
enum Programs {
    /// What a command of the shell prints; nil if the program is not there or fails.
    static func output(of command: String) -> String? {
        guard let pipe = popen("exec 2>/dev/null; \(command)", "re") else { return nil }
        var octets: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&part, 1, part.count, pipe), count > 0 { octets += part[..<count] }
        return pclose(pipe) == 0 ? String(decoding: octets, as: UTF8.self) : nil
    }

    static func run(_ command: String) -> Bool { output(of: command) != nil }

    /// Whether a program is found along the PATH.
    static func has(_ program: String) -> Bool { run("command -v \(program)") }
}

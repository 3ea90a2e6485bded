import CLinux
import Foundation
import Testing

@testable import Shim6Daemon

@Suite struct InstanceLockTests {
    private let directory = "/tmp/shim6d-lock-\(UUID().uuidString)"

    private func withDirectory(_ body: (String) throws -> Void) throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try body(directory)
    }

    private func files() -> [String] { (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? [] }

    @Test func `A second daemon does not start, and the next one does when the first has ended`() throws {
        try withDirectory { directory in
            let first = try InstanceLock(directory: directory)
            for _ in 0..<30 {
                let refusal = #expect(throws: StartFailure.self) { _ = try InstanceLock(directory: directory) }
                #expect(refusal?.exitCode == 75)
                #expect(refusal?.message == "another shim6d runs in this network namespace")
            }
            withExtendedLifetime(first) {}
            _ = consume first
            #expect(files().isEmpty)
            _ = try InstanceLock(directory: directory)
        }
    }

    @Test func `The file of a daemon that was killed keeps none from starting`() throws {
        try withDirectory { directory in
            let first = try InstanceLock(directory: directory)
            let file = try #require(files().first)
            var namespace = stat()
            #expect(stat("/proc/self/ns/net", &namespace) == 0 && file.contains(String(namespace.st_ino)))
            withExtendedLifetime(first) {}
            _ = consume first
            // What SIGKILL leaves.
            #expect(FileManager.default.createFile(atPath: "\(directory)/\(file)", contents: nil))
            _ = try InstanceLock(directory: directory)
            #expect(files().isEmpty)
        }
    }

    @Test
    func `Whoever takes the name that used to be the lock keeps no daemon from starting, and lets no second start`()
        throws
    {
        let squatter = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(squatter) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0[1...].copyBytes(from: "shim6d".utf8) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + 1 + 6)
        _ = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(squatter, $0, length) }
        }
        try withDirectory { directory in
            let first = try InstanceLock(directory: directory)
            #expect(throws: StartFailure.self) { _ = try InstanceLock(directory: directory) }
            withExtendedLifetime(first) {}
        }
    }

    @Test func `A directory that others can write to, or that cannot be made, is one clear line`() throws {
        try withDirectory { directory in
            try FileManager.default.createDirectory(
                atPath: directory, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o777])
            chmod(directory, 0o777)
            let open = #expect(throws: StartFailure.self) { _ = try InstanceLock(directory: directory) }
            #expect(open?.exitCode == 73)
            #expect(open?.message == "\(directory): must be a directory of root's that nobody else can write to")
            let missing = #expect(throws: StartFailure.self) {
                _ = try InstanceLock(directory: "\(directory)/no/such")
            }
            #expect(missing?.exitCode == 73)
            #expect(
                missing?.message
                    == "\(directory)/no/such: the run-time directory cannot be made: No such file or directory")
            symlink("/run", "\(directory)/link")
            #expect(throws: StartFailure.self) { _ = try InstanceLock(directory: "\(directory)/link") }
        }
    }
}

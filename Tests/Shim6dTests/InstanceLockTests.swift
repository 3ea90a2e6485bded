import CLinux
import Foundation
import Testing

@testable import Shim6d

@Suite struct InstanceLockTests {
    private let name = "shim6d-test-\(UUID().uuidString)"

    @Test func `A second daemon does not start, and the next one does when the first has ended`() throws {
        let first = try InstanceLock(name: name)
        let refusal = #expect(throws: StartFailure.self) { _ = try InstanceLock(name: name) }
        #expect(refusal?.exitCode == 75)
        withExtendedLifetime(first) {}
        _ = consume first
        _ = try InstanceLock(name: name)
    }

    @Test func `However often others ask for the name, a daemon keeps it`() throws {
        let first = try InstanceLock(name: name)
        for _ in 0..<30 { #expect(throws: StartFailure.self) { _ = try InstanceLock(name: name) } }
        withExtendedLifetime(first) {}
    }

    @Test func `Somebody who has just taken the name keeps no daemon from starting`() throws {
        let squatter = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(squatter) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0[1...].copyBytes(from: name.utf8) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + 1 + name.utf8.count)
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(squatter, $0, length) }
        }
        #expect(bound == 0)
        _ = try InstanceLock(name: name)
    }
}

import CGA
import Configuration
import Foundation
import Logging
import Shim6Wire
import Testing

@testable import Shim6d

@Suite struct IdentitiesTests {
    private let directory = FileManager.default.temporaryDirectory.appending(path: "shim6d-\(UUID().uuidString)").path
    private let prefix = IPv6Prefix(IPv6Address(high: 0x2001_0db8_00a1_0000, low: 0), length: 64)
    private let log = Logger(label: "test")

    private func configuration() -> Configuration.Identity {
        var identity = Configuration.Identity()
        identity.directory = directory
        identity.key = "\(directory)/key.pem"
        identity.keyBits = 1024
        return identity
    }

    private func removeDirectory() { try? FileManager.default.removeItem(atPath: directory) }

    @Test func `The first start makes a key that only its owner can read, and an address that verifies`() throws {
        defer { removeDirectory() }
        let identities = try Identities(configuration(), log: log)
        let address = try identities.address(in: try #require(prefix))
        let octets = try #require(identities.parameters(of: address))
        #expect(throws: Never.self) { try CGAParameters(octets).verify(address) }
        #expect(address.low >> 61 == 1)
        let attributes = try FileManager.default.attributesOfItem(atPath: "\(directory)/key.pem")
        #expect(attributes[.posixPermissions] as? Int == 0o600)
    }

    @Test func `A restart keeps the address`() throws {
        defer { removeDirectory() }
        let prefix = try #require(prefix)
        let first = try Identities(configuration(), log: log).address(in: prefix)
        let second = try Identities(configuration(), log: log).address(in: prefix)
        #expect(first == second)
    }

    @Test func `A duplicate is replaced, and a restart keeps the replacement`() throws {
        defer { removeDirectory() }
        let prefix = try #require(prefix)
        let identities = try Identities(configuration(), log: log)
        let taken = try identities.address(in: prefix)
        let fresh = try identities.replace(taken)
        #expect(fresh != taken && prefix.contains(fresh))
        #expect(try identities.address(in: prefix) == fresh)
        #expect(try Identities(configuration(), log: log).address(in: prefix) == fresh)
    }

    @Test func `After three duplicates there is an error and no fourth try`() throws {
        defer { removeDirectory() }
        let identities = try Identities(configuration(), log: log)
        var address = try identities.address(in: try #require(prefix))
        for _ in 0..<2 { address = try identities.replace(address) }
        #expect(throws: StartFailure.self) { try identities.replace(address) }
    }

    @Test func `A key that others can read is refused by name`() throws {
        defer { removeDirectory() }
        _ = try Identities(configuration(), log: log)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: "\(directory)/key.pem")
        let failure = #expect(throws: StartFailure.self) { try Identities(configuration(), log: log) }
        #expect(failure?.message.contains("key.pem") == true)
        #expect(failure?.exitCode == 78)
    }

    @Test func `An identity that was brought along is recognised on the interface, and nothing is made`() throws {
        defer { removeDirectory() }
        let made = try Identities(configuration(), log: log)
        let address = try made.address(in: try #require(prefix))
        var brought = configuration()
        brought.privateKey = "\(directory)/key.pem"
        brought.parameters = ["\(directory)/2001:db8:a1::.cga"]
        let identities = try Identities(brought, log: log)
        #expect(!identities.makesAddresses)
        #expect(identities.recognise(address))
        #expect(!identities.recognise(IPv6Address(high: address.high, low: address.low ^ 1)))
        let signature = try #require(identities.signature(by: address, generation: 1, locators: [address]))
        var verifier = LocatorListVerifier()
        let parameters = try #require(identities.parameters(of: address))
        #expect(throws: Never.self) {
            try verifier.verify(
                ulid: address, parameters: parameters, generation: 1, locators: [address], signature: signature)
        }
    }

    @Test func `Parameters of another key are refused`() throws {
        defer { removeDirectory() }
        _ = try Identities(configuration(), log: log).address(in: try #require(prefix))
        var brought = configuration()
        brought.privateKey = "\(directory)/other.pem"
        brought.parameters = ["\(directory)/2001:db8:a1::.cga"]
        try Data(try PrivateKey.generate(bits: 1024).pem()).write(to: URL(filePath: "\(directory)/other.pem"))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: "\(directory)/other.pem")
        let failure = #expect(throws: StartFailure.self) { try Identities(brought, log: log) }
        #expect(failure?.message.contains("other.pem") == true)
    }
}

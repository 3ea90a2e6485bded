import CGA
import Configuration
import Foundation
import KernelRows
import Logging
import REAP
import Requirements
import Shim6Wire
import Testing

@testable import Shim6Daemon

@Suite struct IdentitiesTests {
    private let directory = FileManager.default.temporaryDirectory.appending(path: "shim6d-\(UUID().uuidString)").path
    private let prefixes = (1...4).compactMap {
        IPv6Prefix(IPv6Address(high: 0x2001_0db8_00a0_0000 + $0 << 16, low: 0), length: 64)
    }
    private let log = Logger(label: "test")

    private func configuration() -> Configuration.Identity {
        var identity = Configuration.Identity()
        identity.directory = directory
        identity.key = "\(directory)/key.pem"
        identity.keyBits = 1024
        return identity
    }

    private func removeDirectory() { try? FileManager.default.removeItem(atPath: directory) }

    /// Whose worker is done at once.
    private func identities(_ configuration: Configuration.Identity? = nil) throws -> Identities {
        let identities = try Identities(configuration ?? self.configuration(), log: log)
        identities.work = { [unowned identities] job in
            do throws(StartFailure) {
                try identities.finish(Result { try job.run { true } })
            } catch {
                Issue.record("\(error)")
            }
        }
        return identities
    }

    /// The addresses in prefixes that are all there are.
    private func provided(_ identities: Identities, _ prefixes: ArraySlice<IPv6Prefix>) throws -> [IPv6Address] {
        let isWaiting = identities.provide(for: Array(prefixes), areAll: true, at: .monotonicNow)
        #expect(!isWaiting)
        return try prefixes.map { try #require(identities.address(in: $0)) }
    }

    private func methods(_ identities: Identities, of ulid: IPv6Address, _ locators: [IPv6Address]) -> [Bool] {
        locators.map { identities.isInSet($0, of: ulid) }
    }

    @Test(.requirement("5535-8.1-01", "5533-3-01"))
    func `The first start makes a key that only its owner can read, and one set that verifies`() throws {
        defer { removeDirectory() }
        let identities = try identities()
        let addresses = try provided(identities, prefixes[0..<2])
        for address in addresses {
            let parameters = try CGAParameters(try #require(identities.parameters(of: address)))
            #expect(throws: Never.self) { try parameters.verify(address) }
            for member in addresses { #expect(throws: Never.self) { try parameters.verify(member, by: .hba) } }
            #expect(address.low >> 61 == 1)
            #expect(methods(identities, of: address, addresses) == [true, true])
        }
        let attributes = try FileManager.default.attributesOfItem(atPath: "\(directory)/key.pem")
        #expect(attributes[.posixPermissions] as? Int == 0o600)
    }

    @Test func `A prefix that comes later gets an address with the same key that is signed`() throws {
        defer { removeDirectory() }
        let identities = try identities()
        let set = try provided(identities, prefixes[0..<2])
        let all = try provided(identities, prefixes[0..<3])
        #expect(Array(all.prefix(2)) == set)
        #expect(methods(identities, of: set[0], all) == [true, true, false])
        #expect(methods(identities, of: all[2], all) == [false, false, false])
        let signature = try #require(identities.signature(by: all[2], generation: 1, locators: all))
        var verifier = LocatorListVerifier()
        let parameters = try #require(identities.parameters(of: all[2]))
        #expect(throws: Never.self) {
            try verifier.verify(
                ulid: all[2], parameters: parameters, generation: 1, locators: all, signature: signature)
        }
    }

    @Test func `Without HBA every address is a CGA of its own`() throws {
        defer { removeDirectory() }
        var configuration = configuration()
        configuration.hba = false
        let identities = try identities(configuration)
        let addresses = try provided(identities, prefixes[0..<2])
        #expect(methods(identities, of: addresses[0], addresses) == [false, false])
    }

    @Test func `The first addresses wait a little for the other uplinks' prefixes`() throws {
        defer { removeDirectory() }
        let identities = try identities()
        let now = Instant.monotonicNow
        #expect(identities.provide(for: Array(prefixes[0..<1]), areAll: false, at: now))
        #expect(identities.address(in: prefixes[0]) == nil)
        #expect(!identities.provide(for: Array(prefixes[0..<1]), areAll: false, at: now + .seconds(6)))
        #expect(identities.address(in: prefixes[0]) != nil)
    }

    @Test func `Routers that advertise ever other prefixes fill neither memory nor disk`() throws {
        defer { removeDirectory() }
        let identities = try identities()
        let steady = try provided(identities, prefixes[0..<1])
        for number in 0..<200 as Range<UInt64> {
            let other = try #require(IPv6Prefix(IPv6Address(high: 0x2001_0db8_00ff_0000 + number, low: 0), length: 64))
            _ = try provided(identities, [prefixes[0], other])
            for address in identities.retired { identities.forget(address) }
        }
        #expect(try provided(identities, prefixes[0..<1]) == steady)
        #expect(identities.addresses.count <= 66)
        let files = try FileManager.default.contentsOfDirectory(atPath: directory)
        #expect(files.count <= 67)
    }

    @Test func `A restart keeps the addresses, also that of a member whose parameters are lost`() throws {
        defer { removeDirectory() }
        let first = try provided(identities(), prefixes[0..<3])
        #expect(try provided(identities(), prefixes[0..<3]) == first)
        try FileManager.default.removeItem(atPath: "\(directory)/2001:db8:a2::.cga")
        #expect(try provided(identities(), prefixes[0..<3]) == first)
    }

    @Test func `Parameters that cannot be read are put aside, and those of a set are made again`() throws {
        defer { removeDirectory() }
        let first = try provided(identities(), prefixes[0..<3])
        let paths = (1...3).map { "\(directory)/2001:db8:a\($0)::.cga" }
        let whole = try Data(contentsOf: URL(filePath: paths[0]))
        try whole.prefix(100).write(to: URL(filePath: paths[0]))
        unlink(paths[1])
        mkfifo(paths[1], 0o644)
        mkdir("\(directory)/2001:db8:a9::.cga", 0o755)
        #expect(try provided(identities(), prefixes[0..<3]) == first)
        #expect(try Data(contentsOf: URL(filePath: paths[0])) == whole)
        #expect(try Data(contentsOf: URL(filePath: paths[0] + ".unusable")) == whole.prefix(100))
        #expect(access(paths[1] + ".unusable", F_OK) == 0)
        // Nothing of it is in the way of the next start.
        #expect(try provided(identities(), prefixes[0..<3]) == first)
    }

    @Test func `Where all parameters are cut short other addresses are made`() throws {
        defer { removeDirectory() }
        let first = try provided(identities(), prefixes[0..<1])
        let path = "\(directory)/2001:db8:a1::.cga"
        try Data().write(to: URL(filePath: path))
        let second = try provided(identities(), prefixes[0..<1])
        #expect(second != first)
        #expect(try provided(identities(), prefixes[0..<1]) == second)
    }

    @Test func `What a start that was killed has left is no obstacle`() throws {
        defer { removeDirectory() }
        mkdir(directory, 0o700)
        try Data("half a key".utf8).write(to: URL(filePath: "\(directory)/key.pem.new"))
        mkdir("\(directory)/2001:db8:a1::.cga.new", 0o700)
        let first = try provided(identities(), prefixes[0..<1])
        #expect(try provided(identities(), prefixes[0..<1]) == first)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: directory).sorted() == [
                "2001:db8:a1::.cga", "key.pem",
            ])
        unlink("\(directory)/key.pem")
        mkdir("\(directory)/key.pem.new", 0o700)
        try Data().write(to: URL(filePath: "\(directory)/key.pem.new/x"))
        let failure = #expect(throws: StartFailure.self) { try Identities(configuration(), log: log) }
        #expect(failure?.exitCode == 73)
        #expect(failure?.message == "\(directory)/key.pem.new: a directory is in the way: Directory not empty")
    }

    @Test(arguments: ["fifo", "directory", "empty", "cut", "endless", "loop"])
    func `A key file that is none is one clear line, and stays as it is`(kind: String) throws {
        defer { removeDirectory() }
        _ = try identities()
        let path = configuration().key
        let whole = try Data(contentsOf: URL(filePath: path))
        unlink(path)
        switch kind {
        case "fifo": mkfifo(path, 0o600)
        case "directory": mkdir(path, 0o700)
        case "empty":
            _ = FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600])
        case "cut":
            _ = FileManager.default.createFile(
                atPath: path, contents: whole.prefix(200), attributes: [.posixPermissions: 0o600])
        case "endless": symlink("/dev/zero", path)
        default: symlink(path, path)
        }
        let failure = #expect(throws: StartFailure.self) { try Identities(configuration(), log: log) }
        #expect(failure?.exitCode == 78)
        #expect(failure?.message.hasPrefix("\(path): ") == true && failure?.message.contains("\n") == false)
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["key.pem"])
    }

    @Test(.requirement("5535-6-16"))
    func `A duplicate in the set changes all members, and a restart keeps them`() throws {
        defer { removeDirectory() }
        let identities = try identities()
        let taken = try provided(identities, prefixes[0..<2])
        try identities.replace(taken[0])
        let fresh = try provided(identities, prefixes[0..<2])
        #expect(Set(fresh).isDisjoint(with: taken))
        #expect(identities.retired == [taken[1]])
        #expect(identities.parameters(of: taken[0]) == nil && identities.parameters(of: taken[1]) != nil)
        #expect(fresh.map { identities.proof(of: $0)?.collisionCount } == [1, 1])
        #expect(methods(identities, of: fresh[0], fresh) == [true, true])
        #expect(try provided(self.identities(), prefixes[0..<2]) == fresh)
    }

    @Test(.requirement("3972-4-10"))
    func `A duplicate of a CGA changes that one alone`() throws {
        defer { removeDirectory() }
        let identities = try identities()
        _ = try provided(identities, prefixes[0..<2])
        let before = try provided(identities, prefixes[0..<4])
        try identities.replace(before[3])
        let after = try provided(identities, prefixes[0..<4])
        #expect(after[0..<3] == before[0..<3] && after[3] != before[3])
        #expect(identities.retired.isEmpty)
    }

    @Test(.requirement("3972-4-11", "5535-6-17"))
    func `After three duplicates there is an error and no fourth try until the identity is renewed`() throws {
        defer { removeDirectory() }
        let identities = try identities()
        for _ in 0..<2 { try identities.replace(try provided(identities, prefixes[0..<2])[0]) }
        let last = try provided(identities, prefixes[0..<2])
        #expect(throws: StartFailure.self) { try identities.replace(last[0]) }
        #expect(!identities.provide(for: Array(prefixes[0..<2]), areAll: true, at: .monotonicNow))
        #expect(identities.address(in: prefixes[0]) == nil)
        #expect(identities.address(in: prefixes[1]) == last[1])
        #expect(identities.exhausted == [prefixes[0].address.high])
        #expect(identities.renew(over: Array(prefixes[0..<2]), withNewKey: false))
        #expect(identities.address(in: prefixes[0]) != nil && identities.exhausted.isEmpty)
    }

    @Test(.requirement("3972-7.1-03", "3972-7.1-04"))
    func `Rotation makes another key, and the old addresses keep their proof until they are forgotten`() throws {
        defer { removeDirectory() }
        let old = try provided(identities(), prefixes[0..<3])
        var configuration = configuration()
        configuration.keyBits = 1088
        let identities = try identities(configuration)
        let earlierKey = identities.key.subjectPublicKeyInfo
        #expect(identities.key.bits == 1024)
        #expect(identities.renew(over: Array(prefixes[0..<2]), withNewKey: true))
        let fresh = try provided(identities, prefixes[0..<2])
        #expect(identities.key.bits == 1088)
        #expect(identities.retired == Set(old) && Set(fresh).isDisjoint(with: old))
        #expect(identities.proof(of: old[0])?.publicKey == earlierKey)
        #expect(identities.signature(by: old[0], generation: 1, locators: old) != nil)
        for address in old { identities.forget(address) }
        #expect(identities.retired.isEmpty && identities.parameters(of: old[0]) == nil)
        identities.forget(fresh[0])
        #expect(identities.parameters(of: fresh[0]) != nil)
        let restarted = try self.identities()
        #expect(try provided(restarted, prefixes[0..<2]) == fresh && restarted.key.bits == 1088)
    }

    @Test func `New addresses of the same key leave the key alone`() throws {
        defer { removeDirectory() }
        let identities = try identities()
        let old = try provided(identities, prefixes[0..<2])
        let key = identities.key.subjectPublicKeyInfo
        #expect(identities.renew(over: Array(prefixes[0..<3]), withNewKey: false))
        let fresh = try provided(identities, prefixes[0..<3])
        #expect(identities.key.subjectPublicKeyInfo == key && Set(fresh).isDisjoint(with: old))
        #expect(methods(identities, of: fresh[2], fresh) == [true, true, true])
    }

    @Test func `A job that fails changes nothing and is not tried again at once`() throws {
        defer { removeDirectory() }
        let identities = try Identities(configuration(), log: log)
        var jobs = 0
        identities.work = { _ in jobs += 1 }
        let now = Instant.monotonicNow
        #expect(!identities.provide(for: prefixes, areAll: true, at: now) && jobs == 1 && identities.isMaking)
        // One at a time.
        #expect(!identities.provide(for: prefixes, areAll: true, at: now) && jobs == 1)
        #expect(!identities.renew(over: prefixes, withNewKey: true))
        #expect(throws: StartFailure.self) { try identities.finish(.failure(CGAGenerationError.cancelled)) }
        #expect(identities.provide(for: prefixes, areAll: true, at: now) && jobs == 1)
        #expect(!identities.provide(for: prefixes, areAll: true, at: now + .seconds(120)) && jobs == 2)
    }

    // A signature by a key that others have proves nothing.
    @Test(.requirement("5535-8.1-01"))
    func `A key that others can read is refused by name`() throws {
        defer { removeDirectory() }
        _ = try Identities(configuration(), log: log)
        for mode in [0o640, 0o604] {
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: "\(directory)/key.pem")
            let failure = #expect(throws: StartFailure.self) { try Identities(configuration(), log: log) }
            #expect(failure?.message.contains("key.pem") == true)
            #expect(failure?.exitCode == 78)
        }
    }

    @Test func `An identity that was brought along is recognised on the interface, and nothing is made`() throws {
        defer { removeDirectory() }
        let made = try identities()
        let address = try provided(made, prefixes[0..<1])[0]
        var brought = configuration()
        brought.privateKey = "\(directory)/key.pem"
        brought.parameters = ["\(directory)/2001:db8:a1::.cga"]
        let identities = try identities(brought)
        #expect(!identities.makesAddresses)
        #expect(!identities.renew(over: prefixes, withNewKey: true))
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
        _ = try provided(identities(), prefixes[0..<1])
        var brought = configuration()
        brought.privateKey = "\(directory)/other.pem"
        brought.parameters = ["\(directory)/2001:db8:a1::.cga"]
        try Data(try PrivateKey.generate(bits: 1024).pem()).write(to: URL(filePath: "\(directory)/other.pem"))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: "\(directory)/other.pem")
        let failure = #expect(throws: StartFailure.self) { try Identities(brought, log: log) }
        #expect(failure?.message.contains("other.pem") == true)
    }
}

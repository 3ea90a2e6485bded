import CGA
import Foundation
import Requirements
import Testing
import Vectors

/// `shim6ctl cga` and `shim6ctl hba`, which need no daemon.
@Suite struct AddressToolTests {
    private struct Known: Decodable {
        struct Key: Decodable {
            let name: String
            let spki_hex: String
            let private_key_der_hex: String
        }
        struct CGA: Decodable {
            let name: String
            let key: String?
            let sec: Int
            let subnet_prefix: String
            let initial_modifier_hex: String
            let final_modifier_hex: String
            let hash2_iterations: UInt64
            let addresses_rejected_by_dad: [String]
            let pds_hex: String
            let address: String
        }
        struct HBA: Decodable {
            struct Member: Decodable {
                let pds_hex: String
                let address: String
            }
            let members: [Member]
        }
        struct Negative: Decodable {
            let name: String
            let verify: String
            let address: String
            let pds_hex: String
            let expect: Bool
        }
        let keys: [Key]
        let cga: [CGA]
        let hba: [HBA]
        let negative: [Negative]
    }

    private struct Generated: Decodable {
        struct Address: Decodable {
            let address: String
            let modifier: String
            let parameters: String
            let file: String?
        }
        let attempts: UInt64
        let addresses: [Address]
    }

    private struct State: Codable {
        var version = 1
        var sec: Int
        var attempts: UInt64
        var parameters: String
    }

    private let known: Known
    private let directory: URL

    init() throws {
        known = try Vectors.json("vectors.json")
        directory = FileManager.default.temporaryDirectory.appending(path: "shim6ctl-\(UUID().uuidString)")
    }

    /// Runs `body` off the threads of the tests, with a directory for its files.
    private func inDirectory(_ body: @escaping @Sendable () throws -> Void) async throws {
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        try await ThreadPerJob.run(body)
    }

    private func path(_ name: String) -> String { directory.appending(path: name).path }

    private func write(_ octets: some Sequence<UInt8>, to name: String) throws -> String {
        try Data(octets).write(to: URL(filePath: path(name)))
        return path(name)
    }

    private func start(_ arguments: [String]) throws -> RunningProgram {
        try RunningProgram(["--chdir=\(directory.path)", RunningProgram.built("shim6ctl")] + arguments)
    }

    private func run(_ arguments: String...) throws -> (code: Int32, output: String, errors: String) {
        try start(arguments).finish()
    }

    private func generate(_ arguments: String...) throws -> Generated {
        let end = try start(arguments + ["--json"]).finish()
        #expect(end.code == 0, "\(end.errors)")
        return try JSONDecoder().decode(Generated.self, from: Data(end.output.utf8))
    }

    private func privateKey(_ name: String) throws -> [UInt8] {
        let text = try #require(known.keys.first { $0.name == name }).private_key_der_hex
        return try #require([UInt8](hex: text))
    }

    @Test func `Keys are read as PEM and DER, PKCS#8 and PKCS#1, and give addresses that verify`() async throws {
        try await inDirectory {
            let der = try privateKey("rsa1024")
            // PKCS#1 is what PKCS#8 wraps in an OCTET STRING.
            let inner = Array(der.dropFirst(26))
            let pem = try PrivateKey(der: der).pem()
            let body = Data(inner).base64EncodedString(options: .lineLength64Characters)
            let innerPEM = "-----BEGIN RSA PRIVATE KEY-----\n\(body)\n-----END RSA PRIVATE KEY-----\n"
            for (index, octets) in [der, inner, pem, Array(innerPEM.utf8)].enumerated() {
                let key = try write(octets, to: "key\(index)")
                let made = try generate(
                    "cga", "generate", "--key", key, "--prefix", "2001:db8:1::/64", "--prefix", "2001:db8:2::")
                #expect(made.addresses.count == 2 && made.attempts > 0)
                #expect(made.addresses[0].modifier == made.addresses[1].modifier)
                for address in made.addresses {
                    #expect(
                        address.parameters.contains(try #require(known.keys.first { $0.name == "rsa1024" }).spki_hex))
                    let verified = try run("cga", "verify", address.parameters, address.address)
                    #expect(verified == (0, "\(address.address) verified\n", ""))
                }
            }
        }
    }

    @Test(.requirement("3972-4-21", "3972-4-22", "3972-4-10"))
    func `A key that is not there is made, and earlier parameters save the search`() async throws {
        try await inDirectory {
            let first = try generate(
                "cga", "generate", "--key", "new.pem", "--key-bits", "1024", "--prefix", "2001:db8:1::", "--output", "."
            )
            let attributes = try FileManager.default.attributesOfItem(atPath: path("new.pem"))
            #expect(attributes[.posixPermissions] as? Int == 0o600)
            let file = try #require(first.addresses[0].file)
            let again = try generate(
                "cga", "generate", "--key", "new.pem", "--prefix", "2001:db8:1::", "--prefix", "2001:db8:2::",
                "--reuse",
                file, "--collision-count", "1")
            #expect(again.attempts <= 1)
            #expect(again.addresses.map(\.modifier) == [first.addresses[0].modifier, first.addresses[0].modifier])
            #expect(again.addresses[0].address != first.addresses[0].address)
            for address in again.addresses {
                #expect(try run("cga", "verify", address.parameters, address.address).code == 0)
            }
            let other = try run(
                "cga", "generate", "--key", "other.pem", "--key-bits", "1024", "--prefix", "::", "--reuse", file)
            #expect(other.code == 65 && other.errors.contains("another key"))
        }
    }

    @Test func `A search goes on where a file says that it was left, and ends where it would have ended`() async throws
    {
        let vector = try #require(known.cga.first { $0.name == "cga-sec1-rsa2048-cc2" })
        try await inDirectory {
            let key = try write(try privateKey("rsa2048"), to: "key.der")
            let zero = String(repeating: "0", count: 18)
            let state = State(
                sec: 1, attempts: 77, parameters: vector.initial_modifier_hex + zero + vector.pds_hex.dropFirst(50))
            let file = try write(JSONEncoder().encode(state), to: "state.json")
            let arguments = ["cga", "generate", "--key", key, "--prefix", vector.subnet_prefix, "--resume", file]
            let wrong = try start(arguments + ["--sec", "2"]).finish()
            #expect(wrong.code == 65 && wrong.errors.contains("another Sec"))
            let end = try start(arguments + ["--collision-count", "2", "--json"]).finish()
            let made = try JSONDecoder().decode(Generated.self, from: Data(end.output.utf8))
            #expect(made.addresses.map(\.parameters) == [vector.pds_hex])
            #expect(made.addresses.map(\.address) == [vector.address])
            #expect(made.attempts == 77 + vector.hash2_iterations)
            #expect(!FileManager.default.fileExists(atPath: file))
        }
    }

    /// Interrupts a search when it has told how far it is.
    private func interrupt(
        _ arguments: [String]
    ) throws -> (progress: String, end: (code: Int32, output: String, errors: String)) {
        let program = try start(arguments)
        let progress = program.readErrors(through: "\n")
        program.interrupt()
        return (progress, try program.finish())
    }

    @Test(arguments: [false, true])
    func `Ctrl-C ends a search, tells how to go on, and the next run does`(isHBA: Bool) async throws {
        try await inDirectory {
            let key = try write(try privateKey("rsa1024"), to: "key.der")
            let arguments =
                (isHBA ? ["hba", "generate"] : ["cga", "generate", "--key", key])
                + ["--prefix", "2001:db8:1::", "--sec", "2", "--progress"]
            // One search in fifty is over before it can be interrupted.
            var (progress, first) = try interrupt(arguments)
            for _ in 0..<4 where first.code == 0 { (progress, first) = try interrupt(arguments) }
            #expect(progress.contains(/\d+\.\d M hashes\/s, \d+ % of the expected work, .* left/))
            #expect(first.code == 130 && first.output.isEmpty)
            let message = try #require(
                first.errors.firstMatch(of: /interrupted after (\d+) Modifiers; go on with --resume (\S+)\n/))
            let before = try #require(UInt64(message.1))
            let file = path(String(message.2))
            let state = try JSONDecoder().decode(State.self, from: Data(contentsOf: URL(filePath: file)))
            #expect(before > 0 && state.attempts == before)

            let next = try start(arguments + ["--resume", file])
            _ = next.readErrors(through: "\n")
            next.interrupt()
            #expect(try next.finish().code == 130)
            let later = try JSONDecoder().decode(State.self, from: Data(contentsOf: URL(filePath: file)))
            #expect(later.attempts > before)
            let modifiers = try [state, later].map { try #require(UInt128($0.parameters.prefix(32), radix: 16)) }
            #expect(modifiers[1] &- modifiers[0] == UInt128(later.attempts - before))
            #expect(state.parameters.dropFirst(32) == later.parameters.dropFirst(32))
        }
    }

    @Test func `A set is made with and without a key, and any parameters of it verify all members`() async throws {
        try await inDirectory {
            let key = try write(try privateKey("rsa1024"), to: "key.der")
            for arguments in [[], ["--key", key]] {
                let end = try start(
                    [
                        "--json", "hba", "generate", "--prefix", "2001:db8:a::", "--prefix", "2001:db8:b::", "--output",
                        ".",
                    ]
                        + arguments
                ).finish()
                let made = try JSONDecoder().decode(Generated.self, from: Data(end.output.utf8))
                let members = made.addresses.map(\.address)
                #expect(members.count == 2)
                for address in made.addresses {
                    let file = try #require(address.file)
                    for source in [file, address.parameters, try write(address.parameters.utf8, to: "hex")] {
                        let verified = try start(["hba", "verify", source] + members).finish()
                        #expect(verified == (0, members.map { "\($0) verified\n" }.joined(), ""))
                    }
                    let pipe = try start(["hba", "verify", "-"] + members)
                    try pipe.type(address.parameters)
                    #expect(try pipe.finish().code == 0)
                }
                let refused = try start(["hba", "verify", made.addresses[0].parameters, "2001:db8:c::1"] + members)
                    .finish()
                #expect(refused.code == 1)
                #expect(
                    refused.output.hasPrefix(
                        "2001:db8:c::1 refused: step 1: the prefix of the address is not in the set\n"))
            }
        }
    }

    @Test(.requirement("3972-5-09"))
    func `What must be refused exits with 1 and the step that failed`() async throws {
        let steps = [
            "cc3": "1", "wrong-prefix": "2", "sec-raised-to-2": "7", "iid-bit5-flipped": "4", "hba-cross-cga": "2",
            "hba-foreign-prefix": "1", "hba-no-extension": "1", "hba-p-flag-flipped": "2.4", "hba-prefix-order": "2.4",
        ]
        try await inDirectory {
            for vector in known.negative {
                let end = try run(vector.verify, "verify", vector.pds_hex, vector.address)
                #expect(end.code == (vector.expect ? 0 : 1), "\(vector.name)")
                let expected = steps[vector.name].map { "\(vector.address) refused: step \($0): " }
                #expect(
                    end.output.hasPrefix(expected ?? "\(vector.address) verified\n"), "\(vector.name): \(end.output)")
                #expect(end.errors.isEmpty)
            }
            for octets in ["00", "ffff", String(repeating: "00", count: 30)] {
                let end = try run("cga", "verify", octets, "::1", "--json")
                #expect(end.code == 1 && end.output.contains("\"verified\" : false"))
            }
        }
    }

    @Test(.requirement("3972-A-01"))
    func `show tells what parameters say`() async throws {
        let vector = try #require(known.cga.first { $0.name == "rfc3972-appendix-a" })
        let set = try #require(known.hba.first { $0.members.count == 4 })
        try await inDirectory {
            let end = try run("cga", "show", vector.pds_hex)
            #expect(
                end.output == """
                    Modifier         89a8a8b2e858d8b8f2633f44d2d4ce9b
                    Subnet Prefix    fe80::/64
                    Collision Count  0
                    Public Key       RSA, 512 bits
                    Hash1            fd4a5bf6ffb4ca6c
                    Hash2            000001ca680b83888d0912dffcce
                    Address          fe80::3c4a:5bf6:ffb4:ca6c with Sec 1
                    Address          fe80::1c4a:5bf6:ffb4:ca6c with Sec 0

                    """)
            let members = try run("cga", "show", set.members[1].pds_hex)
            for member in set.members {
                #expect(members.output.contains("Address          \(member.address) with Sec"))
            }
            #expect(members.output.contains("Multi-Prefix: 2001:db8:a:1::/64 2001:db8:b:1::/64"))
        }
    }

    @Test func `Wrong usage, missing files and unusable keys have exit codes of their own`() async throws {
        try await inDirectory {
            let prefix = ["--prefix", "2001:db8::"]
            let generate = ["cga", "generate", "--key", "key.pem"]
            for arguments in [
                generate, ["cga", "generate"] + prefix, generate + prefix + ["--sec", "3"],
                generate + ["--prefix", "2001:db8::/63"], generate + prefix + ["--key-bits", "512"],
                generate + prefix + ["--collision-count", "3"], generate + prefix + ["--threads", "0"],
                ["hba", "verify"],
            ] {
                #expect(try start(arguments).finish().code == 64, "\(arguments)")
            }
            #expect(try run("cga", "show", "nothing").code == 66)
            let key = try write("-----BEGIN PRIVATE KEY-----\n".utf8, to: "key.pem")
            let broken = try start(["cga", "generate", "--key", key] + prefix).finish()
            #expect(broken.code == 65 && broken.errors.hasPrefix("shim6ctl: \(key): no private key"))
            let twice = try start(["hba", "generate"] + prefix + prefix).finish()
            #expect(twice.code == 65 && twice.errors.contains("different"))
            let place = try start(
                ["hba", "generate", "--output", "nowhere", "--sec", "0"] + prefix
            ).finish()
            #expect(place.code == 73)
        }
    }
}

import Foundation
import Lab
import Testing

extension HostTests {
    /// A daemon that cannot work says why in one line, changes nothing and exits.
    @Suite struct RefusalTests {
        private func withHost(_ body: (Topology, Daemon) throws -> Void) throws {
            let laboratory = try Laboratory()
            defer { laboratory.close() }
            let topology = try Topology(laboratory, hosts: ["a": 1])
            try topology.waitForAddresses(of: "a")
            try body(topology, try Daemon(topology, host: "a"))
        }

        /// Runs the daemon with something in front of it and checks the refusal.
        private func expectRefusal(
            of daemon: Daemon, behind words: [String] = [], code: Int32? = nil, naming pattern: Regex<Substring>
        ) throws {
            let before = try HostState(of: daemon.namespace)
            let result = try daemon.namespace.result(
                of: words + [try Executable.daemon.path, "--config", daemon.configuration], limit: 20)
            if let code { #expect(result.exitCode == code) } else { #expect(result.exitCode != 0) }
            let lines = result.errors.split(separator: "\n")
            #expect(lines.contains { $0.contains(pattern) }, "\(result.errors)")
            #expect(lines.count <= 3, "\(result.errors)")
            #expect(result.exitCode < 128, "it was ended by a signal")
            let changes = try before.changes(to: HostState(of: daemon.namespace))
            #expect(changes.isEmpty, "\(changes)")
        }

        @Test func `An unknown key is named with file, line and nearest known key`() throws {
            try withHost { _, daemon in
                let text = try String(contentsOfFile: daemon.configuration, encoding: .utf8)
                try (text + "send-timeuot = 3.0\n").write(
                    toFile: daemon.configuration, atomically: true, encoding: .utf8)
                let line = text.split(separator: "\n").count + 1
                let expected = try Regex("a\\.toml:\(line):.*send-timeuot.*send-timeout", as: Substring.self)
                try expectRefusal(of: daemon, code: 78, naming: expected)
                let check = try daemon.namespace.result(
                    of: [try Executable.daemon.path, "--config", daemon.configuration, "--check"])
                #expect(check.exitCode == 78)
            }
        }

        @Test func `The printed defaults are a valid configuration`() throws {
            try withHost { topology, daemon in
                let text = try daemon.namespace.run(try Executable.daemon.path, "--print-defaults")
                let file = topology.laboratory.path("defaults.toml")
                try text.write(toFile: file, atomically: true, encoding: .utf8)
                try daemon.namespace.run(try Executable.daemon.path, "--config", file, "--check")
                #expect(text.contains("initial-probe-timeout = 0.5"))
            }
        }

        @Test func `Without CAP_NET_ADMIN it refuses`() throws {
            try withHost { _, daemon in
                try expectRefusal(
                    of: daemon, behind: ["setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin"],
                    naming: /CAP_NET_ADMIN/)
            }
        }

        private static let withoutBPF = ["setpriv", "--bounding-set=-bpf,-sys_admin", "--inh-caps=-bpf,-sys_admin"]

        @Test func `Without the right to load eBPF programs it refuses where it shall do that`() throws {
            try withHost { topology, _ in
                let daemon = try Daemon(topology, host: "a", settings: Daemon.Settings(driver: "bpf"))
                try expectRefusal(of: daemon, behind: Self.withoutBPF, naming: /BPF/)
            }
        }

        @Test(.enabled(if: !RefusalTests.kernelHasMobileIPv6, "this kernel has the xfrm data path"))
        func `Where no data path can be had it runs control only and says what is missing`() throws {
            try withHost { topology, daemon in
                let program = try topology.laboratory.start(
                    Self.withoutBPF + [try Executable.daemon.path, "--config", daemon.configuration],
                    in: daemon.namespace, log: "control-only.log")
                let status = try topology.laboratory.wait(for: "an answer", upTo: 20) { try? daemon.status() }
                #expect(status.dataPath.driver == "none" && status.dataPath.state != .running)
                let why = try #require(status.dataPath.detail)
                for word in ["BPF", "CONFIG_IPV6_MIP6", "shim6ctl doctor"] { #expect(why.contains(word), "\(why)") }
                #expect(try daemon.control(["status"]).contains("CONFIG_IPV6_MIP6"))
                #expect(program.text.contains("no session survives") && program.text.contains("CONFIG_IPV6_MIP6"))
                #expect(program.end(grace: 10) == 0)
            }
        }

        private static let kernelHasMobileIPv6 =
            (try? String(contentsOfFile: "/proc/kallsyms", encoding: .utf8).contains("mip6_rthdr")) ?? false

        @Test func `The xfrm data path refuses the fast profile, which it could not serve`() throws {
            try withHost { topology, _ in
                var fast = Daemon.Settings(driver: "xfrm")
                fast.sections[""] = ["profile = \"fast\""]
                var hasty = Daemon.Settings(driver: "xfrm")
                hasty.sections["reap"] = ["send-timeout = 0.5"]
                for settings in [fast, hasty] {
                    let daemon = try Daemon(topology, host: "a", settings: settings)
                    try expectRefusal(of: daemon, code: 78, naming: /traffic once a second.*driver = "bpf"/)
                }
            }
        }

        @Test func `Where libcrypto lacks the algorithms it refuses`() throws {
            try withHost { topology, daemon in
                // What a host that allows FIPS algorithms alone comes down to for us: no provider with SipHash.
                let file = topology.laboratory.path("openssl.cnf")
                let text = """
                    openssl_conf = start
                    [start]
                    providers = providers
                    [providers]
                    base = base
                    [base]
                    activate = 1
                    """
                try text.write(toFile: file, atomically: true, encoding: .utf8)
                try expectRefusal(
                    of: daemon, behind: ["env", "OPENSSL_CONF=\(file)"], code: 69,
                    naming: /libcrypto offers no .*SIPHASH/)
            }
        }

        @Test func `With the console's port taken it runs without a console and says so`() throws {
            try withHost { topology, daemon in
                try topology.laboratory.start(
                    ["socat", "TCP6-LISTEN:50000,bind=[::1]", "PIPE"], in: daemon.namespace, log: "taken.log")
                try topology.laboratory.wait(until: "the port to be taken") {
                    try daemon.namespace.run("ss", "-6Htln", "sport", "=", ":50000").contains(":50000")
                }
                try daemon.start()
                let warning = try daemon.status().warnings.first { $0.contains("[::1]:50000") }
                #expect(warning == "console on [::1]:50000: Address already in use: there is no console")
                #expect(daemon.logged.contains("console on [::1]:50000: Address already in use"))
                #expect(daemon.stop() == 0)
            }
        }

        @Test func `Where too few files may be open it takes more, or refuses`() throws {
            try withHost { _, daemon in
                let without = ["setpriv", "--bounding-set=-sys_resource", "--inh-caps=-sys_resource"]
                for limit in [12, 28] {
                    try expectRefusal(
                        of: daemon, behind: ["prlimit", "--nofile=\(limit)"] + without, code: 71,
                        naming: try Regex("only \(limit) files may be open.*LimitNOFILE", as: Substring.self))
                }
                daemon.behind = ["prlimit", "--nofile=28:4096"]
                try daemon.start()
                #expect(daemon.stop() == 0)
            }
        }

        @Test func `Nothing that stands in place of the control socket is taken away`() throws {
            try withHost { topology, daemon in
                let text = try String(contentsOfFile: daemon.configuration, encoding: .utf8)
                func refuse(_ socket: String, _ code: Int32, _ pattern: String, extra: String = "") throws {
                    try text.replacing("socket = \"\(daemon.socket)\"", with: "socket = \"\(socket)\"\n\(extra)")
                        .write(toFile: daemon.configuration, atomically: true, encoding: .utf8)
                    try expectRefusal(of: daemon, code: code, naming: try Regex(pattern, as: Substring.self))
                }
                let place = topology.laboratory.path("place")
                try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: false)
                try refuse(place, 73, "place: exists and is not a socket")
                try refuse("\(place)/no/s", 73, "s: No such file or directory")
                try Data("precious".utf8).write(to: URL(filePath: "\(place)/file"))
                try refuse("\(place)/file", 73, "file: exists and is not a socket")
                #expect(try String(contentsOfFile: "\(place)/file", encoding: .utf8) == "precious")
                try refuse(daemon.socket, 78, "there is no group \"nobody-at-all\"", extra: "group = \"nobody-at-all\"")
            }
        }

        @Test func `A second daemon on the same socket refuses and does not disturb the first`() throws {
            try withHost { topology, daemon in
                try daemon.start()
                // Whoever else has the name that used to keep a second one from starting.
                try topology.laboratory.start(
                    ["socat", "ABSTRACT-LISTEN:shim6d,fork", "PIPE"], in: daemon.namespace, log: "squatter.log")
                try expectRefusal(of: daemon, code: 75, naming: /another shim6d/)
                #expect(daemon.isRunning)
                #expect(try daemon.status().processId == daemon.identifier)
                #expect(daemon.stop() == 0)
            }
        }
    }
}

import Foundation
import Lab
import Shim6Control
import Shim6Wire

/// Two hosts on one veth link, a daemon on each, with as many addresses as asked for: every pair of them is a ULID pair.
struct JoinedHosts {
    let laboratory: Laboratory
    let a: Host
    let b: Host

    /// - Parameters:
    ///   - addresses: of each host, every one in a /48 of its own, as the kernel program limits I1s by these.
    ///   - hba: whether they are one HBA set, or CGAs whose lists are signed with RSA 2048.
    init(_ laboratory: Laboratory, addresses: Int, hba: Bool) throws {
        self.laboratory = laboratory
        let namespaces = try ["a": laboratory.namespace("a"), "b": laboratory.namespace("b")]
        guard let ofA = namespaces["a"], let ofB = namespaces["b"] else { throw LabError("no hosts") }
        try Program.run([
            "ip", "link", "add", "e0", "netns", ofA.name, "type", "veth", "peer", "name", "e0", "netns", ofB.name,
        ])
        for (namespace, own, other) in [(ofA, "a", "b"), (ofB, "b", "a")] {
            try namespace.set(["net.ipv6.conf.all.accept_ra": "0", "net.ipv6.conf.e0.accept_ra": "0"])
            try namespace.run("ip", "link", "set", "e0", "up")
            try namespace.run("ip", "addr", "add", "2001:db8:ffff::\(own)/64", "dev", "e0", "nodad")
            try namespace.run("ip", "-6", "route", "add", "default", "via", "2001:db8:ffff::\(other)", "dev", "e0")
        }
        a = try Host(laboratory, "a", ofA, addresses: addresses, hba: hba, isInitiator: true)
        b = try Host(laboratory, "b", ofB, addresses: addresses, hba: hba, isInitiator: false)
    }

    func start() throws {
        try a.start()
        try b.start()
        for host in [a, b] { try host.waitForLocators() }
    }

    /// One host with its daemon.
    final class Host {
        let name: String
        let namespace: Namespace
        private let laboratory: Laboratory
        private let configuration: String
        private let socket: String
        private let addresses: Int
        private var program: Program?

        init(
            _ laboratory: Laboratory, _ name: String, _ namespace: Namespace, addresses: Int, hba: Bool,
            isInitiator: Bool
        ) throws {
            self.laboratory = laboratory
            self.name = name
            self.namespace = namespace
            self.addresses = addresses
            socket = laboratory.path("\(name).sock")
            configuration = laboratory.path("\(name).toml")
            let state = laboratory.path("\(name)-state")
            try FileManager.default.createDirectory(atPath: state, withIntermediateDirectories: true)
            let prefixes = (0..<addresses).map { "\"2001:db8:\(name)\(String(format: "%02x", $0))::/64\"" }
            // The first packet of a pair makes its context, on one side only: else both would try at the same time.
            try """
            [[uplink]]
            interface = "e0"
            gateway = "2001:db8:ffff::\(name == "a" ? "b" : "a")"
            prefixes = [\(prefixes.joined(separator: ", "))]
            [identity]
            key = "\(state)/key.pem"
            directory = "\(state)"
            hba = \(hba)
            [data-path]
            trigger-octets = \(isInitiator ? 0 : 1_000_000_000)
            trigger-age = 86400
            [limits]
            max-locators = 4
            max-verifications-per-second = 1000000
            [control]
            socket = "\(socket)"
            [console]
            enabled = false

            """.write(toFile: configuration, atomically: true, encoding: .utf8)
        }

        func start() throws {
            program = try laboratory.start(
                [try Executable.daemon.path, "--config", configuration], in: namespace, log: "\(name).log")
        }

        func stop() { program?.end(grace: 20) }

        private func ask(_ command: Command) throws -> Response { try ControlClient(path: socket).send(command) }

        var locators: [IPv6Address] {
            get throws {
                guard case .locators(let report) = try ask(.locators) else { return [] }
                return report.locators.filter { $0.state == .usable && $0.method != nil }.map(\.address)
            }
        }

        func waitForLocators() throws {
            try laboratory.wait(until: "\(addresses) locators on host \(name)", upTo: 120) {
                guard program?.isRunning == true else {
                    throw LabError(try String(contentsOfFile: laboratory.path("\(name).log"), encoding: .utf8))
                }
                return (try? locators.count) == addresses
            }
        }

        var established: Int {
            get throws {
                guard case .status(let report) = try ask(.status) else { return 0 }
                return report.contexts["ESTABLISHED", default: 0]
            }
        }

        var drops: [String: UInt64] {
            get throws {
                guard case .status(let report) = try ask(.status) else { return [:] }
                return report.drops
            }
        }

        /// When the last context was established, and whether all its locators are verified and as many as wanted.
        func lastEstablished(locators: Int) throws -> Clock.Moment {
            let client = try ControlClient(path: socket)
            guard case .contexts(let list) = try client.send(.contexts) else { throw LabError("no list") }
            var last = Clock.Moment(nanoseconds: 0)
            for context in list.contexts {
                guard case .context(let detail) = try client.send(.context(context.tag)),
                    let established = detail.established
                else { throw LabError("\(context.tag) is not established") }
                guard detail.peerLocators.locators.count == locators,
                    detail.peerLocators.locators.allSatisfy(\.verified)
                else { throw LabError("\(context.tag) has not \(locators) verified locators") }
                last = max(last, Clock.Moment(nanoseconds: established.monotonicNs))
            }
            return last
        }

        /// Processor time of the daemon so far, seconds.
        var processorTime: Double {
            get throws {
                guard let identifier = program?.identifier else { return 0 }
                // `ip netns exec` becomes the program that it runs.
                let text = try String(contentsOfFile: "/proc/\(identifier)/stat", encoding: .utf8)
                let fields = text.split(separator: ")").last?.split(separator: " ") ?? []
                return fields[11...12].compactMap { Double($0) }.reduce(0, +) / Double(sysconf(Int32(_SC_CLK_TCK)))
            }
        }
    }
}

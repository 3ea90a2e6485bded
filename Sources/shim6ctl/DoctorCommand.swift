import ArgumentParser
import Doctor
import Shim6Control
import Shim6Wire

extension Shim6ctl {
    struct Doctor: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Try everything that shim6d depends on, and tell what to type.",
            discussion: """
                Run it as root, with or without a daemon. It sends packets: without PEER no further than the first \
                router of each uplink, with PEER over every uplink to each of its addresses. It also lets packets come \
                in as if a peer had sent them, to see whether this host's filters let them pass. It tries rules that \
                look at the peer's address only with PEER. Nothing that it makes stays.

                Exit codes: 0 all is well, 1 something has failed, 2 something could not be tried.
                """)
        @Argument(help: "Addresses of a host with Shim6.") var peer: [IPv6Address] = []
        @Option(help: "The daemon's configuration file.") var config = "/etc/shim6d.toml"
        @OptionGroup var common: CommonOptions

        func run() throws {
            let status = daemon()
            let findings =
                findings(status)
                + examineHost(configuration: config, peers: peer + otherLocators(), daemonRuns: status != nil)
            print(
                common.json ? try ControlLine.encodePretty(findings) : findings.text,
                terminator: common.json ? "\n" : "")
            guard findings.exitCode == 0 else {
                try Shim6ctl.flushOutput()
                throw ExitCode(findings.exitCode)
            }
        }

        private func daemon() -> StatusReport? {
            guard case .status(let status)? = try? common.client.send(.status) else { return nil }
            return status
        }

        /// The other addresses of the peers with which there are contexts.
        private func otherLocators() -> [IPv6Address] {
            guard !peer.isEmpty, case .contexts(let list)? = try? common.client.send(.contexts) else { return [] }
            let locators = list.contexts.filter { peer.contains($0.ulids.peer) }.flatMap { context in
                guard case .context(let detail)? = try? common.client.send(.context(context.tag)) else {
                    return [IPv6Address]()
                }
                return detail.peerLocators.locators.filter { $0.state != .withdrawn }.map(\.address)
            }
            return Array(Swift.Set(locators).subtracting(peer)).sorted()
        }

        private func findings(_ status: StatusReport?) -> [Finding] {
            guard let status else {
                return [
                    Finding("daemon", .warning, "none answers", advice: ["systemctl status shim6d", "shim6d --check"])
                ]
            }
            let dataPath = status.dataPath
            let words = "it runs, data path \(dataPath.driver)" + (dataPath.detail.map { ": \($0)" } ?? "")
            return [Finding("daemon", dataPath.state == .running ? .ok : .warning, words)]
                + status.uplinks.compactMap(newSessions)
        }

        /// Which addresses sessions take that are not bound to any.
        private func newSessions(over uplink: UplinkStatus) -> Finding? {
            guard let sessions = uplink.newSessions else { return nil }
            return Finding(
                "uplink \(uplink.interface)", sessions.protected ? .ok : .warning, sessions.text,
                advice: sessions.protected
                    ? []
                    : [
                        "check = [\"ADDRESS\"] in its [[uplink]]: a host beyond the router that answers to ping",
                        "or prefer = true in [identity]: the provider passes every address of its prefixes",
                    ])
        }
    }
}

import ArgumentParser
import Doctor
import Shim6Control

extension Shim6ctl {
    struct Doctor: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Look at everything on this host that shim6d depends on, and tell what to type.",
            discussion: "To be run as root. Needs no daemon. Exit code 1: the daemon cannot do its work like this.")
        @Option(help: "The daemon's configuration file.") var config = "/etc/shim6d.toml"
        @OptionGroup var common: CommonOptions

        func run() throws {
            let findings = daemon() + examineHost(configuration: config)
            print(common.json ? try ControlLine.encodePretty(findings) : findings.text)
            if findings.contains(where: { $0.verdict == .failure }) { throw ExitCode(1) }
        }

        private func daemon() -> [Finding] {
            guard case .status(let status)? = try? common.client.send(.status) else {
                return [
                    Finding("daemon", .unknown, "none answers", advice: ["systemctl status shim6d", "shim6d --check"])
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

import ArgumentParser
import Lab
import Shim6Wire

extension XFRM {
    struct Choice: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Without the right to load eBPF programs xfrm is taken, and a peer that accepts no form is told of.")

        func run() throws {
            try XFRM.trial { laboratory, story in
                let pair = try Pair(laboratory, a: Daemon.Settings(driver: "auto"), b: Daemon.Settings(driver: "none"))
                pair.a.behind = ["setpriv", "--bounding-set=-bpf,-sys_admin", "--inh-caps=-bpf,-sys_admin"]
                try pair.start()
                let status = try pair.a.status()
                story.expect(
                    "auto takes xfrm where eBPF is not to be had",
                    status.dataPath.driver == "xfrm" && status.dataPath.state == .running,
                    otherwise: "\(status.dataPath)")
                let (local, peer) = (pair.ulidOfA.description, pair.ulidOfB.description)
                let doctor = try pair.a.namespace.result(
                    of: pair.a.behind + [
                        try Executable.control.path, "doctor", "--config", pair.a.configuration, "--socket",
                        pair.a.socket,
                    ])
                for line in [
                    "[ok]      daemon: it runs, data path xfrm", "[ok]      XFRM data path", "CAP_BPF missing",
                ] {
                    story.expect(
                        "doctor says: \(line)", doctor.output.contains(line), otherwise: doctor.output)
                }
                _ = try pair.a.control(["establish", local, peer])
                _ = try pair.waitUntilEstablished()
                guard let context = try pair.contextOfA() else { throw LabError("there is no context") }
                let reason = "never rehomed: the peer accepts no rehomed payload"
                let text = try pair.a.control(["context", context.summary.tag.description])
                story.expect(
                    "shim6ctl context says why payload stays with the ULIDs",
                    text.split(whereSeparator: \.isWhitespace).joined(separator: " ").contains(
                        reason.replacing(":", with: "")), otherwise: text)
                story.expect("the log says it", pair.a.logged.contains(reason), otherwise: pair.a.logged)
                let echo = try laboratory.echo(from: pair.a.namespace, local, to: pair.b.namespace, peer)
                try pair.topology.cut(pair.topology.uplink("a1"))
                try laboratory.wait(until: "an exploration", upTo: 30) {
                    try pair.contextOfA()?.counters.explorations ?? 0 > 0
                }
                try laboratory.pass(seconds: 3)
                let outgoing = try pair.contextOfA()?.summary.outgoing
                story.expect(
                    "payload stays with the ULIDs when their path fails",
                    outgoing == LocatorPair(source: pair.ulidOfA, destination: pair.ulidOfB),
                    otherwise: outgoing.map(pair.name) ?? "no context")
                try pair.topology.heal(pair.topology.uplink("a1"))
                try laboratory.pass(seconds: 3)
                let record = try echo.stop()
                story.expect("and goes on when it heals", record.received.suffix(20).allSatisfy { $0.nanoseconds != 0 })
                for daemon in [pair.a, pair.b] {
                    story.expect("shim6d on host \(daemon.host) ends when it is told to", daemon.stop() == 0)
                }
            }
        }
    }
}

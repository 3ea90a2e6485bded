import ArgumentParser
import Glibc
import Lab
import Shim6Wire

extension XFRM {
    struct Restart: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "A daemon that is killed leaves nothing that the next one does not take away.")

        func run() throws {
            try XFRM.trial { laboratory, story in
                let pair = try Pair(laboratory, a: Daemon.Settings(driver: "xfrm"), b: Daemon.Settings(driver: "xfrm"))
                let host = pair.a.namespace
                try pair.topology.waitForAddresses(of: "a")
                let untouched = try HostState(of: host)
                try pair.start()
                let idle = try Rows(of: host)
                let (local, peer) = (pair.ulidOfA.description, pair.ulidOfB.description)
                let echo = try laboratory.echo(from: host, local, to: pair.b.namespace, peer)
                _ = try pair.waitUntilEstablished()
                try pair.topology.cut(pair.topology.uplink("a1"))
                _ = try pair.waitUntilMoved(to: "payload to leave a1") { a, _ in a.source == pair.locator("a2") }
                let rehomed = try Rows(of: host)
                story.expect(
                    "a rehomed context has two policies and four states",
                    rehomed.policies.count == idle.policies.count + 2 && rehomed.states.count == 4,
                    otherwise: "\(rehomed)")
                pair.a.stop(SIGKILL)
                story.expect("all that is still there when the daemon is killed", try Rows(of: host) == rehomed)
                _ = try echo.stop()
                // While it has the context it gives it back to a host that has lost it.
                pair.b.stop()
                try pair.topology.heal(pair.topology.uplink("a1"))
                try pair.a.start()
                let fresh = try Rows(of: host)
                story.expect(
                    "the next one begins with one set of policies and no states", fresh == idle, otherwise: "\(fresh)")
                try pair.b.start()
                try pair.learnLocators()
                _ = try pair.a.control(["establish", local, peer])
                _ = try pair.waitUntilEstablished()
                let again = try Rows(of: host)
                story.expect(
                    "a context has two policies and two states, each once",
                    again.policies.count == idle.policies.count + 2 && Set(again.policies).count == again.policies.count
                        && again.states.count == 2 && Set(again.states).count == 2, otherwise: "\(again)")
                story.expect("shim6d on host a ends when it is told to", pair.a.stop() == 0)
                let left = try Rows(of: host)
                story.expect("no policy and no state is left", left.policies.isEmpty && left.states.isEmpty)
                try pair.a.start()
                pair.a.stop(SIGKILL)
                try host.run(try Executable.daemon.path, "--config", pair.a.configuration, "--flush")
                let changes = try untouched.changes(to: HostState(of: host))
                story.expect("after a kill, --flush leaves nothing", changes.isEmpty, otherwise: "\(changes)")
            }
        }
    }
}

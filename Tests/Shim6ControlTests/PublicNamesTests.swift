import Shim6Control
import Testing

/// The words of the control protocol stay as they are, whatever the cases of the code are called.
@Suite struct PublicNamesTests {
    @Test func `Events have these kinds`() {
        #expect(
            EventRecord.Kind.allCases.map(\.rawValue) == [
                "daemon", "uplink", "state", "peer-locators", "locators-announced", "locators-acknowledged",
                "reachability", "probe-sent", "probe-received", "keepalive-sent", "switched", "switch-refused",
                "damped", "first-payload", "confused", "lost",
            ])
    }

    @Test func `Errors have these codes`() {
        #expect(
            CommandError.Code.allCases.map(\.rawValue) == [
                "bad-request", "unsupported-version", "unknown-command", "bad-argument", "unknown-tag",
                "access-refused", "conflict", "limit", "unavailable", "internal",
            ])
    }

    @Test func `Commands have these names`() {
        #expect(
            ProtocolTests.requests.map(\.0.name).uniqued() == [
                "status", "contexts", "context", "establish", "fork", "remove", "locators", "identity", "events",
                "timeline", "explain", "explore", "switch", "set", "rank",
            ])
    }

    @Test func `States have these names`() {
        #expect(Failover.Outcome.allCases.map(\.rawValue) == ["open", "switched", "resumed", "ended"])
        #expect(Failover.ProbeStep.Direction.allCases.map(\.rawValue) == ["sent", "received"])
        #expect(ContextLocator.State.allCases.map(\.rawValue) == ["preferred", "usable", "withdrawn"])
        #expect(
            LocatorStatus.State.allCases.map(\.rawValue) == [
                "usable", "deprecated", "tentative", "duplicate", "unavailable", "unverifiable", "shared",
            ])
        #expect(LocatorStatus.Standing.allCases.map(\.rawValue) == ["proven", "assumed", "unproven", "refuted"])
        #expect(DataPathStatus.State.allCases.map(\.rawValue) == ["running", "degraded"])
        #expect(Explanation.Reason.allCases.map(\.rawValue) == ["ulids", "exploration", "failback", "asked"])
        #expect(Command.IdentityAction.allCases.map(\.rawValue) == ["show", "create", "rotate"])
    }
}

extension [String] {
    /// Each once, where it stands first.
    fileprivate func uniqued() -> [String] {
        enumerated().filter { firstIndex(of: $0.element) == $0.offset }.map(\.element)
    }
}

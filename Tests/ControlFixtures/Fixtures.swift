import Shim6Control
import Shim6Wire

/// Reports of an invented daemon: one context that lives on after a failover, and one that is being established.
public enum Fixtures {
    public static let tag = ContextTag(truncating: 0x4A3B_2C1D_0E0F)
    public static let otherTag = ContextTag(truncating: 0x2A)

    public static func address(_ text: String) -> IPv6Address {
        guard let address = IPv6Address(text) else { preconditionFailure("\(text) is no address") }
        return address
    }

    static let a1 = address("2001:db8:a1::1")
    static let a2 = address("2001:db8:a2::1")
    static let b1 = address("2001:db8:b1::1")
    static let b2 = address("2001:db8:b2::1")
    public static let ulids = ULIDPair(local: a1, peer: b1)
    static let out = LocatorPair(source: a2, destination: b2)
    static let back = LocatorPair(source: b1, destination: a1)
    static let plain = LocatorPair(source: a1, destination: b1)

    /// 2026-11-21T08:00:00Z is 1,000 seconds on the monotonic clock.
    public static func moment(_ seconds: Double) -> Moment {
        Moment(
            time: WallTime(microseconds: 1_795_248_000_000_000 + Int64((seconds * 1e6).rounded())),
            monotonicNs: 1_000_000_000_000 + UInt64((seconds * 1e9).rounded()))
    }

    public static let established = ContextSummary(
        tag: tag, state: "ESTABLISHED", reachability: "operational", ulids: ulids, outgoing: out, lastIncoming: back,
        rehomed: Rehoming(outgoing: true, incoming: false))

    public static let negotiating = ContextSummary(
        tag: otherTag, state: "I1-SENT", reachability: nil, ulids: ULIDPair(local: a1, peer: address("2001:db8::5")),
        outgoing: nil, lastIncoming: nil, rehomed: Rehoming(outgoing: false, incoming: false))

    public static let detail = ContextDetail(
        summary: established, peerTag: ContextTag(truncating: 0x0102_0304_0506), forkedInstance: 0,
        localLocators: LocatorSet(
            generation: 2,
            locators: [
                ContextLocator(address: a1, method: "cga", verified: true, state: .withdrawn, ulid: true),
                ContextLocator(address: a2, method: "cga", verified: true, state: .preferred, ulid: false),
            ]),
        peerLocators: LocatorSet(
            generation: 1,
            locators: [
                ContextLocator(address: b1, method: "cga", verified: true, state: .usable, ulid: true),
                ContextLocator(address: b2, method: "cga", verified: true, state: .preferred, ulid: false),
            ]),
        timeouts: ReachabilityTimeouts(send: 15, keepalive: 1, keepaliveInterval: 0.333333333),
        counters: ContextCounts(
            messagesIn: 12, messagesOut: 9, explorations: 2, switches: 1, updatesSent: 1, updatesReceived: 0),
        updatePending: false, now: moment(100), created: moment(1), established: moment(1.25),
        lastIn: moment(99.98), lastOut: moment(99.99), lastSwitch: moment(61.5))

    public static let explanation = Explanation(
        tag: tag, outgoing: plain, reason: .ulids, reachability: "operational",
        pairs: [
            Explanation.Pair(
                source: a2, destination: b2, inUse: false, verified: true, method: "cga", confirmedAgo: 1.5,
                arrivedAgo: 2.5)
        ], timers: [Explanation.ArmedTimer(name: "send", secondsLeft: 0.25)], roundTrip: 0.02, now: moment(100))

    public static let `switch` = SwitchReport(tag: tag, from: plain, to: out)

    public static let settings = SettingsReport(sendTimeout: 0.25, ranking: [out])

    public static let status = StatusReport(
        version: "0.1.0", processId: 812, started: moment(0), now: moment(3725),
        dataPath: DataPathStatus(driver: "bpf", state: .running),
        uplinks: [
            UplinkStatus(
                interface: "a1", index: 4, up: true, carrier: true, mtu: 1500, gateway: address("fe80::1"),
                gatewayState: "REACHABLE", locators: [a1],
                newSessions: NewSessions(
                    source: address("2001:db8:a1::a"), protected: false,
                    reason: "2001:db8:a1::1 is held back, since nothing beyond the gateway has answered to it yet")),
            UplinkStatus(interface: "a2", index: 5, up: true, carrier: false, locators: [a2]),
            UplinkStatus(interface: "ppp0", index: nil, up: false, carrier: false, locators: []),
        ],
        contexts: ["ESTABLISHED": 1, "I1-SENT": 1], counters: ["messages-in-i1": 12, "switches": 1, "triggers": 0],
        drops: ["bad-checksum": 3, "unknown-tag": 0],
        tables: [
            TableUsage(name: "contexts", used: 2, limit: 16_384, whenFull: "no new ones"),
            TableUsage(name: "rates", used: nil, limit: 64, overflows: nil, whenFull: "the oldest goes"),
        ],
        warnings: ["send-timeout is below the 10 s that RFC 5534, section 7, recommends"])

    public static let locators = LocatorReport(locators: [
        LocatorStatus(
            address: a1, prefixLength: 64, interface: "a1", method: "cga", securityParameter: 1, state: .unavailable,
            ulidOf: 2, sourceOf: 0),
        LocatorStatus(
            address: a2, prefixLength: 64, interface: "a2", method: "cga", securityParameter: 1, state: .usable,
            standing: .proven, newSessions: true, dns: true, ulidOf: 0, sourceOf: 1),
        LocatorStatus(
            address: address("2001:db8:a2::a"), prefixLength: 64, interface: "a2", method: nil, securityParameter: nil,
            state: .unverifiable, newSessions: false, ulidOf: 0, sourceOf: 0),
    ])

    public static let identity = IdentityReport(
        keyFile: "/var/lib/shim6d/key.pem", keyBits: 2048, broughtAlong: false, making: false,
        addresses: [
            IdentityReport.Address(
                address: a2, method: "hba", securityParameter: 1, collisionCount: 0, interface: "a2", old: false,
                ulidOf: 0),
            IdentityReport.Address(
                address: a1, method: "cga", securityParameter: 1, collisionCount: 1, interface: "a1", old: true,
                ulidOf: 2),
        ], exhausted: ["2001:db8:a3::/64"])

    public static let failover = Failover(
        number: 1, tag: tag, ulids: ulids, pair: plain, outcome: .switched, suspicion: moment(61),
        reason: "send-timer-expired", lastIn: .init(at: moment(59.98), seconds: -1.02, pair: back),
        lastOut: .init(at: moment(60.99), seconds: -0.01, pair: plain),
        probes: [
            .init(
                at: moment(61.001), seconds: 0.001, direction: .sent, pair: out, nonce: 0xBEEF, state: "exploring"),
            .init(
                at: moment(61.02), seconds: 0.02, direction: .received,
                pair: LocatorPair(source: b2, destination: a2), nonce: 0x1234_5678, state: "inbound-ok", reports: 1),
        ],
        switches: [.init(at: moment(61.021), seconds: 0.021, from: plain, to: out)],
        firstOut: .init(at: moment(61.03), seconds: 0.03, pair: out), firstIn: .init(at: moment(61.05), seconds: 0.05),
        gap: 1.07)

    public static let switched = EventRecord(
        at: moment(61.021), kind: .switched, tag: tag, ulids: ulids, from: plain, to: out)
}

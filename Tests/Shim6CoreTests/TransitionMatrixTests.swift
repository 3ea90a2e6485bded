import REAP
import Requirements
import Shim6Core
import Shim6Wire
import Testing

/// RFC 5533, section 7 and appendix B: for each state and event the next state and the messages sent, typed from the
/// text. Where both disagree the sections prevail (5533-B-01). I2BIS-SENT and what leads there are not made yet.
private let matrix: [MatrixState: [MatrixEvent: String]] = [
    .idle: [
        .heuristic: "I1 -> I1-SENT",  // B-03
        .i1: "R1 -> IDLE",  // B-02
        .i1OtherTag: "R1 -> IDLE",
        .r1: "-> IDLE",  // B-06
        .r1OtherNonce: "-> IDLE",
        .i2: "R2 -> ESTABLISHED",  // B-04
        .i2BadValidator: "-> IDLE",  // B-04
        .r2: "-> IDLE",  // B-06
        .r2OtherNonce: "-> IDLE",
        .timeout: "-> IDLE",
        .lastTimeout: "-> IDLE",
        .parameterProblem: "-> IDLE",
        .updateRequest: "-> IDLE",  // R1bis, still to come (B-07)
        .keepalive: "-> IDLE",
        .idle: "-> IDLE",
    ],
    .i1Sent: [
        .heuristic: "-> I1-SENT",
        .i1: "R2 -> I1-SENT",  // B-09, 7.9-09
        .i1OtherTag: "R2 -> I1-SENT",
        .r1: "I2 -> I2-SENT",  // B-08, 7.11-04
        .r1OtherNonce: "-> I1-SENT",  // B-08
        .i2: "R2 -> ESTABLISHED",  // B-11, 7.13-13
        .i2BadValidator: "-> I1-SENT",  // B-11
        .r2: "-> ESTABLISHED",  // B-10, 7.16-03
        .r2OtherNonce: "-> I1-SENT",  // B-10
        .timeout: "I1 -> I1-SENT",  // B-13
        .lastTimeout: "-> E-FAILED",  // B-13
        .parameterProblem: "-> NO-SUPPORT",  // B-14
        .updateRequest: "-> I1-SENT",  // B-16, 10.4-07
        .keepalive: "-> I1-SENT",  // B-16
        .idle: "-> I1-SENT",
    ],
    .i2Sent: [
        .heuristic: "-> I2-SENT",
        .i1: "R2 -> I2-SENT",  // B-18, 7.9-10
        .i1OtherTag: "R2 -> I2-SENT",
        .r1: "-> I2-SENT",  // B-21, 7.11-05
        .r1OtherNonce: "-> I2-SENT",
        .i2: "R2 -> I2-SENT",  // B-19, 7.13-17
        .i2BadValidator: "-> I2-SENT",
        .r2: "-> ESTABLISHED",  // B-17, 7.16-04
        .r2OtherNonce: "-> I2-SENT",  // B-17
        .timeout: "I2 -> I2-SENT",  // B-22
        .lastTimeout: "I1 -> I1-SENT",  // B-22
        .parameterProblem: "-> I2-SENT",
        .updateRequest: "I2 -> I2-SENT",  // B-24, 10.4-08
        .keepalive: "I2 -> I2-SENT",  // B-24
        .idle: "-> I2-SENT",
    ],
    .established: [
        .heuristic: "-> ESTABLISHED",
        .i1: "R2 -> ESTABLISHED",  // B-33, 7.9-07
        .i1OtherTag: "R1 -> ESTABLISHED",  // B-33, 7.9-08
        .r1: "-> ESTABLISHED",  // B-37, 7.11-07
        .r1OtherNonce: "-> ESTABLISHED",
        .i2: "R2 -> ESTABLISHED",  // B-34, 7.13-16
        .i2BadValidator: "-> ESTABLISHED",  // B-34
        .r2: "-> ESTABLISHED",  // B-36, 7.16-08
        .r2OtherNonce: "-> ESTABLISHED",
        .timeout: "-> ESTABLISHED",
        .lastTimeout: "-> ESTABLISHED",
        .parameterProblem: "-> ESTABLISHED",
        .updateRequest: "UA -> ESTABLISHED",  // B-39, 10.4-06
        .keepalive: "-> ESTABLISHED",  // B-39
        .idle: "-> IDLE",  // B-40
    ],
    .eFailed: [
        .heuristic: "-> E-FAILED",
        .i1: "R1 -> E-FAILED",  // B-42, 7.9-12
        .i1OtherTag: "R1 -> E-FAILED",
        .r1: "-> E-FAILED",
        .r1OtherNonce: "-> E-FAILED",
        .i2: "R2 -> ESTABLISHED",  // B-42, 7.13-20
        .i2BadValidator: "-> E-FAILED",
        .r2: "-> E-FAILED",
        .r2OtherNonce: "-> E-FAILED",
        .timeout: "-> IDLE",  // B-41
        .lastTimeout: "-> IDLE",
        .parameterProblem: "-> E-FAILED",
        .updateRequest: "-> E-FAILED",
        .keepalive: "-> E-FAILED",
        .idle: "-> E-FAILED",
    ],
    .noSupport: [
        .heuristic: "-> NO-SUPPORT",
        .i1: "R1 -> NO-SUPPORT",  // B-44, 7.9-12
        .i1OtherTag: "R1 -> NO-SUPPORT",
        .r1: "-> NO-SUPPORT",
        .r1OtherNonce: "-> NO-SUPPORT",
        .i2: "R2 -> ESTABLISHED",  // B-44, 7.13-20
        .i2BadValidator: "-> NO-SUPPORT",
        .r2: "-> NO-SUPPORT",
        .r2OtherNonce: "-> NO-SUPPORT",
        .timeout: "-> IDLE",  // B-43
        .lastTimeout: "-> IDLE",
        .parameterProblem: "-> NO-SUPPORT",
        .updateRequest: "-> NO-SUPPORT",
        .keepalive: "-> NO-SUPPORT",
        .idle: "-> NO-SUPPORT",
    ],
]

enum MatrixState: String, CaseIterable {
    case idle = "IDLE"
    case i1Sent = "I1-SENT"
    case i2Sent = "I2-SENT"
    case established = "ESTABLISHED"
    case eFailed = "E-FAILED"
    case noSupport = "NO-SUPPORT"
}

enum MatrixEvent: CaseIterable {
    case heuristic, i1, i1OtherTag, r1, r1OtherNonce, i2, i2BadValidator, r2, r2OtherNonce, timeout,
        lastTimeout
    case parameterProblem, updateRequest, keepalive, idle
}

@Suite("Transition matrix")
struct TransitionMatrixTests {
    @Test(
        "Every state meets every event as section 7 and appendix B say",
        arguments: MatrixState.allCases, MatrixEvent.allCases)
    func cell(_ state: MatrixState, _ event: MatrixEvent) throws {
        let expected = try #require(matrix[state]?[event])
        let bench = try Subject(state)
        #expect(try bench.react(to: event) == expected)
    }

    @Test("B-02 to B-06: IDLE", .requirement("5533-B-02", "5533-B-03", "5533-B-04", "5533-B-06"))
    func idle() throws { try row(.idle, [.i1, .heuristic, .i2, .i2BadValidator, .r1, .r2]) }

    @Test(
        "B-08 to B-11 and 7.11: I1-SENT meets messages",
        .requirement("5533-B-08", "5533-B-09", "5533-B-10", "5533-B-11", "5533-7.11-04", "5533-7.9-09"))
    func i1Sent() throws {
        try row(.i1Sent, [.r1, .r1OtherNonce, .i1, .r2, .r2OtherNonce, .i2, .i2BadValidator])
    }

    @Test(
        "B-13 to B-16: I1-SENT meets time, ICMP and other messages",
        .requirement("5533-B-13", "5533-B-14", "5533-B-16", "5533-10.4-07"))
    func i1SentTime() throws {
        try row(.i1Sent, [.timeout, .lastTimeout, .parameterProblem, .updateRequest, .keepalive])
    }

    @Test(
        "B-17 to B-24: I2-SENT",
        .requirement("5533-B-17", "5533-B-18", "5533-B-19", "5533-B-21", "5533-B-22", "5533-B-24"))
    func i2Sent() throws { try row(.i2Sent, MatrixEvent.allCases) }

    @Test(
        "B-33 to B-40: ESTABLISHED",
        .requirement("5533-B-33", "5533-B-34", "5533-B-36", "5533-B-37", "5533-B-39", "5533-B-40"))
    func established() throws { try row(.established, MatrixEvent.allCases) }

    @Test(
        "B-41 to B-44: the holddowns", .requirement("5533-B-41", "5533-B-42", "5533-B-43", "5533-B-44"))
    func holddowns() throws {
        try row(.eFailed, MatrixEvent.allCases)
        try row(.noSupport, MatrixEvent.allCases)
    }

    @Test(
        "R1 and R2 with foreign nonces or in the wrong state are dropped",
        .requirement(
            "5533-7.11-05", "5533-7.11-07", "5533-7.16-08", "5533-7.11-02", "5533-7.16-02", "5533-12.4-03"
        ))
    func nonces() throws {
        for state in MatrixState.allCases { try row(state, [.r1OtherNonce, .r2OtherNonce]) }
        try row(.i2Sent, [.r1])
        try row(.established, [.r1, .r2])
    }

    private func row(_ state: MatrixState, _ events: [MatrixEvent]) throws {
        for event in events {
            let expected = try #require(matrix[state]?[event])
            #expect(try Subject(state).react(to: event) == expected, "\(state) meets \(event)")
        }
    }
}

/// Host B in a chosen state, with a peer that a test plays.
private struct Subject {
    private let pair = Pair()
    /// An R1 of B for the peer, from before.
    private let r1: R1
    /// The I1 that B sent, if it did.
    private var i1: I1?
    private var i1Packet: Node.Packet?

    init(_ state: MatrixState) throws {
        let pair = pair
        pair.fate = { _ in .drop }
        r1 = try pair.challenge(tag: .ofA)
        if state == .idle { return }
        pair.trigger(.b)
        i1Packet = pair.last(.i1, by: .b)
        guard case .i1(let i1) = i1Packet?.message else { throw Pair.Missing.message }
        self.i1 = i1
        switch state {
        case .idle, .i1Sent: break
        case .i2Sent: try pair.forge(.r1(answer), from: .a1, to: .b1)
        case .established:
            try pair.forge(.r2(R2(responderTag: .ofA, initiatorNonce: nonce)), from: .a1, to: .b1)
        case .eFailed: while pair.b.state == .i1Sent { pair.run(for: .seconds(1)) }
        case .noSupport: try problem()
        }
        #expect(pair.b.state?.rawValue == state.rawValue)
        // An answer to payload or control messages in I2-SENT keeps a distance from the I2 before.
        pair.run(for: .seconds(1))
    }

    private var nonce: UInt32 { i1?.initiatorNonce ?? 1 }
    private var answer: R1 {
        R1(initiatorNonce: nonce, responderNonce: 5, responderValidator: [1, 2, 3])
    }

    /// What B sends, and the state that it is in then.
    func react(to event: MatrixEvent) throws -> String {
        let tag = pair.b.context?.localTag ?? ContextTag(truncating: 3)
        pair.clearLog()
        switch event {
        case .heuristic: pair.trigger(.b)
        case .i1: try pair.forge(.i1(I1(initiatorTag: .ofA, initiatorNonce: 8)), from: .a1, to: .b1)
        case .i1OtherTag:
            try pair.forge(
                .i1(I1(initiatorTag: ContextTag(truncating: 9), initiatorNonce: 8)), from: .a1, to: .b1)
        case .r1: try pair.forge(.r1(answer), from: .a1, to: .b1)
        case .r1OtherNonce:
            var other = answer
            other.initiatorNonce ^= 1
            try pair.forge(.r1(other), from: .a1, to: .b1)
        case .i2: try pair.forge(.i2(i2()), from: .a1, to: .b1)
        case .i2BadValidator:
            var bad = try i2()
            bad.responderValidator[0] ^= 1
            try pair.forge(.i2(bad), from: .a1, to: .b1)
        case .r2: try pair.forge(.r2(R2(responderTag: .ofA, initiatorNonce: nonce)), from: .a1, to: .b1)
        case .r2OtherNonce:
            try pair.forge(.r2(R2(responderTag: .ofA, initiatorNonce: nonce ^ 1)), from: .a1, to: .b1)
        case .timeout: expire(tag)
        case .lastTimeout:
            let before = pair.b.state
            repeat {
                pair.clearLog()
                expire(tag)
            } while pair.b.timers[.context(tag)] != nil && pair.b.state == before
        case .parameterProblem: try problem()
        case .updateRequest:
            try pair.forge(
                .updateRequest(UpdateRequest(receiverTag: tag, requestNonce: 4)), from: .a1, to: .b1)
        case .keepalive: try pair.forge(.keepalive(Keepalive(receiverTag: tag)), from: .a1, to: .b1)
        case .idle:
            let now = pair.now + .seconds(601)
            pair.b.handle(.idle(tag), at: now)
        }
        let names: [MessageType: String] = [
            .i1: "I1", .r1: "R1", .i2: "I2", .r2: "R2", .updateAcknowledgement: "UA",
            .keepalive: "Keepalive",
            .probe: "Probe", .updateRequest: "UR",
        ]
        let sent = pair.log.filter { $0.by == .b }.compactMap { $0.type.flatMap { names[$0] } }
        return (sent + ["->", pair.b.state?.rawValue ?? "IDLE"]).joined(separator: " ")
    }

    /// An I2 with a validator that is recent whatever time has passed.
    private func i2() throws -> I2 {
        let other = ContextTag(truncating: 0x77)
        if pair.b.state == .eFailed {
            let r1 = try pair.challenge(tag: other)
            pair.clearLog()
            return pair.i2(r1, tag: other)
        }
        return pair.i2(r1, tag: .ofA)
    }

    private func problem() throws {
        let invented = try ControlMessage.i1(I1(initiatorTag: .ofA, initiatorNonce: 1)).encoded()
        let quoted = i1Packet?.octets ?? invented
        pair.post(.parameterProblem(quoted: quoted, source: .b1, destination: .a1), to: .b)
    }

    /// Lets the context's timer run out, alone.
    private func expire(_ tag: ContextTag) {
        let deadline = pair.b.timers[.context(tag)] ?? pair.now
        let packets = pair.b.handle(.timer(.context(tag)), at: max(deadline, pair.now))
        pair.record(packets, by: .b)
    }
}

import Requirements
import Shim6Core
import Shim6Wire
import Testing

/// RFC 5533, section 7 and appendix B: every state against every event.
@Suite("Transition matrix")
struct TransitionMatrixTests {
    private static let states: [ContextState?] = [nil] + ContextState.allCases

    private func matrix(_ state: ContextState?) -> [MatrixEvent: Cell] {
        switch state {
        case nil: whenInIdle
        case .i1Sent: whenInI1Sent
        case .i2Sent: whenInI2Sent
        case .established: whenInEstablished
        case .i2bisSent: whenInI2bisSent
        case .eFailed: whenInEFailed
        case .noSupport: whenInNoSupport
        }
    }

    private func check(_ state: ContextState?, _ events: [MatrixEvent]) throws {
        for event in events {
            let expected = try #require(matrix(state)[event])
            let pair = Pair()
            pair.fate = { _ in .drop }
            let earlier = try pair.challenge(tag: .ofA)
            let outcome = try Bench(state, pair).react(to: event, earlier: earlier)
            #expect(
                outcome == expected.outcome, "\(state?.rawValue ?? "IDLE") meets \(event.rawValue): \(expected.rows)")
        }
    }

    @Test("Every state meets every event as section 7 and appendix B say", arguments: states)
    func all(_ state: ContextState?) throws { try check(state, MatrixEvent.allCases) }

    @Test(
        "IDLE: what the heuristic begins, and what a peer can",
        .requirement("5533-B-02", "5533-B-03", "5533-B-04", "5533-B-05", "5533-B-06", "5533-B-07"))
    func idle() throws { try check(nil, MatrixEvent.allCases) }

    @Test(
        "I1-SENT meets messages of establishment",
        .requirement("5533-B-08", "5533-B-09", "5533-B-10", "5533-B-11", "5533-B-12", "5533-B-15"))
    func i1Sent() throws {
        try check(
            .i1Sent,
            [.r1, .r1OtherNonce, .i1, .r2, .r2OtherNonce, .i2, .i2BadValidator, .i2bis, .i2bisBadValidator, .r1bis])
    }

    @Test(
        "I1-SENT meets time, ICMP, payload and other messages",
        .requirement("5533-B-13", "5533-B-14", "5533-B-16", "5533-10.4-07", "5533-10.5-06", "5533-B.1-01"))
    func i1SentElse() throws {
        try check(
            .i1Sent,
            [
                .timeout, .lastTimeout, .parameterProblem, .updateRequest, .updateAcknowledgement, .keepalive, .probe,
                .payload,
            ])
        try check(.eFailed, [.timeout])
        try check(.noSupport, [.timeout])
    }

    @Test(
        "I2-SENT meets messages of establishment",
        .requirement("5533-B-17", "5533-B-18", "5533-B-19", "5533-B-20", "5533-B-21", "5533-B-23"))
    func i2Sent() throws {
        try check(.i2Sent, [.r2, .r2OtherNonce, .i1, .i1OtherTag, .i2, .i2bis, .r1, .r1OtherNonce, .r1bis])
    }

    @Test(
        "I2-SENT meets time, payload and other messages",
        .requirement("5533-B-22", "5533-B-24", "5533-10.4-08", "5533-10.5-07", "5533-B.1-02"))
    func i2SentElse() throws {
        try check(
            .i2Sent,
            [.timeout, .lastTimeout, .payload, .updateRequest, .updateAcknowledgement, .keepalive, .probe])
        try check(.i2bisSent, [.lastTimeout])
    }

    @Test(
        "I2BIS-SENT meets messages of establishment",
        .requirement("5533-B-25", "5533-B-26", "5533-B-27", "5533-B-28", "5533-B-29", "5533-B-31"))
    func i2bisSent() throws {
        try check(
            .i2bisSent,
            [.r2, .r2OtherNonce, .i1, .i1OtherTag, .i2, .i2BadValidator, .i2bis, .i2bisBadValidator, .r1, .r1bis])
    }

    @Test(
        "I2BIS-SENT meets time, payload and other messages",
        .requirement("5533-B-30", "5533-B-32", "5533-10.4-09", "5533-10.5-08", "5533-7.19-03"))
    func i2bisSentElse() throws {
        try check(
            .i2bisSent,
            [.timeout, .lastTimeout, .payload, .updateRequest, .updateAcknowledgement, .keepalive, .probe])
    }

    @Test(
        "ESTABLISHED meets messages of establishment",
        .requirement("5533-B-33", "5533-B-34", "5533-B-35", "5533-B-36", "5533-B-37", "5533-B-38"))
    func established() throws {
        try check(
            .established,
            [
                .i1, .i1OtherTag, .i2, .i2BadValidator, .i2bis, .i2bisBadValidator, .r2, .r2OtherNonce, .r1, .r1bis,
                .r1bisOtherTag,
            ])
    }

    @Test(
        "ESTABLISHED meets idleness, payload and other messages",
        .requirement("5533-B-39", "5533-B-40", "5533-B.1-03", "5533-10.4-06", "5533-10.5-09"))
    func establishedElse() throws {
        try check(.established, [.idle, .payload, .updateRequest, .updateAcknowledgement, .keepalive, .probe])
    }

    @Test("The holddowns", .requirement("5533-B-41", "5533-B-42", "5533-B-43", "5533-B-44"))
    func holddowns() throws {
        try check(.eFailed, MatrixEvent.allCases)
        try check(.noSupport, MatrixEvent.allCases)
    }

    @Test(
        "R1 and R2 with foreign nonces or in the wrong state are dropped",
        .requirement(
            "5533-7.11-05", "5533-7.11-07", "5533-7.16-08", "5533-7.11-02", "5533-7.16-02", "5533-12.4-03"))
    func nonces() throws {
        for state in Self.states { try check(state, [.r1OtherNonce, .r2OtherNonce]) }
        try check(.i2Sent, [.r1])
        try check(.established, [.r1, .r2])
    }

    @Test(
        "In each state a message of establishment has its own meaning",
        .requirement("5533-7.11-04", "5533-7.9-09", "5533-7.9-10", "5533-7.9-11", "5533-7.11-06", "5533-7.18-07"))
    func perState() throws {
        for state in [ContextState.i1Sent, .i2Sent, .i2bisSent, .established] {
            try check(state, [.i1, .i1OtherTag, .r1, .r1bis])
        }
    }
}

import REAP
import Shim6Core
import Shim6Wire

/// What a context, or the lack of one, can meet.
enum MatrixEvent: String, CaseIterable {
    // From the host itself.
    case heuristic = "the heuristic", operatorEstablishes = "an operator's establish"
    case operatorRemoves = "an operator's remove", timeout, lastTimeout = "the last timeout", idle = "idleness"
    case localLocators = "other local locators"
    // From A.
    case i1 = "I1", i1OtherTag = "I1 with another tag"
    case r1 = "R1", r1OtherNonce = "R1 with another nonce"
    case i2 = "I2", i2BadValidator = "I2 with a bad validator"
    case r2 = "R2", r2OtherNonce = "R2 with another nonce"
    case r1bis = "R1bis", r1bisOtherTag = "R1bis with another tag"
    case i2bis = "I2bis", i2bisBadValidator = "I2bis with a bad validator"
    case updateRequest = "Update Request", updateAcknowledgement = "Update Acknowledgement"
    case keepalive = "Keepalive", probe = "Probe", error = "Error"
    case keepaliveElsewhere = "Keepalive from elsewhere"
    case payload = "payload with the tag", payloadUnknownTag = "payload with an unknown tag"
    case parameterProblem = "Parameter Problem about I1"
}

extension Bench {
    /// What B sends and hands to its stack on an event, and the state that it is in then: `payload I2 -> I2-SENT`.
    ///
    /// `earlier` is an R1 of B from before there was a context.
    func react(to event: MatrixEvent, earlier: R1) throws -> String {
        let tag = pair.b.context?.localTag ?? ContextTag(truncating: 3)
        let (i2, i2bis) = (try i2(earlier), try pair.i2bis(from: .a1))
        pair.clearLog()
        switch event {
        case .heuristic: pair.trigger(.b)
        case .operatorEstablishes: pair.post(.establish(.atB), to: .b)
        case .operatorRemoves: pair.post(.remove(tag), to: .b)
        case .timeout: expire(tag)
        case .lastTimeout:
            let before = pair.b.state
            repeat {
                pair.clearLog()
                expire(tag)
            } while pair.b.timers[.context(tag)] != nil && pair.b.state == before
        case .idle:
            pair.b.handle(.idle(tag), at: pair.now + .seconds(601))
            pair.b.handle(.use(tag, .none), at: pair.now + .seconds(602))
        case .localLocators: pair.announce([.b1], by: .b)
        case .i1: try meet(.i1(I1(initiatorTag: .ofA, initiatorNonce: 8)))
        case .i1OtherTag: try meet(.i1(I1(initiatorTag: ContextTag(truncating: 9), initiatorNonce: 8)))
        case .r1: try meet(.r1(r1))
        case .r1OtherNonce:
            var other = r1
            other.initiatorNonce ^= 1
            try meet(.r1(other))
        case .i2: try meet(.i2(i2))
        case .i2BadValidator:
            var bad = i2
            bad.responderValidator[0] ^= 1
            try meet(.i2(bad))
        case .r2: try meet(.r2(r2))
        case .r2OtherNonce:
            var other = r2
            other.initiatorNonce ^= 1
            try meet(.r2(other))
        case .r1bis: try meet(.r1bis(r1bis))
        case .r1bisOtherTag:
            var other = r1bis
            other.packetTag = ContextTag(truncating: 9)
            try meet(.r1bis(other))
        case .i2bis: try meet(.i2bis(i2bis))
        case .i2bisBadValidator:
            var bad = i2bis
            bad.responderValidator?[0] ^= 1
            try meet(.i2bis(bad))
        case .updateRequest: try meet(.updateRequest(UpdateRequest(receiverTag: tag, requestNonce: 4)))
        case .updateAcknowledgement:
            try meet(.updateAcknowledgement(UpdateAcknowledgement(receiverTag: tag, requestNonce: 4)))
        case .keepalive: try meet(.keepalive(Keepalive(receiverTag: tag)))
        case .keepaliveElsewhere: try meet(.keepalive(Keepalive(receiverTag: tag)), from: .stranger)
        case .probe:
            let report = ProbeReport(source: .a1, destination: .b1, nonce: 3)
            try meet(.probe(Probe(receiverTag: tag, state: .exploring, sent: [report])))
        case .error:
            let quoted = try i1?.octets ?? invented()
            let error = ErrorMessage(
                code: .unrecognisedCriticalOption, offset: 16, message: quoted, source: .b1, destination: .a1)
            try meet(.error(error))
        case .payload: pair.receivePayload(tag, .a1b1, .b)
        case .payloadUnknownTag: pair.receivePayload(ContextTag(truncating: 0x55), .a1b1, .b)
        case .parameterProblem:
            pair.post(
                .parameterProblem(quoted: try i1?.octets ?? invented(), source: .b1, destination: .a1), to: .b)
        }
        let delivered = pair.delivered.map { _ in "payload" }
        let sent = pair.log.filter { $0.by == .b }.map { $0.type.map { "\($0)" } ?? "?" }
        return (delivered + sent + ["->", pair.b.state?.rawValue ?? "IDLE"]).joined(separator: " ")
    }

    private func meet(_ message: ControlMessage, from source: IPv6Address = .a1) throws {
        try pair.forge(message, from: source, to: .b1)
    }

    /// An I2 with a validator that is recent whatever time has passed.
    private func i2(_ earlier: R1) throws -> I2 {
        guard pair.b.state == .eFailed else { return pair.i2(earlier, tag: .ofA) }
        return pair.i2(try pair.challenge(tag: .ofA), tag: .ofA)
    }

    /// An I1 that B has not sent.
    private func invented() throws -> [UInt8] {
        try ControlMessage.i1(I1(initiatorTag: .ofA, initiatorNonce: 1)).encoded()
    }

    /// Lets the context's timer run out, alone.
    private func expire(_ tag: ContextTag) {
        let deadline = pair.b.timers[.context(tag)] ?? pair.now
        let packets = pair.b.handle(.timer(.context(tag)), at: max(deadline, pair.now))
        pair.record(packets, by: .b)
    }
}

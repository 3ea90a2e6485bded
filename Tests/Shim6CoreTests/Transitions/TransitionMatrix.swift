/// RFC 5533, section 7 and appendix B, typed from the text: for each state of section 6.2 and each event what is handed to
/// the stack, what is sent, the next state, and the catalogue's rows that say so. Where there is no row the RFC has no
/// rule: nothing is expected to happen but what the operator or the host asks for.
///
/// Where the text and the appendix differ the text prevails (5533-B-01):
///
/// - B-14: the table has ICMP errors lead from I1-SENT to E-FAILED; section 7.8 and the diagram have NO-SUPPORT, and so
///   do we.
/// - B-30: I2bis is repeated I2bis_RETRIES_MAX times (section 7.19), not I2_RETRIES_MAX; both are 2.
/// - B-31: an R1bis in I2BIS-SENT is discarded (section 7.18). The table's reason, CT(peer) unset, does not hold there.
/// - 10.5-07 and 10.5-08: the text answers an Update Acknowledgement in I2-SENT and I2BIS-SENT with R2, which has no
///   Initiator Nonce to copy. The appendix has I2 and I2bis, as for every other message, and so do we.
/// - 7.17-06: an Error is of the types that elicit R1bis but carries no tag of its own: it elicits none.
/// - 7.18-03: an R1bis counts from any locator of the peer, not only from Lp(peer): section 7.5 wants the answer to a
///   Probe on another pair to have an effect.
/// - B-16 and B-24: in I1-SENT an I1 goes back to where messages with the context's tag come from, and in I2-SENT beside the
///   I2 if that goes elsewhere: else the peer, which has the context, could not be found when the pair of the exchange is
///   dead. I2BIS-SENT does the same.
///
/// In I1-SENT and I2-SENT the peer's locators are not known yet; messages from elsewhere are met as those of the peer.
struct Cell {
    var outcome: String
    /// Without the RFC's number.
    var rows: [String]

    init(_ outcome: String, _ rows: String...) {
        self.outcome = outcome
        self.rows = rows
    }
}

let whenInIdle: [MatrixEvent: Cell] = [
    .heuristic: Cell("i1 -> I1-SENT", "B-03"),
    .operatorEstablishes: Cell("i1 -> I1-SENT", "B-03"),
    .operatorRemoves: Cell("-> IDLE"),
    .timeout: Cell("-> IDLE"),
    .lastTimeout: Cell("-> IDLE"),
    .idle: Cell("-> IDLE"),
    .localLocators: Cell("-> IDLE"),
    .i1: Cell("r1 -> IDLE", "B-02"),
    .i1OtherTag: Cell("r1 -> IDLE", "B-02"),
    .r1: Cell("-> IDLE", "B-06"),
    .r1OtherNonce: Cell("-> IDLE", "B-06"),
    .i2: Cell("r2 -> ESTABLISHED", "B-04", "7.13-10"),
    .i2BadValidator: Cell("-> IDLE", "B-04"),
    .r2: Cell("-> IDLE", "B-06"),
    .r2OtherNonce: Cell("-> IDLE", "B-06"),
    .r1bis: Cell("-> IDLE", "B-06"),
    .r1bisOtherTag: Cell("-> IDLE", "B-06"),
    .i2bis: Cell("r2 -> ESTABLISHED", "B-05"),
    .i2bisBadValidator: Cell("-> IDLE", "B-05"),
    .updateRequest: Cell("r1bis -> IDLE", "B-07", "10.4-02"),
    .updateAcknowledgement: Cell("r1bis -> IDLE", "B-07", "10.5-02"),
    .keepalive: Cell("r1bis -> IDLE", "B-07", "7.17-02"),
    .probe: Cell("r1bis -> IDLE", "B-07", "7.17-02"),
    .error: Cell("-> IDLE", "7.17-06"),
    .keepaliveElsewhere: Cell("r1bis -> IDLE", "B-07"),
    .payload: Cell("r1bis -> IDLE", "B-07", "7.17-01"),
    .payloadUnknownTag: Cell("r1bis -> IDLE", "B-07", "7.17-01"),
    .parameterProblem: Cell("-> IDLE"),
]

let whenInI1Sent: [MatrixEvent: Cell] = [
    .heuristic: Cell("-> I1-SENT"),
    .operatorEstablishes: Cell("-> I1-SENT"),
    .operatorRemoves: Cell("-> IDLE"),
    .timeout: Cell("i1 -> I1-SENT", "B-13"),
    .lastTimeout: Cell("-> E-FAILED", "B-13"),
    .idle: Cell("-> I1-SENT"),
    .localLocators: Cell("-> I1-SENT"),
    .i1: Cell("r2 -> I1-SENT", "B-09", "7.9-09"),
    .i1OtherTag: Cell("r2 -> I1-SENT", "B-09", "7.9-09"),
    .r1: Cell("i2 -> I2-SENT", "B-08", "7.11-04"),
    .r1OtherNonce: Cell("-> I1-SENT", "B-08"),
    .i2: Cell("r2 -> ESTABLISHED", "B-11", "7.13-13"),
    .i2BadValidator: Cell("-> I1-SENT", "B-11"),
    .r2: Cell("-> ESTABLISHED", "B-10", "7.16-03"),
    .r2OtherNonce: Cell("-> I1-SENT", "B-10"),
    .r1bis: Cell("-> I1-SENT", "B-15", "7.18-04"),
    .r1bisOtherTag: Cell("-> I1-SENT", "B-15"),
    .i2bis: Cell("r2 -> ESTABLISHED", "B-12"),
    .i2bisBadValidator: Cell("-> I1-SENT", "B-12"),
    .updateRequest: Cell("i1 -> I1-SENT", "B-16", "10.4-07"),
    .updateAcknowledgement: Cell("i1 -> I1-SENT", "B-16", "10.5-06"),
    .keepalive: Cell("i1 -> I1-SENT", "B-16"),
    .probe: Cell("i1 -> I1-SENT", "B-16"),
    .error: Cell("-> I1-SENT", "B-16"),
    .keepaliveElsewhere: Cell("i1 -> I1-SENT", "B-16"),
    .payload: Cell("-> I1-SENT", "B-16"),
    .payloadUnknownTag: Cell("r1bis -> I1-SENT", "7.17-01"),
    .parameterProblem: Cell("-> NO-SUPPORT", "B-14"),
]

let whenInI2Sent: [MatrixEvent: Cell] = [
    .heuristic: Cell("-> I2-SENT"),
    .operatorEstablishes: Cell("-> I2-SENT"),
    .operatorRemoves: Cell("-> IDLE"),
    .timeout: Cell("i2 -> I2-SENT", "B-22"),
    .lastTimeout: Cell("i1 -> I1-SENT", "B-22", "B.1-02"),
    .idle: Cell("-> I2-SENT"),
    .localLocators: Cell("-> I2-SENT"),
    .i1: Cell("r2 -> I2-SENT", "B-18", "7.9-10"),
    .i1OtherTag: Cell("r2 -> I2-SENT", "B-18", "7.9-10"),
    .r1: Cell("-> I2-SENT", "B-21", "7.11-05"),
    .r1OtherNonce: Cell("-> I2-SENT", "B-21"),
    .i2: Cell("r2 -> I2-SENT", "B-19", "7.13-17"),
    .i2BadValidator: Cell("-> I2-SENT", "B-19"),
    .r2: Cell("-> ESTABLISHED", "B-17", "7.16-04"),
    .r2OtherNonce: Cell("-> I2-SENT", "B-17"),
    .r1bis: Cell("-> I2-SENT", "B-23", "7.18-05"),
    .r1bisOtherTag: Cell("-> I2-SENT", "B-23"),
    .i2bis: Cell("r2 -> I2-SENT", "B-20"),
    .i2bisBadValidator: Cell("-> I2-SENT", "B-20"),
    .updateRequest: Cell("i2 -> I2-SENT", "B-24", "10.4-08"),
    .updateAcknowledgement: Cell("i2 -> I2-SENT", "B-24", "10.5-07"),
    .keepalive: Cell("i2 -> I2-SENT", "B-24"),
    .probe: Cell("i2 -> I2-SENT", "B-24"),
    .error: Cell("-> I2-SENT"),
    .keepaliveElsewhere: Cell("i2 i1 -> I2-SENT", "B-24"),
    .payload: Cell("payload i2 -> I2-SENT", "B-24"),
    .payloadUnknownTag: Cell("r1bis -> I2-SENT", "7.17-01"),
    .parameterProblem: Cell("-> I2-SENT"),
]

let whenInEstablished: [MatrixEvent: Cell] = [
    .heuristic: Cell("-> ESTABLISHED"),
    .operatorEstablishes: Cell("-> ESTABLISHED"),
    .operatorRemoves: Cell("-> IDLE"),
    .timeout: Cell("-> ESTABLISHED"),
    .lastTimeout: Cell("-> ESTABLISHED"),
    .idle: Cell("-> IDLE", "B-40"),
    .localLocators: Cell("updateRequest -> ESTABLISHED", "10.1-01"),
    .i1: Cell("r2 -> ESTABLISHED", "B-33", "7.9-07"),
    .i1OtherTag: Cell("r1 -> ESTABLISHED", "B-33", "7.9-08"),
    .r1: Cell("-> ESTABLISHED", "B-37", "7.11-07"),
    .r1OtherNonce: Cell("-> ESTABLISHED", "B-37"),
    .i2: Cell("r2 -> ESTABLISHED", "B-34", "7.13-16"),
    .i2BadValidator: Cell("-> ESTABLISHED", "B-34"),
    .r2: Cell("-> ESTABLISHED", "B-36", "7.16-08"),
    .r2OtherNonce: Cell("-> ESTABLISHED", "B-36"),
    .r1bis: Cell("i2bis -> I2BIS-SENT", "B-38", "7.18-07"),
    .r1bisOtherTag: Cell("-> ESTABLISHED", "7.18-02"),
    .i2bis: Cell("r2 -> ESTABLISHED", "B-35"),
    .i2bisBadValidator: Cell("-> ESTABLISHED", "B-35"),
    .updateRequest: Cell("updateAcknowledgement -> ESTABLISHED", "B-39", "10.4-06"),
    .updateAcknowledgement: Cell("-> ESTABLISHED", "B-39", "10.5-09"),
    .keepalive: Cell("-> ESTABLISHED", "B-39"),
    .probe: Cell("probe -> ESTABLISHED", "B-39"),
    .error: Cell("-> ESTABLISHED"),
    .keepaliveElsewhere: Cell("r1bis -> ESTABLISHED", "10.4-04"),
    .payload: Cell("payload -> ESTABLISHED", "B-39", "B.1-03"),
    .payloadUnknownTag: Cell("r1bis -> ESTABLISHED", "7.17-01"),
    .parameterProblem: Cell("-> ESTABLISHED"),
]

let whenInI2bisSent: [MatrixEvent: Cell] = [
    .heuristic: Cell("-> I2BIS-SENT"),
    .operatorEstablishes: Cell("-> I2BIS-SENT"),
    .operatorRemoves: Cell("-> IDLE"),
    .timeout: Cell("i2bis -> I2BIS-SENT", "B-30"),
    .lastTimeout: Cell("i1 -> I1-SENT", "B-30", "7.19-03", "B.1-02"),
    .idle: Cell("-> I2BIS-SENT"),
    .localLocators: Cell("-> I2BIS-SENT"),
    .i1: Cell("r2 -> I2BIS-SENT", "B-26", "7.9-11"),
    .i1OtherTag: Cell("r2 -> I2BIS-SENT", "B-26", "7.9-11"),
    .r1: Cell("-> I2BIS-SENT", "B-29", "7.11-06"),
    .r1OtherNonce: Cell("-> I2BIS-SENT", "B-29"),
    .i2: Cell("r2 -> I2BIS-SENT", "B-27", "7.13-18"),
    .i2BadValidator: Cell("-> I2BIS-SENT", "B-27"),
    .r2: Cell("-> ESTABLISHED", "B-25", "7.16-05"),
    .r2OtherNonce: Cell("-> I2BIS-SENT", "B-25"),
    .r1bis: Cell("-> I2BIS-SENT", "B-31", "7.18-06"),
    .r1bisOtherTag: Cell("-> I2BIS-SENT", "7.18-02"),
    .i2bis: Cell("r2 -> I2BIS-SENT", "B-28"),
    .i2bisBadValidator: Cell("-> I2BIS-SENT", "B-28"),
    .updateRequest: Cell("i2bis updateAcknowledgement -> I2BIS-SENT", "B-32", "10.4-09"),
    .updateAcknowledgement: Cell("i2bis -> I2BIS-SENT", "B-32", "10.5-08"),
    .keepalive: Cell("i2bis -> I2BIS-SENT", "B-32"),
    .probe: Cell("i2bis probe -> I2BIS-SENT", "B-32"),
    .error: Cell("-> I2BIS-SENT"),
    .keepaliveElsewhere: Cell("r1bis -> I2BIS-SENT", "10.4-04"),
    .payload: Cell("payload i2bis -> I2BIS-SENT", "B-32"),
    .payloadUnknownTag: Cell("r1bis -> I2BIS-SENT", "7.17-01"),
    .parameterProblem: Cell("-> I2BIS-SENT"),
]

let whenInEFailed: [MatrixEvent: Cell] = [
    .heuristic: Cell("-> E-FAILED", "B-42"),
    .operatorEstablishes: Cell("i1 -> I1-SENT"),
    .operatorRemoves: Cell("-> IDLE"),
    .timeout: Cell("-> IDLE", "B-41"),
    .lastTimeout: Cell("-> IDLE", "B-41"),
    .idle: Cell("-> E-FAILED"),
    .localLocators: Cell("-> E-FAILED"),
    .i1: Cell("r1 -> E-FAILED", "B-42", "7.9-12"),
    .i1OtherTag: Cell("r1 -> E-FAILED", "B-42", "7.9-12"),
    .r1: Cell("-> E-FAILED", "B-42"),
    .r1OtherNonce: Cell("-> E-FAILED", "B-42"),
    .i2: Cell("r2 -> ESTABLISHED", "B-42", "7.13-20"),
    .i2BadValidator: Cell("-> E-FAILED", "B-42"),
    .r2: Cell("-> E-FAILED", "B-42"),
    .r2OtherNonce: Cell("-> E-FAILED", "B-42"),
    .r1bis: Cell("-> E-FAILED", "B-42"),
    .r1bisOtherTag: Cell("-> E-FAILED", "B-42"),
    .i2bis: Cell("r2 -> ESTABLISHED", "B-42"),
    .i2bisBadValidator: Cell("-> E-FAILED", "B-42"),
    .updateRequest: Cell("r1bis -> E-FAILED", "B-42"),
    .updateAcknowledgement: Cell("r1bis -> E-FAILED", "B-42"),
    .keepalive: Cell("r1bis -> E-FAILED", "B-42"),
    .probe: Cell("r1bis -> E-FAILED", "B-42"),
    .error: Cell("-> E-FAILED", "B-42"),
    .keepaliveElsewhere: Cell("r1bis -> E-FAILED", "B-42"),
    .payload: Cell("r1bis -> E-FAILED", "B-42"),
    .payloadUnknownTag: Cell("r1bis -> E-FAILED", "B-42"),
    .parameterProblem: Cell("-> E-FAILED", "B-42"),
]

let whenInNoSupport: [MatrixEvent: Cell] = [
    .heuristic: Cell("-> NO-SUPPORT", "B-44"),
    .operatorEstablishes: Cell("i1 -> I1-SENT"),
    .operatorRemoves: Cell("-> IDLE"),
    .timeout: Cell("-> IDLE", "B-43"),
    .lastTimeout: Cell("-> IDLE", "B-43"),
    .idle: Cell("-> NO-SUPPORT"),
    .localLocators: Cell("-> NO-SUPPORT"),
    .i1: Cell("r1 -> NO-SUPPORT", "B-44", "7.9-12"),
    .i1OtherTag: Cell("r1 -> NO-SUPPORT", "B-44", "7.9-12"),
    .r1: Cell("-> NO-SUPPORT", "B-44"),
    .r1OtherNonce: Cell("-> NO-SUPPORT", "B-44"),
    .i2: Cell("r2 -> ESTABLISHED", "B-44", "7.13-20"),
    .i2BadValidator: Cell("-> NO-SUPPORT", "B-44"),
    .r2: Cell("-> NO-SUPPORT", "B-44"),
    .r2OtherNonce: Cell("-> NO-SUPPORT", "B-44"),
    .r1bis: Cell("-> NO-SUPPORT", "B-44"),
    .r1bisOtherTag: Cell("-> NO-SUPPORT", "B-44"),
    .i2bis: Cell("r2 -> ESTABLISHED", "B-44"),
    .i2bisBadValidator: Cell("-> NO-SUPPORT", "B-44"),
    .updateRequest: Cell("r1bis -> NO-SUPPORT", "B-44"),
    .updateAcknowledgement: Cell("r1bis -> NO-SUPPORT", "B-44"),
    .keepalive: Cell("r1bis -> NO-SUPPORT", "B-44"),
    .probe: Cell("r1bis -> NO-SUPPORT", "B-44"),
    .error: Cell("-> NO-SUPPORT", "B-44"),
    .keepaliveElsewhere: Cell("r1bis -> NO-SUPPORT", "B-44"),
    .payload: Cell("r1bis -> NO-SUPPORT", "B-44"),
    .payloadUnknownTag: Cell("r1bis -> NO-SUPPORT", "B-44"),
    .parameterProblem: Cell("-> NO-SUPPORT", "B-44"),
]

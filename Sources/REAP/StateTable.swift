// The tables of RFC 5534, section 6, in its own words, to be held against its text.
//
// Who carries a row out:
// * `REAPMachine.perform` does, for every event that reaches the machine.
// * The data path does the rows of 6.1 and 6.2 for payload, packet by packet, since they only start and stop timers:
//   `stamp_in` and `stamp_out` in CDataPath/bpf/stamps.h, `OwnActivity` without eBPF. It knows no states: it does
//   the column Operational in each of them. That adds nothing to the other two, for the Keepalive Timer means nothing in
//   InboundOk and neither timer does in Exploring; and a GOTO starts from scratch (see there). Only payload that comes
//   in while Exploring is reported, and its row done by the machine.
// * When the two timers and the interval between Keepalives have run out (6.3, 6.4, 6.1) is found out in LazyTimers.swift.
//
// What else section 6 asks for:
// * The pair that a Probe goes out on (4.3), and the one that payload uses afterwards (6.8): Probing.swift.
// * What a Probe reports (5.2, 6.1): `ProbeMemory`. When Probes are repeated (4.3, 7): `REAPConfiguration.probeGap`.

/// What can happen. Payload is any packet of the context but Keepalives and Probes, Shim6 messages too: 5534-4.1-06.
enum TableEvent: CaseIterable {
    case payloadReceived, payloadSent
    case keepaliveIntervalOver, keepaliveTimeout, sendTimeout, retransmission
    case keepaliveReceived
    case probeExploringReceived, probeInboundOkReceived, probeOperationalReceived
    /// A Probe of which 6.8 or 6.9 would make an end, but no pair of locators is left or reported that payload could use.
    case probeWithoutPairReceived
    /// Anything but the timers gives reason to doubt the pair in use: a locator is gone, an error came in.
    case suspicion
}

extension TableEvent {
    /// Whether it is a message that may have nothing but the tag to prove whose it is. (Payload is reported in Exploring only.)
    var isProvenByTag: Bool {
        switch self {
        case .payloadReceived, .keepaliveReceived, .probeInboundOkReceived, .probeOperationalReceived: true
        case .payloadSent, .keepaliveIntervalOver, .keepaliveTimeout, .sendTimeout, .retransmission,
            .probeExploringReceived, .probeWithoutPairReceived, .suspicion:
            false
        }
    }
}

/// One cell: what is done in one state at one event, in the order of the members.
struct TableRow: Equatable {
    /// To the Send Timer.
    var send: TimerCommand?
    /// To the Keepalive Timer.
    var keepalive: TimerCommand?
    /// GOTO. The timers begin from scratch then: those that the row does not name are stopped, and START counts from now,
    /// whatever the data path has stamped in a state where the timer means nothing.
    var goto: REAPState?
    /// SEND Probe, with this state in it, which is that after the row: 5534-6.1-06.
    var probe: REAPState?
    /// SEND Keepalive.
    var sendsKeepalive = false

    /// "-"
    static var nothing: TableRow { TableRow() }
}

/// The cell for an event in a state.
func tableRow(_ event: TableEvent, in state: REAPState) -> TableRow {  // 5534-6-01
    switch (event, state) {
    // 6.1 Incoming payload packet
    case (.payloadReceived, .operational): TableRow(send: .stop, keepalive: .start)  // 5534-6.1-01
    case (.payloadReceived, .exploring): TableRow(send: .start, goto: .inboundOk, probe: .inboundOk)  // 5534-6.1-02
    case (.payloadReceived, .inboundOk): TableRow(send: .stop)  // 5534-6.1-03

    // 6.1 "While the Keepalive Timer is running", not in the RFC's table
    case (.keepaliveIntervalOver, .operational): TableRow(sendsKeepalive: true)  // 5534-6.1-09, 5534-4.1-13
    case (.keepaliveIntervalOver, .exploring), (.keepaliveIntervalOver, .inboundOk): .nothing

    // 6.2 Outgoing payload packet
    case (.payloadSent, .operational): TableRow(send: .start, keepalive: .stop)  // 5534-6.2-01
    case (.payloadSent, .exploring): .nothing  // 5534-6.2-02
    case (.payloadSent, .inboundOk): TableRow(send: .start)  // 5534-6.2-03

    // 6.3 Keepalive Timeout
    case (.keepaliveTimeout, .operational): TableRow(sendsKeepalive: true)  // 5534-6.3-01
    case (.keepaliveTimeout, .exploring), (.keepaliveTimeout, .inboundOk): .nothing  // 5534-6.3-02

    // 6.4 Send Timeout. No return traffic (4.1, Forced Bidirectional Detection), so pairs are tested: 5534-3.3-02.
    case (.sendTimeout, .operational): TableRow(goto: .exploring, probe: .exploring)  // 5534-6.4-01
    case (.sendTimeout, .exploring): .nothing  // 5534-6.4-03
    case (.sendTimeout, .inboundOk): TableRow(goto: .exploring, probe: .exploring)  // 5534-6.4-02

    // 6.5 Retransmission
    case (.retransmission, .operational): .nothing  // 5534-6.5-03
    case (.retransmission, .exploring): TableRow(probe: .exploring)  // 5534-6.5-01
    case (.retransmission, .inboundOk): TableRow(send: .start, probe: .inboundOk)  // 5534-6.5-02

    // 6.6 Reception of the Keepalive message
    case (.keepaliveReceived, .operational): TableRow(send: .stop)  // 5534-6.6-01
    case (.keepaliveReceived, .exploring): TableRow(send: .start, goto: .inboundOk, probe: .inboundOk)  // 5534-6.6-02
    case (.keepaliveReceived, .inboundOk): TableRow(send: .stop)  // 5534-6.6-03

    // 6.7 Reception of the Probe message State=Exploring
    case (.probeExploringReceived, .operational):
        TableRow(send: .restart, keepalive: .stop, goto: .inboundOk, probe: .inboundOk)  // 5534-6.7-01
    case (.probeExploringReceived, .exploring):
        TableRow(send: .start, goto: .inboundOk, probe: .inboundOk)  // 5534-6.7-02
    case (.probeExploringReceived, .inboundOk): TableRow(send: .restart, probe: .inboundOk)  // 5534-6.7-03

    // 6.8 Reception of the Probe message State=InboundOk
    case (.probeInboundOkReceived, .operational):
        TableRow(send: .restart, keepalive: .stop, probe: .operational)  // 5534-6.8-01
    case (.probeInboundOkReceived, .exploring), (.probeInboundOkReceived, .inboundOk):
        TableRow(send: .restart, goto: .operational, probe: .operational)  // 5534-6.8-02, 5534-6.8-03

    // 6.9 Reception of the Probe message State=Operational. Its text speaks of a Probe that its table does not send, and
    // that nobody needs: 5534-6.9-04.
    case (.probeOperationalReceived, .operational): TableRow(send: .stop, keepalive: .start)  // 5534-6.9-01
    case (.probeOperationalReceived, .exploring), (.probeOperationalReceived, .inboundOk):
        TableRow(send: .stop, keepalive: .start, goto: .operational)  // 5534-6.9-02, 5534-6.9-03

    // Not in the RFC. Section 6.8 leaves the pair as it is when nothing is reported; if its locators are gone that ends
    // no exploration. Then the Probe is a sign that packets arrive, and Probes go on, with a schedule of their own.
    case (.probeWithoutPairReceived, _): TableRow(send: .restart, goto: .inboundOk, probe: .inboundOk)

    // Not in section 6: 4.1 and 4.2, first paragraphs, and 8. As if the Send Timer had expired, but only in Operational.
    case (.suspicion, .operational): TableRow(goto: .exploring, probe: .exploring)
    case (.suspicion, .exploring), (.suspicion, .inboundOk): .nothing
    }
}

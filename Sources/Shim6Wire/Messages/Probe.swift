/// What a Probe says of its sender's view of reachability (RFC 5534, section 5.2).
public enum ProbeState: UInt8, Sendable, CaseIterable {
    case operational = 0
    case exploring = 1
    case inboundOk = 2
}

/// A Probe that was sent or received, as Probes report it (RFC 5534, section 5.2).
/// 40 octets: source, destination, nonce, data.
public struct ProbeReport: Hashable, Sendable {
    /// Octets of a report.
    static let length = 40

    public var source: IPv6Address
    public var destination: IPv6Address
    public var nonce: UInt32
    /// Without meaning; a received report returns it unchanged.
    public var data: UInt32

    public init(source: IPv6Address, destination: IPv6Address, nonce: UInt32, data: UInt32 = 0) {
        self.source = source
        self.destination = destination
        self.nonce = nonce
        self.data = data
    }
}

/// Probe (RFC 5534, section 5.2). Octets 6-11 Receiver Context Tag, 12 the counts of received (high nibble) and sent
/// (low nibble) reports, 13 the state in its two top bits, 16- the sent reports, then the received ones.
public struct Probe: Hashable, Sendable {
    /// The sender's CT(peer).
    public var receiverTag: ContextTag
    public var state: ProbeState
    /// 1 to 15 reports; the first one describes this very Probe.
    public var sent: [ProbeReport]
    /// At most 15 reports, copied unchanged from the Probes that they report.
    public var received: [ProbeReport]
    /// The payload that came in last.
    public var payload: PayloadReport?

    public init(
        receiverTag: ContextTag, state: ProbeState, sent: [ProbeReport], received: [ProbeReport] = [],
        payload: PayloadReport? = nil
    ) {
        self.receiverTag = receiverTag
        self.state = state
        self.sent = sent
        self.received = received
        self.payload = payload
    }
}

extension ProbeReport {
    fileprivate init(_ octets: [UInt8], at offset: Int) {
        self.init(
            source: octets.address(at: offset), destination: octets.address(at: offset + 16),
            nonce: octets.bigEndian(UInt32.self, at: offset + 32), data: octets.bigEndian(UInt32.self, at: offset + 36))
    }

    fileprivate func write(to writer: inout MessageWriter) {
        writer.append(source)
        writer.append(destination)
        writer.append(nonce)
        writer.append(data)
    }
}

extension Probe {
    // Reserved, R and Reserved2 are not looked at: 5534-5.2-08, 5534-5.2-10, 5534-5.2-13.
    init(_ view: MessageView) throws(ParseError) {
        let octets = view.octets
        guard let state = ProbeState(rawValue: octets[13] >> 6) else { throw ParseError(.probeState, at: 13) }
        let sent = Int(octets[12] & 0xf)
        let received = Int(octets[12] >> 4)
        let reports = (0..<(sent + received)).map { ProbeReport(octets, at: 16 + $0 * ProbeReport.length) }
        self.init(
            receiverTag: octets.tag(at: 6), state: state, sent: Array(reports.prefix(sent)),
            received: Array(reports.dropFirst(sent)), payload: try OptionValues(view).payloadReport)
    }

    func writer() throws(EncodeError) -> MessageWriter {
        // 5534-5.2-14
        guard (1...15).contains(sent.count), received.count <= 15 else {
            throw .reportCount(sent: sent.count, received: received.count)
        }
        var writer = MessageWriter(.probe)
        writer.append(receiverTag)
        writer.append(UInt8(received.count << 4 | sent.count))
        writer.append(state.rawValue << 6)
        writer.append(zeros: 2)  // 5534-5.2-12
        for report in sent { report.write(to: &writer) }
        for report in received { report.write(to: &writer) }
        payload?.write(to: &writer)
        return writer
    }
}

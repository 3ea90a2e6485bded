import Glibc
import Netlink
import Shim6Wire

/// Whether this host's own filters let Shim6 pass: by packets that are really sent and really come in.
struct LocalChecks {
    var wire: Wire
    /// Whether the kernel can be asked which rules of nftables packets meet.
    var traces: Bool

    // MARK: Into the host

    /// Lets a message come in on an uplink as if a peer had sent it, as the first one of its own.
    func into(_ uplink: Uplink, at address: IPv6Address, from peer: IPv6Address) -> Finding {
        let check = "into \(uplink.name)"
        let injector: Injector
        do {
            injector = try Injector(uplink.link)
        } catch {
            return Finding(
                check, .unknown, "it could not be tried what comes in: \(error)",
                advice: ["modprobe -a tun cls_u32 act_mirred sch_ingress", "as root, and with tc (iproute2)"])
        }
        let packet = probe(.unasked, from: peer, to: address)
        let trail = wire.exchange([packet], isDone: { $1.isDelivered }, send: injector.send)[0]
        guard trail.arrived.contains(uplink.link.index) else {
            return Finding(check, .unknown, "it could not be tried what comes in: nothing could be made to")
        }
        guard trail.isDelivered else {
            return dropped(check, "protocol 140 from \(peer) to \(address) does not get in") { injector.send(packet) }
        }
        return Finding(check, .ok, "protocol 140 from \(peer) gets in")
    }

    // MARK: Out of the host

    /// What one step beyond this host is like.
    struct Step {
        var findings: [Finding] = []
        /// Whether the router has answered, on this uplink.
        var routerAnswered = false
        /// Whether it has answered what only a router says: that a packet has come to the end of its hops.
        var routerForwards = false
        /// Indexes of other interfaces on which answers came in.
        var answeredElsewhere: Set<UInt32> = []
        /// Whether anything has left this host.
        var hasLeft = false
    }

    /// Sends what a router may not forward, by an uplink.
    func out(of uplink: Uplink, from source: IPv6Address, to peer: IPv6Address) -> Step {
        let check = "out of \(uplink.name)"
        let forms: [ProbePacket.Form] = [.control, .payload, .ping]
        let packets = forms.map { probe($0, from: source, to: peer, hopLimit: 1) }
        let requests = packets.map { Wire.Request(packet: $0, interface: uplink.link.index) }
        let trails = wire.exchange(requests) { $1.refusal == EPERM || !$1.answers.isEmpty }
        var step = Step()
        step.hasLeft = trails.contains { $0.left.contains(uplink.link.index) }
        let answers = trails.flatMap(\.answers)
        step.routerAnswered = answers.contains { $0.interface == uplink.link.index }
        step.routerForwards = answers.contains { $0.kind == .timeExceeded }
        step.answeredElsewhere = Set(answers.map(\.interface)).subtracting([uplink.link.index])
        let kept = zip(packets, trails).filter { packet, trail in
            packet.form != .ping && !trail.left.contains(uplink.link.index)
        }
        if let refusal = kept.compactMap(\.1.refusal).first(where: { $0 != EPERM }) {
            let reason = String(cString: strerror(refusal))
            step.findings = [Finding(check, .failure, "nothing can be sent from \(source): \(reason)")]
            return step
        }
        // A neighbour that does not answer keeps everything here.
        if let (packet, _) = kept.first(where: { $0.1.refusal == EPERM || step.hasLeft }) {
            let what = kept.count == 2 ? "" : packet.form == .control ? " (control messages)" : " (payload)"
            step.findings = [
                dropped(check, "protocol 140\(what) from \(source) to \(peer) does not get out") {
                    wire.send(packet, interface: uplink.link.index)
                }
            ]
        }
        if step.findings.isEmpty, step.hasLeft {
            step.findings = [Finding(check, .ok, "protocol 140 from \(source) gets out")]
        }
        return step
    }

    /// The interfaces by which packets of this source leave if nobody chooses one; nil if none does.
    func wayOut(from source: IPv6Address, to peer: IPv6Address) -> Set<UInt32>? {
        let request = Wire.Request(packet: probe(.ping, from: source, to: peer, hopLimit: 1), interface: nil)
        let trail = wire.exchange([request]) { $1.refusal != nil || !$1.left.isEmpty }[0]
        return trail.left.isEmpty ? nil : trail.left
    }

    private func probe(
        _ form: ProbePacket.Form, from source: IPv6Address, to destination: IPv6Address, hopLimit: UInt8 = 64
    ) -> ProbePacket {
        ProbePacket(
            form: form, source: source, destination: destination, nonce: wire.nonce(), hopLimit: hopLimit)
    }

    private func dropped(_ check: String, _ what: String, _ send: () -> Void) -> Finding {
        guard let culprit = Culprit.find(traces: traces, send) else {
            return Finding(
                check, .failure, "\(what): dropped on this host, by what cannot be told",
                advice: ["nft list ruleset; ip6tables-save; tc filter show"])
        }
        return Finding(check, .failure, "\(what): dropped on this host by \(culprit.text)", advice: culprit.advice)
    }
}

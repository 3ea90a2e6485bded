import Netlink
import Shim6Wire

/// Whether Shim6 gets to a peer and back over an uplink.
struct PathChecks {
    var wire: Wire
    var traces: Bool
    /// Names of the interfaces by their index.
    var names: [UInt32: String]

    /// How far probes of one form get, by their hop limit.
    typealias Steps = [UInt8: Answer]

    func path(_ uplink: Uplink, from source: IPv6Address, to peer: IPv6Address) -> [Finding] {
        let check = "\(source) -> \(peer)"
        let forms: [ProbePacket.Form] = [.ping, .control, .payload]
        let packets = forms.map { packet($0, source, peer) }
        let trails = wire.exchange(packets, pause: .milliseconds(700), isDone: { $1.reply != nil }) {
            wire.send($0, interface: uplink.link.index)
        }
        let (ping, control, payload) = (trails[0], trails[1], trails[2])
        if let stray = stray(uplink, source, trails) {
            return [Finding(check, .failure, stray.text, advice: stray.advice)]
        }
        if let lost = lostHere(check, uplink, zip(packets, trails)) { return [lost] }
        guard control.reply != nil else {
            let far = steps(.control, uplink, source, peer)
            let pings = ping.reply == nil && far.isEmpty ? [:] : steps(.ping, uplink, source, peer)
            let text = Self.silence("protocol 140", far, pings: pings, pingAnswered: ping.reply != nil, peer: peer)
            return [
                Finding(check, .failure, "over \(uplink.name): \(text)", advice: Self.advice(ping, far, pings, peer))
            ]
        }
        guard control.reply?.kind != .unknownProtocol else {
            return [
                Finding(
                    check, .failure, "over \(uplink.name): protocol 140 gets there, but no Shim6 runs there",
                    advice: ["systemctl start shim6d   # on the peer"])
            ]
        }
        guard payload.reply != nil else {
            let far = steps(.payload, uplink, source, peer)
            let pings = steps(.ping, uplink, source, peer)
            let text = Self.silence(
                "payload with a Shim6 header", far, pings: pings, pingAnswered: ping.reply != nil, peer: peer)
            // A peer with the XFRM data path takes none, and answers to none.
            let goesThrough = Self.comesToLastRouter(far, pings: pings)
            return [
                Finding(
                    check, goesThrough ? .warning : .failure, "over \(uplink.name): control messages pass, but \(text)",
                    advice: goesThrough ? ["shim6ctl status   # on the peer: driver xfrm takes none of these"] : [])
            ]
        }
        return [sizes(check, uplink, source, peer)]
    }

    private func packet(
        _ form: ProbePacket.Form, _ source: IPv6Address, _ peer: IPv6Address, hopLimit: UInt8 = 64, length: Int = 0
    ) -> ProbePacket {
        ProbePacket(
            form: form, source: source, destination: peer, nonce: wire.nonce(), hopLimit: hopLimit, length: length)
    }

    // MARK: Answers that come to nothing

    /// Answers that come in elsewhere, or are looked for elsewhere: the prefix is another provider's.
    private func stray(_ uplink: Uplink, _ source: IPv6Address, _ trails: [Trail]) -> (text: String, advice: [String])?
    {
        let own = uplink.link.index
        let answers = Set(trails.flatMap { $0.answers.map(\.interface) })
        let places = answers.isEmpty ? wire.solicitations[source] ?? [] : answers
        guard !places.isEmpty, !places.contains(own), let name = places.compactMap({ names[$0] }).first else {
            return nil
        }
        return (
            "what is sent from it over \(uplink.name) is answered over \(name): its prefix is of that provider",
            ["mend the prefixes in [[uplink]] of \(uplink.name) and \(name): they may be swapped"]
        )
    }

    /// Answers that came in and got to no socket.
    private func lostHere(
        _ check: String, _ uplink: Uplink, _ probes: Zip2Sequence<[ProbePacket], [Trail]>
    ) -> Finding? {
        for (packet, trail) in probes where packet.form != .ping {
            guard let reply = trail.reply, !trail.delivered.contains(reply.kind) else { continue }
            let culprit = Culprit.find(traces: traces) { wire.send(packet, interface: uplink.link.index) }
            return Finding(
                check, .failure,
                "over \(uplink.name): the answer comes in and is dropped on this host by "
                    + (culprit?.text ?? "what cannot be told"), advice: culprit?.advice ?? [])
        }
        return nil
    }

    // MARK: Step by step

    /// Sends with hop limits that grow, until the destination answers or nobody does.
    private func steps(
        _ form: ProbePacket.Form, _ uplink: Uplink, _ source: IPv6Address, _ peer: IPv6Address
    ) -> Steps {
        var steps: Steps = [:]
        for first in stride(from: UInt8(1), through: 25, by: 8) {
            let packets = (first..<first + 8).map { packet(form, source, peer, hopLimit: $0) }
            let trails = wire.exchange(packets, tries: 2, pause: .milliseconds(900), isDone: { !$1.answers.isEmpty }) {
                wire.send($0, interface: uplink.link.index)
            }
            for (packet, trail) in zip(packets, trails) { steps[packet.hopLimit] = trail.reply ?? trail.error }
            if trails.contains(where: { $0.reply != nil }) || trails.allSatisfy({ $0.answers.isEmpty }) { break }
        }
        return steps
    }

    /// Where probes end, in words.
    static func silence(_ what: String, _ steps: Steps, pings: Steps, pingAnswered: Bool, peer: IPv6Address) -> String {
        let comparison = pingAnswered ? "\(what) gets no answer, pings do" : "nothing comes back"
        if let refusal = steps.values.first(where: { if case .unreachable = $0.kind { true } else { false } }) {
            return "\(comparison); \(refusal.from) answers that it is unreachable"
        }
        guard let last = steps.filter({ !$0.value.isFromDestination }).keys.max(), let router = steps[last]?.from else {
            return "\(comparison); not even the first router answers"
        }
        let next = pings[last + 1].map { "\($0.from) (hop \(last + 1))" } ?? "hop \(last + 1)"
        return "\(comparison); the last that answered is \(router) (hop \(last)), the first that did not \(next)"
    }

    /// Whether probes get as far as pings that are answered by the destination, but for the destination itself.
    static func comesToLastRouter(_ steps: Steps, pings: Steps) -> Bool {
        guard let last = pings.filter(\.value.isFromDestination).keys.min() else { return false }
        return last == 1 || steps[last - 1] != nil
    }

    private static func advice(_ ping: Trail, _ far: Steps, _ pings: Steps, _ peer: IPv6Address) -> [String] {
        guard ping.reply != nil else { return [] }
        return comesToLastRouter(far, pings: pings)
            ? ["shim6ctl doctor   # on the peer: its own filters may drop it"]
            : ["ask who runs that hop to let IPv6 next header 140 pass"]
    }

    // MARK: Sizes

    /// Links have these MTUs, and tunnels leave these.
    private static let usualMTUs = [9000, 1500, 1492, 1480, 1472, 1440, 1420, 1400, 1380, 1360, 1320, 1288, 1280]

    private func sizes(_ check: String, _ uplink: Uplink, _ source: IPv6Address, _ peer: IPv6Address) -> Finding {
        let mtu = Int(min(uplink.link.mtu, 9000))
        let lengths = [mtu] + Self.usualMTUs.filter { $0 < mtu }
        let packets = lengths.map { packet(.payload, source, peer, length: $0) }
        let full = wire.exchange([packets[0]], isDone: { $1.reply != nil || $1.error != nil }) {
            wire.send($0, interface: uplink.link.index)
        }
        let passes = "over \(uplink.name): control messages and payload pass"
        if full[0].reply != nil { return Finding(check, .ok, "\(passes), up to \(mtu) octets") }
        let trails = wire.exchange(Array(packets.dropFirst()), isDone: { $1.reply != nil || $1.error != nil }) {
            wire.send($0, interface: uplink.link.index)
        }
        let largest = zip(lengths.dropFirst(), trails).first { $0.1.reply != nil }?.0
        return Self.size(check, passes, mtu: mtu, largest: largest, full: full[0])
    }

    static func size(_ check: String, _ passes: String, mtu: Int, largest: Int?, full: Trail) -> Finding {
        guard let largest else {
            return Finding(check, .failure, "\(passes) only below 1280 octets: a link on the way breaks IPv6")
        }
        if case .tooBig(let told)? = full.error?.kind {
            return Finding(
                check, .ok, "\(passes), up to \(told) octets, as \(full.error?.from.description ?? "") tells")
        }
        return Finding(
            check, .warning, "\(passes) up to about \(largest) octets; larger ones vanish without a word",
            advice: ["sysctl net.ipv4.tcp_mtu_probing=1   # on both ends"])
    }
}

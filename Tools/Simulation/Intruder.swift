import Shim6Core
import Shim6Wire

/// What somebody does who is on no path between two hosts.
public enum Intrusion: CaseIterable, Sendable {
    /// Control messages that came by earlier come in again, from their old source or from another one.
    case replay, replayFromElsewhere
    /// The same with some bits changed and the checksum put right.
    case alter
    /// An I1 in another host's name.
    case spoofedI1
    /// An I2 or I2bis in another host's name with a validator that the receiver never made.
    case forgedI2, forgedI2bis
    /// Answers to questions that were never asked, or not of the intruder.
    case forgedR1, forgedR2, forgedR1bis
    /// Messages of a context, with a tag that was guessed, or with the right one from an address that is none of the
    /// peer's; the Probes with made-up reports.
    case forgedUpdate, forgedAcknowledgement, forgedKeepalive, forgedProbe, forgedError
    /// Payload with a tag that was guessed.
    case forgedPayload
    /// An ICMPv6 Parameter Problem about something that is no I1, or not the I1 that waits for its answer.
    case forgedProblem, forgedI1Problem
    /// An honest exchange under the intruder's own name, with the tag or with the locators of the flow's other end: bait
    /// for a host that takes either of them for context confusion. Then made-up reports that would have payload sent to
    /// the other end.
    case bait
    /// Messages of somebody who has seen the tags of a context and sends in the peer's name, but knows no nonce.
    case taggedR1bis, taggedKeepalive, taggedAcknowledgement, taggedError, taggedProbe
}

/// Somebody who has an address of his own and can send from any, but hears only what is sent to him, and now and then
/// an old message.
final class Intruder {
    /// A control message as it went.
    struct Message {
        var octets: [UInt8]
        var source: IPv6Address
        var destination: IPv6Address
        var seconds: Double
    }

    let stranger: Stranger
    /// The latest of each host.
    private(set) var overheard: [[Message]]
    /// What the I2 after an R1 to him will say.
    var bait: (tag: ContextTag, locators: [IPv6Address])?

    init(keys: Keys?, hosts: Int) {
        stranger = Stranger(keys: keys)
        overheard = Array(repeating: [], count: hosts)
    }

    var address: IPv6Address { stranger.address }

    func overhear(_ message: Message, to host: Int) {
        if overheard[host].count == 64 { overheard[host].removeFirst() }
        overheard[host].append(message)
    }
}

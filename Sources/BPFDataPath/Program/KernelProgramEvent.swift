import CDataPath
import REAP
import Shim6Core
import Shim6Wire

/// Something the program reports.
public enum KernelProgramEvent: Hashable, Sendable {
    /// A session without a context had enough traffic for one.
    case trigger(ULIDPair)
    /// The packet that `ActivityStamps.requestNotification` asked for.
    case activity(ContextTag, Direction, at: Instant)
    /// Payload was delivered for a context in mode `deliverAndNotify` (RFC 5533, section 12.2).
    case payload(ContextTag)
    /// Payload with a tag that no context has was dropped.
    case unknownTag(ContextTag, LocatorPair)
    /// A rehomed packet did not fit and was dropped. `quote` is its beginning with the ULIDs, from the IPv6 header on;
    /// the sender is to be told that `mtu` octets fit.
    case tooBig(ULIDPair, mtu: UInt32, quote: [UInt8])
    /// A packet was dropped on `shim0` since its source is on no uplink.
    case unreachable(ULIDPair, quote: [UInt8])
    /// A packet of this context, with its ULIDs, is to be sent in fragments: with the payload header it is too big for its
    /// path, though no bigger than every sender may make it.
    case toFragment(ContextTag, [UInt8])
    /// A TCP socket sends something again while a context's packets are unanswered.
    case retransmission(ContextTag)

    /// Nil for a kind that this version does not know.
    init?(_ event: shim6_event, followedBy packet: UnsafeRawPointer) {
        let tag = ContextTag(truncating: event.tag)
        let pair = LocatorPair(source: IPv6Address(event.source), destination: IPv6Address(event.destination))
        let ulids = ULIDPair(local: pair.source, peer: pair.destination)
        let quote = { withUnsafeBytes(of: event.quote) { [UInt8]($0.prefix(Int(event.quoted))) } }
        switch shim6_event_kind(rawValue: event.kind) {
        case SHIM6_EVENT_TRIGGER: self = .trigger(ulids)
        case SHIM6_EVENT_ACTIVITY_IN: self = .activity(tag, .incoming, at: Instant(nanoseconds: event.time))
        case SHIM6_EVENT_ACTIVITY_OUT: self = .activity(tag, .outgoing, at: Instant(nanoseconds: event.time))
        case SHIM6_EVENT_PAYLOAD: self = .payload(tag)
        case SHIM6_EVENT_UNKNOWN_TAG: self = .unknownTag(tag, pair)
        case SHIM6_EVENT_TOO_BIG: self = .tooBig(ulids, mtu: event.mtu, quote: quote())
        case SHIM6_EVENT_UNREACHABLE: self = .unreachable(ulids, quote: quote())
        case SHIM6_EVENT_TO_FRAGMENT:
            self = .toFragment(tag, [UInt8](UnsafeRawBufferPointer(start: packet, count: Int(event.quoted))))
        case SHIM6_EVENT_RETRANSMISSION: self = .retransmission(tag)
        default: return nil
        }
    }
}

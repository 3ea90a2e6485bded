import Lab

/// How the stream begins on its new path: whether it is a burst of the old path's window (RFC 5533, section 15.1).
struct FirstPackets {
    /// Octets of data until the first answer.
    var beforeAnswer: Int
    /// Segments in the first tenth of a second whose data had been sent before.
    var repeated: Int

    private static let begin = Clock.Span.seconds(0.1)

    /// - Parameters:
    ///   - packets: those of the new path.
    ///   - next: where new data began when payload was moved.
    /// - Returns: nil if nothing was sent there.
    init?(_ packets: [CapturedPacket], next: UInt32) {
        let all = packets.compactMap { packet in Segment(packet).map { (at: packet.at, segment: $0) } }
        guard let first = all.first(where: { $0.segment.isFromServer && $0.segment.length > 0 }) else { return nil }
        let begun = all.filter { $0.at >= first.at && $0.at <= first.at + Self.begin }.map(\.segment)
        beforeAnswer = begun.prefix(while: \.isFromServer).reduce(0) { $0 + $1.length }
        repeated = begun.count {
            $0.isFromServer && $0.length > 0 && $0.sequence.distance(fromEarlier: next) < 0
        }
    }
}

import Foundation

/// The monotonic clock, the one that the daemon stamps its notices with.
public enum Clock {
    /// A point on CLOCK_MONOTONIC.
    public struct Moment: Comparable, Hashable, Sendable, Codable {
        public var nanoseconds: UInt64

        public init(nanoseconds: UInt64) {
            self.nanoseconds = nanoseconds
        }

        public init(from decoder: any Decoder) throws {
            nanoseconds = try decoder.singleValueContainer().decode(UInt64.self)
        }

        public func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            try container.encode(nanoseconds)
        }

        public static func < (left: Moment, right: Moment) -> Bool { left.nanoseconds < right.nanoseconds }
        public static func + (left: Moment, right: Span) -> Moment {
            Moment(nanoseconds: UInt64(clamping: Int64(clamping: left.nanoseconds) + right.nanoseconds))
        }
        public static func - (left: Moment, right: Moment) -> Span {
            Span(nanoseconds: Int64(clamping: left.nanoseconds) - Int64(clamping: right.nanoseconds))
        }
    }

    /// A length of time.
    public struct Span: Comparable, Sendable {
        public var nanoseconds: Int64

        public static func seconds(_ seconds: Double) -> Span { Span(nanoseconds: Int64(seconds * 1e9)) }
        public static let zero = Span(nanoseconds: 0)
        public static prefix func - (span: Span) -> Span { Span(nanoseconds: -span.nanoseconds) }
        public static func < (left: Span, right: Span) -> Bool { left.nanoseconds < right.nanoseconds }
        public var seconds: Double { Double(nanoseconds) / 1e9 }
    }

    public static var now: Moment { read(CLOCK_MONOTONIC) }

    /// What to add to a time since the epoch, as captures have it, to get a moment. Holds until somebody sets the clock.
    public static var sinceEpoch: Span { now - read(CLOCK_REALTIME) }

    private static func read(_ clock: clockid_t) -> Moment {
        var time = timespec()
        clock_gettime(clock, &time)
        return Moment(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
    }
}

/// A point in time on both clocks: the wall clock for people, the monotonic clock for arithmetic.
///
/// JSON: `{"monotonic_ns": 81234567890, "time": "2026-11-21T08:15:00.250000Z"}`.
public struct Moment: Codable, Hashable, Sendable {
    /// When it was by the wall clock, which may jump.
    public var time: WallTime
    /// CLOCK_MONOTONIC, nanoseconds.
    public var monotonicNs: UInt64

    public init(time: WallTime, monotonicNs: UInt64) {
        self.time = time
        self.monotonicNs = monotonicNs
    }

    /// Seconds from `earlier` to this moment by the monotonic clock; negative if `earlier` is later.
    public func seconds(since earlier: Moment) -> Double {
        monotonicNs >= earlier.monotonicNs
            ? Double(monotonicNs - earlier.monotonicNs) / 1e9
            : -Double(earlier.monotonicNs - monotonicNs) / 1e9
    }
}

/// Universal time, written as ISO 8601 with microseconds: `2026-11-21T08:15:00.250000Z`.
public struct WallTime: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Microseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
    public var microseconds: Int64

    public init(microseconds: Int64) {
        self.microseconds = microseconds
    }

    public static func < (left: WallTime, right: WallTime) -> Bool {
        left.microseconds < right.microseconds
    }

    public var description: String {
        let (days, inDay) = microseconds.flooredDivision(by: 86_400_000_000)
        let date = CivilDate(daysSinceEpoch: days)
        let seconds = inDay / 1_000_000
        let clock = [seconds / 3600, seconds / 60 % 60, seconds % 60].map { padded($0, 2) }.joined(separator: ":")
        return "\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))T\(clock)"
            + ".\(padded(inDay % 1_000_000, 6))Z"
    }

    /// Reads what `description` writes; the fraction may have 0 to 6 digits. Nil for anything else.
    public init?(_ text: String) {
        let octets = Array(text.utf8)
        let separators: [(Int, Character)] = [(4, "-"), (7, "-"), (10, "T"), (13, ":"), (16, ":")]
        guard octets.count >= 20, octets.last == UInt8(ascii: "Z"),
            separators.allSatisfy({ octets[$0.0] == $0.1.asciiValue }),
            let year = decimal(octets[0..<4]), let month = decimal(octets[5..<7]), let day = decimal(octets[8..<10]),
            let hour = decimal(octets[11..<13]), let minute = decimal(octets[14..<16]),
            let second = decimal(octets[17..<19]),
            (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second < 60
        else { return nil }
        var fraction = octets[19..<(octets.count - 1)]
        if !fraction.isEmpty {
            guard fraction.removeFirst() == UInt8(ascii: "."), (1...6).contains(fraction.count) else { return nil }
        }
        let digits = Array(fraction) + Array(repeating: UInt8(ascii: "0"), count: 6 - fraction.count)
        guard let micro = decimal(digits[...]) else { return nil }
        let days = CivilDate(year: year, month: month, day: day).daysSinceEpoch
        microseconds = (((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000_000 + micro
    }
}

extension WallTime: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let time = WallTime(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not an ISO 8601 time in UTC")
        }
        self = time
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

/// A date of the proleptic Gregorian calendar.
private struct CivilDate {
    var year: Int64
    var month: Int64
    var day: Int64

    init(year: Int64, month: Int64, day: Int64) {
        self.year = year
        self.month = month
        self.day = day
    }

    // Years begin in March here, so that the leap day is the last day of one; 400 such years have 146,097 days.
    init(daysSinceEpoch days: Int64) {
        let (era, dayOfEra) = (days + 719_468).flooredDivision(by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let fromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * fromMarch + 2) / 5 + 1
        month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    var daysSinceEpoch: Int64 {
        let (era, yearOfEra) = (month <= 2 ? year - 1 : year).flooredDivision(by: 400)
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}

extension Int64 {
    /// Quotient rounded down and the remainder, which is never negative.
    fileprivate func flooredDivision(by divisor: Int64) -> (Int64, Int64) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}

private func padded(_ number: Int64, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
}

private func decimal(_ digits: ArraySlice<UInt8>) -> Int64? {
    var value: Int64 = 0
    for digit in digits {
        guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
        value = value * 10 + Int64(digit - UInt8(ascii: "0"))
    }
    return value
}

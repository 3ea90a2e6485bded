import REAP

/// Waits before retransmissions: binary exponential backoff, each wait then drawn evenly from half to one and a half
/// of its nominal value (RFC 5533, sections 7.8, 7.12, 10.2 and 14).
struct Backoff {
    var initial: Duration
    var maximum: Duration? = nil

    /// The wait before retransmission number `retransmission`, counted from 1.
    func wait(before retransmission: Int, random: inout RandomSource) -> Duration {
        // 2^20 times any sensible timeout is over a month: more doubling changes nothing that can be seen.
        var nominal = initial * (1 << min(max(retransmission - 1, 0), 20))
        if let maximum, nominal > maximum { nominal = maximum }
        return nominal * Double.random(in: 0.5...1.5, using: &random)
    }
}

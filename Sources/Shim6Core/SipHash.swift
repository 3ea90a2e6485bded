import Shim6Wire

/// SipHash-2-4 with a 128-bit result (Aumasson and Bernstein): a keyed one-way function for short inputs.
///
/// It serves as the one-way function of RFC 5533 section 7.10.1. It needs no allocation, so that an I1 costs little.
struct SipHash {
    private var v0: UInt64
    private var v1: UInt64
    private var v2: UInt64
    private var v3: UInt64
    private var octets: UInt64 = 0

    init(key: Key) {
        v0 = 0x736f_6d65_7073_6575 ^ key.low
        v1 = 0x646f_7261_6e64_6f6d ^ key.high ^ 0xee
        v2 = 0x6c79_6765_6e65_7261 ^ key.low
        v3 = 0x7465_6462_7974_6573 ^ key.high
    }

    /// 128 bits; `low` is the first eight octets of the usual notation, read as little endian.
    struct Key: Hashable, Sendable {
        var low: UInt64
        var high: UInt64

        init(low: UInt64, high: UInt64) {
            self.low = low
            self.high = high
        }

        init(from random: inout some RandomNumberGenerator) {
            self.init(low: random.next(), high: random.next())
        }
    }

    /// Takes in eight octets: those of `word`, lowest first.
    mutating func absorb(_ word: UInt64) {
        v3 ^= word
        round()
        round()
        v0 ^= word
        octets &+= 8
    }

    mutating func absorb(_ address: IPv6Address) {
        absorb(address.high)
        absorb(address.low)
    }

    /// The result for all words taken in so far.
    consuming func finish() -> (low: UInt64, high: UInt64) {
        absorb(octets << 56)
        v2 ^= 0xee
        for _ in 0..<4 { round() }
        let low = v0 ^ v1 ^ v2 ^ v3
        v1 ^= 0xdd
        for _ in 0..<4 { round() }
        return (low, v0 ^ v1 ^ v2 ^ v3)
    }

    @inline(__always)
    private mutating func round() {
        v0 &+= v1
        v2 &+= v3
        v1 = (v1 << 13 | v1 >> 51) ^ v0
        v3 = (v3 << 16 | v3 >> 48) ^ v2
        v0 = v0 << 32 | v0 >> 32
        v2 &+= v1
        v0 &+= v3
        v1 = (v1 << 17 | v1 >> 47) ^ v2
        v3 = (v3 << 21 | v3 >> 43) ^ v0
        v2 = v2 << 32 | v2 >> 32
    }
}

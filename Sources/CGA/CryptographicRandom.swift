import COpenSSL

/// `count` unpredictable octets from OpenSSL's random generator, for secrets and keys.
public func systemRandom(_ count: Int) -> [UInt8] {
    Array(unsafeUninitializedCapacity: max(count, 0)) { buffer, initialized in
        fillWithRandom(UnsafeMutableRawBufferPointer(buffer))
        initialized = buffer.count
    }
}

/// Unpredictable numbers for nonces, tags and Modifiers, fetched 512 octets at a time. Octets handed out are forgotten.
/// Copies share what is left, so that no two of them ever give the same number. Not Sendable: give it one owner.
public struct CryptographicRandom: RandomNumberGenerator {
    private final class Reserve {
        var numbers = [UInt64](repeating: 0, count: 64)
        var left = 0
    }

    private let reserve = Reserve()

    public init() {}

    public mutating func next() -> UInt64 {
        if reserve.left == 0 {
            reserve.numbers.withUnsafeMutableBytes { fillWithRandom($0) }
            reserve.left = reserve.numbers.count
        }
        reserve.left -= 1
        defer { reserve.numbers[reserve.left] = 0 }
        return reserve.numbers[reserve.left]
    }
}

/// A host without randomness cannot make nonces, and going on with known ones would be worse than ending.
private func fillWithRandom(_ buffer: UnsafeMutableRawBufferPointer) {
    guard let start = buffer.baseAddress, !buffer.isEmpty else { return }
    guard let count = Int32(exactly: buffer.count), RAND_bytes(start.assumingMemoryBound(to: UInt8.self), count) == 1
    else { fatalError("libcrypto has no random numbers") }
}

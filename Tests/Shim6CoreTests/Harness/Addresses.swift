import REAP
import Shim6Core
import Shim6Wire

extension IPv6Address {
    static let a1 = IPv6Address(high: 0x2001_0db8_00a1_0000, low: 0xa)
    static let a2 = IPv6Address(high: 0x2001_0db8_00a2_0000, low: 0xa)
    static let a3 = IPv6Address(high: 0x2001_0db8_00a3_0000, low: 0xa)
    static let b1 = IPv6Address(high: 0x2001_0db8_00b1_0000, low: 0xb)
    static let b2 = IPv6Address(high: 0x2001_0db8_00b2_0000, low: 0xb)
    /// Neither host's.
    static let stranger = IPv6Address(high: 0x2001_0db8_00ee_0000, low: 0xe)
}

extension LocatorPair {
    static let a1b1 = LocatorPair(source: .a1, destination: .b1)
    static let b1a1 = LocatorPair(source: .b1, destination: .a1)
}

extension ULIDPair {
    static let atA = ULIDPair(local: .a1, peer: .b1)
    static let atB = ULIDPair(local: .b1, peer: .a1)
}

extension Instant {
    static func seconds(_ seconds: Int) -> Instant {
        Instant(nanoseconds: UInt64(seconds) * 1_000_000_000)
    }
}

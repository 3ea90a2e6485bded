import CGA
import Configuration
import Shim6Core

extension CGALocatorVerifier {
    /// What the configuration file allows peers' keys to be. A file in which the longest is below the shortest is refused.
    init(_ limits: Configuration.Limits) {
        let bits = limits.minPeerKeyBits...max(limits.minPeerKeyBits, limits.maxPeerKeyBits)
        self.init(LocatorListVerifier(bits: bits, cachedKeys: limits.maxPeerKeys))
    }
}

import Shim6Core
import Shim6Wire

/// Believes everything, for `verify = false`: anybody can then redirect the sessions of this host.
struct TrustingVerifier: LocatorVerifier {
    func verify(parameters: [UInt8], of ulid: IPv6Address) {}
    func verify(_ list: LocatorList, parameters: [UInt8], signature: [UInt8]?, of ulid: IPv6Address) {}
}

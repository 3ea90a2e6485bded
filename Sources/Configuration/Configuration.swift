import CGA
import REAP
import Shim6Core
import Shim6Wire

/// Everything that the daemon's configuration file can set. A fresh value holds the defaults; those of the
/// protocol stand in `HostConfiguration` and `REAPConfiguration`, and are the RFCs'.
///
/// `Declaration` says for each member its key in the file, its range and its meaning.
public struct Configuration: Hashable, Sendable {
    public var manageRoutes = true
    public var tunnel = TunnelUse.inside
    public var removeAddressesOnExit = false
    public var uplinks: [Uplink] = []
    public var identity = Identity()
    public var peers = Peers()
    public var dataPath = DataPath()
    /// `[protocol]`, `[reap]` and `[limits]`, as far as they are the protocol's. What the profile decides is not in it:
    /// see `hostConfiguration`.
    public var host = HostConfiguration()
    public var reachability = Reachability()
    public var limits = Limits()
    public var control = ControlSocket()
    public var console = Console()
    public var logLevel = LogLevel.info

    public init() {}

    /// What the protocol is to run with: `host` and what the profile and its settings say.
    public var hostConfiguration: HostConfiguration {
        var host = host
        let hold = reachability.failbackHold ?? reachability.profile.failbackHold
        host.reap.sendTimeout = reachability.sendTimeout ?? reachability.profile.sendTimeout
        host.reap.failbackHold = hold == .zero ? nil : hold
        host.reap.quick = reachability.profile == .fast ? reachability.quick : nil
        return host
    }
}

extension Configuration {
    /// `[[uplink]]`: an interface towards a provider.
    public struct Uplink: Hashable, Sendable {
        public enum Gateway: Hashable, Sendable {
            /// The next hop of the interface's own default route.
            case automatic
            case address(IPv6Address)
        }

        public var interface = ""
        public var gateway = Gateway.automatic
        /// One address is made in each. Always of length 64.
        public var prefixes: [IPv6Prefix] = []
        /// Whether addresses are made in prefixes of router advertisements too.
        public var advertisedPrefixes = true
        /// No address is made in these, and none of theirs is a locator.
        public var excluded: [IPv6Prefix] = []
        /// Addresses that other hosts have as well: no locators, and no ULIDs.
        public var shared: [IPv6Address] = []
        /// Addresses beyond the gateway that answer an ICMPv6 Echo Request.
        public var checks: [IPv6Address] = []

        public init() {}
    }

    /// `tunnel`: what the daemon does beside a tunnel that takes everything.
    public enum TunnelUse: String, Hashable, Sendable, CaseIterable {
        /// Nothing: no packet of its own leaves by an uplink, so no session is protected.
        case inside = "inside"
        /// Its packets leave by the uplinks.
        case outside = "outside"
    }

    /// `[identity]`: the key behind the addresses.
    public struct Identity: Hashable, Sendable {
        /// The private key, PEM, made on first start.
        public var key = "/var/lib/shim6d/key.pem"
        public var keyBits = 2048
        /// Whether the first addresses are an HBA set (RFC 5535).
        public var hba = true
        public enum Preference: Hashable, Sendable {
            /// Once something beyond the gateway has answered to the address.
            case proven
            case always
            case never
        }

        /// When source address selection prefers an address of the daemon's.
        public var prefer = Preference.proven
        /// Sec of RFC 3972, section 2.
        public var securityParameter = 1
        /// Where the parameters of the addresses are kept, so that these stay the same over restarts.
        public var directory = "/var/lib/shim6d"
        /// A private key that was brought along, PEM; nil if the daemon makes its own. Then there are `parameters` as well.
        public var privateKey: String?
        /// Files with CGA Parameters (RFC 3972, section 3) of addresses that are already on the interfaces.
        public var parameters: [String] = []

        public init() {}
    }

    /// `[peers]`: what is asked of peers.
    public struct Peers: Hashable, Sendable {
        /// Whether a peer's locators have to be proven (RFC 5533, section 7.2).
        public var verify = true

        public init() {}
    }

    /// `[data-path]`: how payload is rewritten, and when a context is made for it.
    public struct DataPath: Hashable, Sendable {
        public enum Driver: String, Hashable, Sendable, CaseIterable {
            /// The first of the others that this host can have.
            case auto = "auto"
            /// eBPF programs; the payload extension header.
            case bpf = "bpf"
            /// XFRM states; the type 2 routing header and the Home Address option.
            case xfrm = "xfrm"
            /// Control only.
            case none = "none"
        }

        public var driver = Driver.auto
        public var limits = DataPathLimits()

        public init() {}
    }

    /// `[reap]`, as far as the profile decides it.
    public struct Reachability: Hashable, Sendable {
        /// How failures are noticed. JSON and TOML name it by its raw value.
        public enum Profile: String, Hashable, Sendable, CaseIterable {
            /// RFC 5534 and nothing else.
            case rfc = "rfc"
            /// Within some tens of milliseconds, between hosts that both do so.
            case fast = "fast"

            /// Send Timeout where none is set.
            var sendTimeout: Duration {
                switch self {
                case .rfc: REAPConfiguration.defaultSendTimeout
                case .fast: QuickDetection.defaultSendTimeout
                }
            }

            /// The hold before a return to a better pair where none is set; zero for no return.
            var failbackHold: Duration {
                switch self {
                case .rfc: .zero
                case .fast: QuickDetection.defaultFailbackHold
                }
            }
        }

        public var profile = Profile.rfc
        /// Nil for that of the profile.
        public var sendTimeout: Duration?
        /// Nil for that of the profile; zero for no return.
        public var failbackHold: Duration?
        /// Of the fast profile only.
        public var quick = QuickDetection()

        public init() {}
    }

    /// `[limits]`, as far as they are the daemon's own.
    public struct Limits: Hashable, Sendable {
        public var minPeerKeyBits = PublicKey.defaultBits.lowerBound
        public var maxPeerKeyBits = PublicKey.defaultBits.upperBound
        public var maxPeerKeys = LocatorListVerifier.defaultCachedKeys
        public var maxFailovers = 256
        public var maxEvents = 1024
        public var maxControlClients = 64
        public var maxConsoleClients = 16

        public init() {}
    }

    /// `[control]`: the socket that `shim6ctl` talks to.
    public struct ControlSocket: Hashable, Sendable {
        public var socket = "/run/shim6d.sock"
        public var mode: UInt16 = 0o660
        /// The group of the socket file, whose members may change things as root may; nil for root only.
        public var group: String?

        public init() {}
    }

    /// `[console]`: the telnet-style console.
    public struct Console: Hashable, Sendable {
        public var enabled = true
        public var listen = Endpoint(address: IPv6Address(high: 0, low: 1), port: 50_000)
        public var allowRemove = false
        public var idleTimeout = Duration.seconds(600)

        public init() {}
    }

    /// An address and a port, written `[::1]:50000`.
    public struct Endpoint: Hashable, Sendable, CustomStringConvertible {
        public var address: IPv6Address
        public var port: UInt16

        public init(address: IPv6Address, port: UInt16) {
            self.address = address
            self.port = port
        }

        public var description: String { "[\(address)]:\(port)" }
    }

    /// `[log]`: the least grave message that is logged.
    public enum LogLevel: String, Hashable, Sendable, CaseIterable {
        case trace = "trace"
        case debug = "debug"
        case info = "info"
        case notice = "notice"
        case warning = "warning"
        case error = "error"
        case critical = "critical"
    }
}

extension Duration {
    /// The whole of it in nanoseconds; 0 below zero, `UInt64.max` where it does not fit.
    public var nanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let (product, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, carry) = product.addingReportingOverflow(UInt64(attoseconds) / 1_000_000_000)
        return overflow || carry ? .max : sum
    }
}

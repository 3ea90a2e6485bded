import Shim6Wire

/// The answer to `locators`: the local addresses that can be offered to peers.
public struct LocatorReport: Codable, Hashable, Sendable {
    public var locators: [LocatorStatus]

    public init(locators: [LocatorStatus]) {
        self.locators = locators
    }
}

/// A local address as the daemon sees it.
public struct LocatorStatus: Codable, Hashable, Sendable {
    public enum State: String, Codable, Hashable, Sendable {
        /// Offered to peers.
        case usable
        /// Offered to peers; the kernel chooses it for no new session.
        case deprecated
        /// Duplicate address detection goes on.
        case tentative
        /// Another host has the address.
        case duplicate
        /// Its interface is down, without carrier or without a router that answers, or it is gone from there.
        case unavailable
    }

    public var address: IPv6Address
    public var prefixLength: Int
    public var interface: String
    /// `cga` or `hba`; nil for an address that peers could not verify, which is not offered.
    public var method: String?
    /// The Sec value of the address (RFC 3972, section 2); nil without a CGA.
    public var securityParameter: Int?
    public var state: State
    /// How many contexts have it as their ULID.
    public var ulidOf: Int
    /// How many contexts send from it now.
    public var sourceOf: Int

    public init(
        address: IPv6Address, prefixLength: Int, interface: String, method: String?, securityParameter: Int?,
        state: State, ulidOf: Int, sourceOf: Int
    ) {
        self.address = address
        self.prefixLength = prefixLength
        self.interface = interface
        self.method = method
        self.securityParameter = securityParameter
        self.state = state
        self.ulidOf = ulidOf
        self.sourceOf = sourceOf
    }
}

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
    public enum State: String, Codable, Hashable, Sendable, CaseIterable {
        /// Offered to peers.
        case usable = "usable"
        /// Offered to peers; its prefix is for no new session.
        case deprecated = "deprecated"
        /// Duplicate address detection goes on.
        case tentative = "tentative"
        /// Another host has the address.
        case duplicate = "duplicate"
        /// Its interface is down, without carrier or without a router that answers, or it is gone from there.
        case unavailable = "unavailable"
        /// Peers can never verify it: it is not offered, and sessions of it are not protected.
        case unverifiable = "unverifiable"
        /// Several hosts have it, or get it one after the other: it is not offered, and sessions of it are not protected.
        case shared = "shared"
    }

    /// What is known of how far packets with the address as source get.
    public enum Standing: String, Codable, Hashable, Sendable, CaseIterable {
        /// Something beyond the gateway has answered to it.
        case proven = "proven"
        /// A router lets every host make its own addresses in the prefix.
        case assumed = "assumed"
        /// Nothing is known.
        case unproven = "unproven"
        /// What answers to another address of the uplink does not answer to it.
        case refuted = "refuted"
    }

    public var address: IPv6Address
    public var prefixLength: Int
    public var interface: String
    /// `cga` or `hba`; nil for an address that peers could not verify, which is not offered.
    public var method: String?
    /// The Sec value of the address (RFC 3972, section 2); nil without a CGA.
    public var securityParameter: Int?
    public var state: State
    /// Of an address that the daemon has made.
    public var standing: Standing?
    /// Whether new sessions over the interface take it now; nil if no route leads over it.
    public var newSessions: Bool?
    /// Whether it belongs into the DNS: peers can verify it, and it is to stay.
    public var dns: Bool
    /// How many contexts have it as their ULID.
    public var ulidOf: Int
    /// How many contexts send from it now.
    public var sourceOf: Int

    public init(
        address: IPv6Address, prefixLength: Int, interface: String, method: String?, securityParameter: Int?,
        state: State, standing: Standing? = nil, newSessions: Bool? = nil, dns: Bool = false, ulidOf: Int, sourceOf: Int
    ) {
        self.address = address
        self.prefixLength = prefixLength
        self.interface = interface
        self.method = method
        self.securityParameter = securityParameter
        self.state = state
        self.standing = standing
        self.newSessions = newSessions
        self.dns = dns
        self.ulidOf = ulidOf
        self.sourceOf = sourceOf
    }
}

import Shim6Wire

/// By these the daemon finds again what it has made in the kernel, and nothing else.
public enum Mark {
    /// Protocol number of our routes, rules and addresses.
    public static let protocolNumber: UInt8 = 114
    /// Priority of our XFRM sub policies.
    public static let policyPriority: UInt32 = 6140
    /// The stack's end of the veth pair through which rehomed packets leave, and its other end.
    public static let steeringDevice = "shim0"
    public static let steeringPeer = "shim0x"
    /// Routes of rehomed pairs.
    public static let steeringTable: UInt32 = 6140
    public static let steeringPriority: UInt32 = 100
    /// Lookups for control messages and rehomed packets go past them, to a rule that does nothing.
    public static let passingPriority: UInt32 = 99
    public static let passedPriority: UInt32 = 101
    /// What asks for an uplink with a source of its provider is not looked for elsewhere.
    public static let boundPriority: UInt32 = 102
    /// Everything else with a source of a provider is looked for behind all rules of others, ahead of the kernel's own one
    /// for `main`, and from there goes through those below.
    public static let leavingPriority: UInt32 = 32_765
    /// Where a route of `main` is not what it should take.
    public static let detourPriority: UInt32 = 32_768
    public static let detourTable: UInt32 = 6139
    /// The operator's routes.
    public static let operatorPriority: UInt32 = 32_769
    public static let sourcePriority: UInt32 = 32_770
    /// What of `main` is left.
    public static let restPriority: UInt32 = 32_771
    /// With the `xfrm` data path: routes that ULIDs with contexts fall back to, behind the kernel's own rules.
    public static let lastResortPriority: UInt32 = 32_800
    /// Routes of uplink number n stand in `sourceTable + n`.
    public static let sourceTable: UInt32 = 6141
    /// Address label of the prefixes in which one of our addresses is preferred.
    public static let addressLabel: UInt32 = 6140
}

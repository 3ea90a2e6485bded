import CNetlink

/// What a thread may do that others may not. Numbers are the kernel's CAP_...
public struct Capabilities: OptionSet, Hashable, Sendable {
    public let rawValue: UInt64

    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    public static let changeOwner = Capabilities(rawValue: 1 << 0)
    public static let overrideFileModes = Capabilities(rawValue: 1 << 1)
    public static let kill = Capabilities(rawValue: 1 << 5)
    public static let networkAdministration = Capabilities(rawValue: 1 << 12)
    public static let rawSockets = Capabilities(rawValue: 1 << 13)
    public static let systemAdministration = Capabilities(rawValue: 1 << 21)
    public static let resourceLimits = Capabilities(rawValue: 1 << 24)
    public static let performanceMonitoring = Capabilities(rawValue: 1 << 38)
    public static let bpf = Capabilities(rawValue: 1 << 39)

    /// The effective set of the calling thread.
    public static func effective() throws(KernelError) -> Capabilities {
        var set: UInt64 = 0
        try checked(cnl_capabilities_effective(&set), "read the capabilities")
        return Capabilities(rawValue: set)
    }

    /// Gives up all but these for good, on the calling thread and on those that it makes from now on, and sets
    /// no_new_privs. Throws EPERM, with nothing changed, if the thread has not all of them.
    public static func keepOnly(_ set: Capabilities) throws(KernelError) {
        try checked(cnl_capabilities_keep(set.rawValue), "drop capabilities")
    }
}

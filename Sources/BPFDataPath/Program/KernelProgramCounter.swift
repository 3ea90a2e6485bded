import CDataPath

/// What the program counts. The list is that of shim6_counters.h.
public struct KernelProgramCounter: Sendable {
    private let counter: shim6_counter

    private init(_ counter: shim6_counter) { self.counter = counter }

    /// The index into the program's table.
    var index: Int { Int(counter.rawValue) }

    /// The name by which status shows it.
    public var name: String { String(cString: text.name) }
    /// What it counts, in a few words.
    public var meaning: String { String(cString: text.meaning) }
    /// Whether a packet that is counted here went no further.
    public var isDrop: Bool { text.is_drop }

    private var text: shim6_counter_text { shim6_counter_text_of(counter).pointee }
}

extension KernelProgramCounter: Hashable {
    public static func == (left: Self, right: Self) -> Bool { left.index == right.index }
    public func hash(into hasher: inout Hasher) { hasher.combine(index) }
}

extension KernelProgramCounter: CaseIterable {
    public static let allCases = (0..<SHIM6_COUNTERS.rawValue).map { Self(shim6_counter($0)) }
}

extension KernelProgramCounter: CustomStringConvertible {
    public var description: String { name }
}

extension KernelProgramCounter {
    public static let rehomed = Self(SHIM6_COUNT_REHOMED)
    public static let rehomedSuperPackets = Self(SHIM6_COUNT_REHOMED_GSO)
    public static let restored = Self(SHIM6_COUNT_RESTORED)
    public static let toFragment = Self(SHIM6_COUNT_TO_FRAGMENT)
    public static let lostReports = Self(SHIM6_LOST_REPORTS)
    public static let malformed = Self(SHIM6_DROP_MALFORMED)
    public static let badAddress = Self(SHIM6_DROP_BAD_ADDRESS)
    public static let unknownTag = Self(SHIM6_DROP_UNKNOWN_TAG)
    public static let discardMode = Self(SHIM6_DROP_DISCARD_MODE)
    public static let noHeartbeat = Self(SHIM6_DROP_NO_HEARTBEAT)
    public static let i1Rate = Self(SHIM6_DROP_I1_RATE)
    public static let otherRate = Self(SHIM6_DROP_OTHER_RATE)
    public static let strangersI1Rate = Self(SHIM6_DROP_STRANGERS_I1_RATE)
    public static let strangersRate = Self(SHIM6_DROP_STRANGERS_RATE)
    public static let acquaintedRate = Self(SHIM6_DROP_ACQUAINTED_RATE)
    public static let incompleteChain = Self(SHIM6_DROP_INCOMPLETE_CHAIN)
    public static let ownSource = Self(SHIM6_DROP_OWN_SOURCE)
    public static let denial = Self(SHIM6_DROP_DENIAL)
    public static let tooBig = Self(SHIM6_DROP_TOO_BIG)
    public static let unreachable = Self(SHIM6_DROP_UNREACHABLE)
    public static let unchangeable = Self(SHIM6_DROP_UNCHANGEABLE)
    public static let stray = Self(SHIM6_DROP_STRAY)
    public static let noUplink = Self(SHIM6_DROP_NO_UPLINK)
}

import Shim6Wire

/// The state of a context with what belongs to it and to no other.
enum Phase: Sendable {
    case operational(Operational)
    // Boxed, since few of a host's many contexts are in these.
    indirect case exploring(Exploration)
    indirect case inboundOk(Exploration)

    var state: REAPState {
        switch self {
        case .operational: .operational
        case .exploring: .exploring
        case .inboundOk: .inboundOk
        }
    }

    /// Nil in other states. Setting it is possible only in Operational.
    var operational: Operational? {
        get {
            if case .operational(let operational) = self { operational } else { nil }
        }
        set {
            if let newValue, case .operational = self { self = .operational(newValue) }
        }
    }

    /// Nil in Operational. Setting it is possible only in the other states.
    var exploration: Exploration? {
        get {
            switch self {
            case .operational: nil
            case .exploring(let exploration), .inboundOk(let exploration): exploration
            }
        }
        set {
            guard let newValue else { return }
            switch self {
            case .operational: break
            case .exploring: self = .exploring(newValue)
            case .inboundOk: self = .inboundOk(newValue)
            }
        }
    }
}

/// What there is only in Operational.
struct Operational: Sendable {
    var choice = PairChoice.automatic
    /// When the last Keepalive was sent.
    var lastKeepalive: Instant?
    /// The pair that payload could return to.
    @Rare var better: BetterPair? = nil
}

/// Who chooses the pair that payload uses while nothing fails.
enum PairChoice: Sendable {
    /// The machine: payload returns to a better pair that works again.
    case automatic
    /// An operator has: payload returns to no other before the next failure.
    case held
    /// An operator wants another pair; Probes show whether it works.
    indirect case asked(AskedPair)
}

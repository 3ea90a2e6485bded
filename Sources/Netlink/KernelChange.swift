import CNetlink

/// A row of one of the kernel's tables.
public enum KernelRow: Hashable, Sendable {
    case link(Link)
    case address(InterfaceAddress)
    case route(Route)
    case rule(Rule)
    case neighbour(Neighbour)
    case advertised(AdvertisedPrefix)
    case label(AddressLabel)
    /// Somebody changed what is attached to the interface with this index (tc). What is there now is not told.
    case filters(UInt32)
}

/// A row that is new or has changed, or one that is gone.
public struct KernelChange: Hashable, Sendable {
    public var row: KernelRow
    public var effect: Effect

    public enum Effect: Sendable {
        /// The row is there: new, or changed.
        case put
        case removed
        /// A route that has taken the place of the one with its key.
        case replaced
        /// One of several next hops of a route. Which of them are there now is not told.
        case unclear
    }

    public var isRemoval: Bool { effect == .removed }

    init(_ flat: cnl_change) {
        effect =
            switch flat.effect {
            case CNL_REMOVED: .removed
            case CNL_REPLACED: .replaced
            case CNL_UNCLEAR: .unclear
            default: .put
            }
        row =
            switch flat.kind {
            case CNL_LINK: .link(Link(flat.link))
            case CNL_ADDRESS: .address(InterfaceAddress(flat.address))
            case CNL_ROUTE: .route(Route(flat.route))
            case CNL_RULE: .rule(Rule(flat.rule))
            case CNL_ADVERTISED_PREFIX: .advertised(AdvertisedPrefix(flat.advertised_prefix))
            case CNL_LABEL: .label(AddressLabel(flat.label))
            case CNL_FILTERS: .filters(flat.filtered)
            default: .neighbour(Neighbour(flat.neighbour))
            }
    }
}

/// What a monitor read.
public enum Reading<Element: Sendable>: Sendable {
    case changes([Element])
    /// The kernel had to drop some. What waited was thrown away: compare with a dump made now.
    case lost
}

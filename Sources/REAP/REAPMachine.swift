import Shim6Wire

/// RFC 5534 for one context: is the peer reachable, and if not, over which pair of locators is it?
public struct REAPMachine: Sendable {
    public private(set) var state = REAPState.operational
    /// The pair that outgoing payload uses.
    public private(set) var current: LocatorPair
    /// CT(peer), which Probes carry.
    public var peerTag: ContextTag

    public init(
        current: LocatorPair, peerTag: ContextTag, local: [IPv6Address], peer: [IPv6Address],
        configuration: REAPConfiguration = REAPConfiguration(), random: inout some RandomNumberGenerator
    ) {
        self.current = current
        self.peerTag = peerTag
    }

    /// Takes in one event and answers with what is to be done, in order.
    public mutating func handle(
        _ event: REAPEvent, stamps: some ActivityStamps, random: inout some RandomNumberGenerator, at now: Instant
    ) -> [REAPEffect] {
        []
    }

    /// When `timer` is armed for; nil if it is not armed.
    public func deadline(of timer: REAPTimer) -> Instant? { nil }

    /// Cancels every timer: the context ends.
    public mutating func stop() -> [REAPEffect] { [] }
}

import REAP
import Shim6Core
import Shim6Wire

/// Which cells of the two state tables the runs have been in, and how often.
public struct Coverage: Sendable {
    /// What can happen to a REAP machine (RFC 5534, section 6).
    public enum Happening: String, CaseIterable, Sendable {
        case payloadReceived = "payload in"
        case payloadSent = "payload out"
        case otherMessageReceived = "other message in"
        case otherMessageSent = "other message out"
        case keepaliveReceived = "Keepalive in"
        case probeExploring = "Probe exploring in"
        case probeInboundOk = "Probe inbound-ok in"
        case probeOperational = "Probe operational in"
        case sendTimer = "Send Timer expires"
        case keepaliveInterval = "Keepalive Interval ends"
        case keepaliveTimer = "Keepalive Timer expires"
        case probeTimer = "Probe timer fires"
        case locatorsChanged = "locators changed"
    }

    /// What can happen to a context (RFC 5533, section 7). A nil state is IDLE: there is no context.
    public enum Occasion: String, CaseIterable, Sendable {
        case trigger, establish = "operator establishes", remove = "operator removes"
        case i1 = "I1", r1 = "R1", i2 = "I2", r2 = "R2", r1bis = "R1bis", i2bis = "I2bis"
        case updateRequest = "Update Request", updateAcknowledgement = "Update Acknowledgement"
        case keepalive = "Keepalive", probe = "Probe", parameterProblem = "Parameter Problem"
        case taggedPayload = "payload with tag", timer, idle, localLocators = "local locators changed", shutdown
    }

    public struct ReachabilityCell: Hashable, Sendable {
        public var state: REAPState
        public var happening: Happening
    }

    public struct ContextCell: Hashable, Sendable {
        public var state: ContextState?
        public var occasion: Occasion
    }

    public private(set) var reachability: [ReachabilityCell: Int] = [:]
    public private(set) var contexts: [ContextCell: Int] = [:]

    public init() {}

    mutating func visit(_ state: REAPState, _ happening: Happening) {
        reachability[ReachabilityCell(state: state, happening: happening), default: 0] += 1
    }

    mutating func visit(_ state: ContextState?, _ occasion: Occasion) {
        contexts[ContextCell(state: state, occasion: occasion), default: 0] += 1
    }

    public mutating func add(_ other: Coverage) {
        reachability.merge(other.reachability, uniquingKeysWith: +)
        contexts.merge(other.contexts, uniquingKeysWith: +)
    }
}

import Shim6Control
import Shim6Core

extension EventRecord {
    /// What the core publishes, in the form of the control protocol.
    init(_ notice: Notice) {
        self.init(at: Moment(notice.at), kind: .daemon, tag: notice.tag, ulids: notice.ulids)
        switch notice.kind {
        case .state(let from, let to, let reason):
            kind = .state
            fromState = from?.rawValue ?? "IDLE"
            toState = to?.rawValue ?? "IDLE"
            self.reason = reason.rawValue
        case .peerLocators(let locators):
            kind = .peerLocators
            self.locators = locators.map(\.address)
        case .locatorsAnnounced(let locators, let withdrawn):
            kind = .locatorsAnnounced
            self.locators = locators.map(\.address)
            self.withdrawn = withdrawn
        case .locatorsAcknowledged:
            kind = .locatorsAcknowledged
        case .reachability(let from, let to, let reason, let lastIn, let lastOut):
            kind = .reachability
            fromState = from.rawValue
            toState = to.rawValue
            self.reason = reason.rawValue
            self.lastIn = lastIn.map(Moment.init)
            self.lastOut = lastOut.map(Moment.init)
        case .probeSent(let pair, let nonce, let state):
            kind = .probeSent
            self.pair = pair
            self.nonce = nonce
            toState = state.rawValue
        case .probeReceived(let pair, let nonce, let state, let reports):
            kind = .probeReceived
            self.pair = pair
            self.nonce = nonce
            toState = state.rawValue
            self.reports = reports
        case .keepaliveSent(let pair):
            kind = .keepaliveSent
            self.pair = pair
        case .switched(let from, let to, let reason):
            kind = .switched
            self.from = from
            self.to = to
            self.reason = reason.rawValue
        case .switchRefused(let pair, let reason):
            kind = .switchRefused
            self.pair = pair
            self.reason = reason.rawValue
        case .damped:
            kind = .damped
        case .firstPayload(let direction, let pair):
            kind = .firstPayload
            self.direction = direction.rawValue
            self.pair = pair
        case .confused:
            kind = .confused
        }
    }
}

import Foundation
import Lab
import Shim6Control
import Shim6Wire

/// What the demo tells while it runs, and whether everything held.
final class Story {
    private let start = Clock.now
    private(set) var failures: [String] = []
    private(set) var held = 0

    /// As `say` counts them.
    func seconds(at moment: Clock.Moment) -> Double { (moment - start).seconds }

    func chapter(_ title: String) { tell("\n== \(title)") }

    func say(_ text: String) {
        tell(String(format: "%7.2f  ", (Clock.now - start).seconds) + text)
    }

    func tell(_ text: String) {
        print(text)
        fflush(nil)
    }

    /// States something that has to be so, and remembers whether it is.
    func expect(_ claim: String, _ holds: Bool, otherwise: @autoclosure () -> String = "") {
        if holds {
            held += 1
            say("[ok] \(claim)")
        } else {
            let reason = otherwise()
            failures.append(claim)
            say("[FAILED] \(claim)" + (reason.isEmpty ? "" : ": \(reason)"))
        }
    }

    /// States something that a step shows by not throwing.
    func expect(_ claim: String, _ step: () throws -> Void) throws {
        do {
            try step()
            expect(claim, true)
        } catch let error as LabError {
            expect(claim, false, otherwise: error.description)
        }
    }

    func tell(_ event: EventRecord, host: String, pair: Pair) {
        guard let text = describe(event, pair) else { return }
        tell(String(format: "%7.2f  ", (Clock.Moment(event.at) - start).seconds) + "  shim6d \(host): \(text)")
    }

    /// Keepalives and the like are left out: they are many.
    private func describe(_ event: EventRecord, _ pair: Pair) -> String? {
        func on(_ value: LocatorPair?) -> String { value.map { pair.name($0) } ?? "?" }
        func list(_ addresses: [IPv6Address]?) -> String { (addresses ?? []).map(pair.name).joined(separator: ", ") }
        func move() -> String { "\(event.fromState ?? "none") -> \(event.toState ?? "none")" }
        switch event.kind {
        case .state: return "context \(move())" + (event.reason.map { " (\($0))" } ?? "")
        case .reachability: return "REAP \(move())" + (event.reason.map { " (\($0))" } ?? "")
        case .peerLocators: return "the peer's locators: \(list(event.locators))"
        case .locatorsAnnounced:
            let withdrawn = event.withdrawn.map { $0.isEmpty ? "" : ", withdrawn: \(list($0))" } ?? ""
            return "own locators announced: \(list(event.locators))\(withdrawn)"
        case .locatorsAcknowledged: return "the peer acknowledged them"
        case .probeSent: return "probe sent on \(on(event.pair)): \(event.toState ?? "?")"
        case .probeReceived: return "probe received on \(on(event.pair)): \(event.toState ?? "?")"
        case .switched: return "payload moves from \(on(event.from)) to \(on(event.to))"
        case .switchRefused: return "payload does not move to \(on(event.pair)): \(event.reason ?? "")"
        case .damped: return "the pair failed soon after the return: the next one takes longer"
        case .firstPayload: return "first payload \(event.direction ?? "") on \(on(event.pair))"
        case .uplink: return "\(event.interface ?? "uplink"): \(event.detail ?? "changed")"
        case .confused: return "context confusion"
        case .lost: return "events lost: \(event.detail ?? "?")"
        case .daemon: return event.detail
        case .keepaliveSent: return nil
        }
    }
}

import Netlink
import REAP
import Shim6Core

// Contexts without a packet for long.
extension Engine {
    /// Tells the core what sockets use the idle contexts that it has asked about.
    func answerIdleQuestions(at now: Instant) {
        guard idleQuestions.isLookDue(at: now) else { return }
        var table: SocketTable?
        do {
            table = try sessionSocket?.table()
        } catch {
            log.notice("\(error); keeping rehomed contexts")
        }
        let cost = Instant.monotonicNow - now
        for (tag, use) in idleQuestions.answers(from: table, cost: cost, at: now) { handle(.use(tag, use)) }
    }
}

import KernelRows
import Netlink
import REAP
import Shim6Core
import Shim6Wire

// What answers to the daemon's addresses.
extension Engine {
    /// A peer has answered to an address of this host.
    func hasAnswered(_ peer: IPv6Address, to address: IPv6Address) {
        guard uplinks.addresses.proofs.hasAnswered(peer, to: address) else { return }
        log.notice("address \(address) is proven", metadata: ["by": "\(peer)"])
        haveStandingsChanged = true
    }

    /// Asks whether packets with the daemon's addresses get anywhere, where that matters and is not known.
    func proveAddresses(at now: Instant) {
        guard uplinks.addresses.proofs.isLookDue(at: now) else { return }
        let sessions = (try? sessionSocket?.sessions()) ?? []
        let peers = host.contexts.lazy.filter { $0.state == .established }.map(\.ulids.peer)
        let own = uplinks.uplinks.flatMap(\.addresses).map(\.row.address)
        let before = uplinks.addresses.proofs
        let (isNews, questions) = uplinks.addresses.proofs.look(
            at: sessions, peers: Set(peers), own: Set(own), cost: .monotonicNow - now, at: now
        ) { UInt64.random(in: 0 ... .max) }
        for question in questions { ask(question) }
        guard isNews else { return }
        tellStandings(since: before)
        haveStandingsChanged = true
    }

    private func ask(_ question: AddressProofs.Question) {
        do {
            try echoSocket.send(question.echo, interface: question.interface)
            counters.questions += 1
        } catch {
            log.debug("\(error)")
        }
    }

    func readEchoes() {
        do {
            for reply in try echoSocket.receive() where uplinks.addresses.proofs.hear(reply) {
                log.notice("address \(reply.source) is proven", metadata: ["by": "\(reply.destination)"])
                haveStandingsChanged = true
            }
        } catch {
            counters.receiveErrors += 1
        }
    }

    private func tellStandings(since before: AddressProofs) {
        for address in uplinks.uplinks.flatMap(\.addresses).map(\.row.address) {
            let (old, new) = (before.standing(of: address), uplinks.addresses.proofs.standing(of: address))
            switch new {
            case _ where old == new: break
            case .proven: log.notice("address \(address) is proven")
            case .refuted:
                log.warning("address \(address) gets no answers that another address gets: new sessions take the other")
            case .unproven, .assumed: break
            }
        }
    }
}

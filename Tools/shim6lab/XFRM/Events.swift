import ArgumentParser
import Lab
import Netlink
import REAP
import Shim6Wire
import Steering
import XFRMDataPath

extension XFRM {
    struct Events: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "What the kernel tells is heard, and what is lost of it is asked for.")
        private static let sessions = 200

        func run() throws {
            try XFRM.trial { laboratory, story in
                let pair = try RehomedPair(laboratory)
                let host = pair.a.namespace
                try expiries(laboratory, story, host)
                try losses(laboratory, story, pair)
            }
        }

        private func expiries(_ laboratory: Laboratory, _ story: Story, _ host: Namespace) throws {
            let events = try host.inside { try XFRMEvents() }
            let ends = ["src", "2001:db8:77::1", "dst", "2001:db8:78::1"]
            func state(_ limit: String) throws {
                try host.run(
                    ["ip", "xfrm", "state", "add"] + ends
                        + ["proto", "hao", "reqid", "6140", "mode", "ro", "coa", "2001:db8:79::1", "limit", limit, "1"])
            }
            func policy(_ limit: String) throws {
                try host.run(
                    ["ip", "xfrm", "policy", "add"] + ends
                        + ["dir", "out", "ptype", "sub", "priority", "6139", "limit", limit, "1"])
            }
            func told(_ claim: String, _ isIt: (XFRMEvent) -> Bool) throws {
                try story.expect(claim) {
                    try laboratory.wait(until: "the event") {
                        guard case .changes(let list) = try events.read() else { throw LabError("events were lost") }
                        return list.contains(where: isIt)
                    }
                }
            }
            let source = IPv6Address("2001:db8:77::1")
            for (limit, isGone) in [("time-soft", false), ("time-hard", true)] {
                try state(limit)
                try told("a state that reaches \(limit) is told") { event in
                    guard case .stateExpired(let state, isGone: isGone) = event else { return false }
                    return state.source == source && state.request == 6140
                }
                _ = try host.result(of: ["ip", "xfrm", "state", "delete"] + ends + ["proto", "hao"])
                try policy(limit)
                try told("a policy that reaches \(limit) is told") { event in
                    guard case .policyExpired(source: let from, destination: _, priority: 6139, isGone: isGone) = event
                    else { return false }
                    return from == source
                }
                _ = try host.result(of: ["ip", "xfrm", "policy", "delete"] + ends + ["dir", "out", "ptype", "sub"])
            }
        }

        /// More sessions begin at once than the events of them fit into the socket's buffer.
        private func losses(_ laboratory: Laboratory, _ story: Story, _ pair: RehomedPair) throws {
            let host = pair.a.namespace
            let local = pair.address("a1")
            // The buffer holds a few events at most.
            let xfrm = try host.inside {
                try XFRMTables(
                    marks: XFRMDataPath.marks, contexts: 16, triggerAge: .seconds(3), receiveBuffer: 2048)
            }
            xfrm.locators = [local]
            let peers = (1...Self.sessions).map {
                IPv6Address(high: pair.address("b1").high, low: 0x2_0000 + UInt64($0))
            }
            try host.inside {
                for peer in peers {
                    let socket = try Socket(.datagram)
                    try socket.bind(to: local.description, port: 0)
                    try socket.connect(to: peer.description, port: 9)
                    _ = socket.sendOnce([1])
                }
            }
            _ = try xfrm.takeEvents(at: Instant(nanoseconds: 1))
            story.expect("events were lost", xfrm.losses > 0)
            let watched = try host.run("ip", "-oneline", "xfrm", "policy", "list", "ptype", "sub")
            let missing = peers.filter { !watched.contains("src \(local)/128 dst \($0)/128") }
            story.expect(
                "each of \(peers.count) sessions is watched all the same", missing.isEmpty && xfrm.unwatched == 0,
                otherwise: "\(missing.count) are not")
        }
    }
}

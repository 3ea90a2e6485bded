import Shim6Wire

extension ContextDetail {
    func text(style: TextStyle) -> String {
        var lines = style.heading("context \(summary.tag)") + "\n"
        func line(_ name: String, _ value: String?) {
            if let value { lines += "  " + padded(name, 16) + value + "\n" }
        }
        line("state", summary.state + (summary.reachability.map { ", \($0)" } ?? ""))
        line("peer tag", peerTag?.description)
        line("ULIDs", "\(summary.ulids.local) (local) \(summary.ulids.peer) (peer)")
        line("forked instance", forkedInstance == 0 ? nil : String(forkedInstance))
        line("flows", flows.isEmpty ? nil : flows.map(\.text).joined(separator: ", "))
        line("outgoing", Self.text(of: summary.outgoing, rehomed: summary.rehomed.outgoing))
        line("never rehomed", obstacle)
        line("last incoming", Self.text(of: summary.lastIncoming, rehomed: summary.rehomed.incoming))
        line(
            "timeouts",
            timeouts.map {
                "send \(milliseconds($0.send)) s, keepalive \(milliseconds($0.keepalive)) s "
                    + "every \(milliseconds($0.keepaliveInterval)) s"
            })
        line("messages", "\(counters.messagesIn) in, \(counters.messagesOut) out")
        line("updates", "\(counters.updatesReceived) received, \(counters.updatesSent) sent")
        line("explorations", "\(counters.explorations), \(counters.switches) switches")
        line("pending", updatePending ? "Update Request not yet acknowledged" : nil)
        line("created", age(created))
        line("established", established.map(age))
        line("last in", lastIn.map(age))
        line("last out", lastOut.map(age))
        line("last switch", lastSwitch.map(age))
        return lines + Self.text(of: localLocators, "LOCAL LOCATOR", style)
            + Self.text(of: peerLocators, "PEER LOCATOR", style)
    }

    private func age(_ moment: Moment) -> String {
        "\(milliseconds(now.seconds(since: moment))) s ago, \(moment.time)"
    }

    private static func text(of pair: LocatorPair?, rehomed: Bool) -> String? {
        pair.map { $0.text + (rehomed ? " (rehomed)" : "") }
    }

    private static func text(of set: LocatorSet, _ heading: String, _ style: TextStyle) -> String {
        var table = TextTable(heading, "METHOD", "VERIFIED", "STATE", set.generation.map { "GENERATION \($0)" } ?? "")
        for locator in set.locators {
            table.add(
                locator.address.description, locator.method ?? "-", locator.verified ? "yes" : "no",
                locator.state.rawValue, locator.ulid ? "ULID" : "")
        }
        return table.text(style: style, indent: 2)
    }
}

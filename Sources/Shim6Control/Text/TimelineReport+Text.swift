import Shim6Wire

extension TimelineReport {
    func text(style: TextStyle) -> String {
        failovers.isEmpty ? "no failover\n" : failovers.map { $0.text(style: style) }.joined(separator: "\n")
    }
}

extension Failover {
    /// The steps in the order of their times.
    func text(style: TextStyle) -> String {
        let gapText = gap.map { ", gap \(milliseconds($0)) s" } ?? ""
        var steps: [(seconds: Double, what: String, details: String)] = []
        func add(_ step: Step?, _ what: String) {
            if let step { steps.append((step.seconds, what, step.pair?.text ?? "")) }
        }
        add(lastOut, "last packet out")
        add(lastIn, "last packet in")
        steps.append((0, "suspicion: \(reason)", pair.text))
        for probe in probes {
            let reports = probe.reports.map { ", matching reports \($0)" } ?? ""
            steps.append(
                (
                    probe.seconds, "probe \(probe.direction.rawValue)",
                    "\(probe.pair.text)  \(probe.state), nonce \(hexadecimal(probe.nonce))\(reports)"
                ))
        }
        for change in switches {
            steps.append((change.seconds, "switch", "\(change.from.text)  to  \(change.to.text)"))
        }
        add(firstOut, "first packet out")
        add(firstIn, "first packet in")
        let ordered = steps.enumerated().sorted {
            ($0.element.seconds, $0.offset) < ($1.element.seconds, $1.offset)
        }.map(\.element)
        let times = ordered.map { ($0.seconds < 0 ? "" : "+") + milliseconds($0.seconds) }
        let timeWidth = times.map(\.count).max() ?? 0
        let whatWidth = ordered.map(\.what.count).max() ?? 0
        var text = style.heading("failover \(number) of context \(tag): \(outcome.rawValue)\(gapText)") + "\n"
        text += "  ULIDs \(ulids.local) (local) \(ulids.peer) (peer), suspicion at \(suspicion.time)\n"
        for (time, step) in zip(times, ordered) {
            let line =
                "  " + String(repeating: " ", count: timeWidth - time.count) + "\(time) s  "
                + (step.details.isEmpty ? step.what : padded(step.what, whatWidth + 2) + step.details)
            text += line + "\n"
        }
        return text
    }
}

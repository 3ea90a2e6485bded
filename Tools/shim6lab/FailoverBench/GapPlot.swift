import Foundation

extension GapReport {
    /// Every gap as a dot on a logarithmic axis, a row for each series.
    var plot: String {
        let left = 300.0
        let width = 560.0
        let row = 26.0
        let top = 46.0
        let ticks = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2]
        let bottom = top + row * Double(series.count)
        func place(_ gap: Double) -> Double {
            let share = (log10(max(gap, 0.01)) + 2) / (log10(3) + 2)
            return left + width * min(1, share)
        }
        var lines = [
            """
            <svg xmlns="http://www.w3.org/2000/svg" width="\(Int(left + width + 40))" height="\(Int(bottom + 40))" \
            font-family="sans-serif" font-size="12">
            <rect width="100%" height="100%" fill="white"/>
            <text x="10" y="20" font-size="14">Gap seen by the receiving application when an uplink fails</text>
            """
        ]
        for tick in ticks {
            let x = place(tick)
            let label = tick < 1 ? "\(Int((tick * 1000).rounded())) ms" : "\(Int(tick)) s"
            lines.append("<line x1=\"\(x)\" y1=\"\(top - 8)\" x2=\"\(x)\" y2=\"\(bottom)\" stroke=\"#ddd\"/>")
            lines.append("<text x=\"\(x)\" y=\"\(bottom + 16)\" text-anchor=\"middle\" fill=\"#555\">\(label)</text>")
        }
        for (index, one) in series.enumerated() {
            let y = top + row * (Double(index) + 0.5)
            let name = "\(one.failure.rawValue), \(one.application.rawValue.uppercased()): \(one.subject.name)"
            lines.append("<text x=\"10\" y=\"\(y + 4)\">\(name)</text>")
            for gap in one.gaps {
                let x = gap.map(place) ?? left + width + 20
                lines.append(
                    "<circle cx=\"\(x)\" cy=\"\(y)\" r=\"3\" fill=\"\(one.subject.colour)\" fill-opacity=\"0.5\"/>")
            }
            if one.median.isFinite {
                let x = place(one.median)
                lines.append(
                    "<line x1=\"\(x)\" y1=\"\(y - 9)\" x2=\"\(x)\" y2=\"\(y + 9)\" stroke=\"black\" stroke-width=\"1.5\"/>"
                )
            }
        }
        lines.append(
            "<text x=\"10\" y=\"\(bottom + 32)\" fill=\"#555\">Linux \(machine.kernel), \(machine.date); bar: median; "
                + "right edge: the session did not come back</text>")
        return (lines + ["</svg>"]).joined(separator: "\n") + "\n"
    }
}

extension Subject {
    fileprivate var colour: String {
        switch self {
        case .fast: "#0a7"
        case .rfc: "#37c"
        case .mptcp: "#c60"
        case .tcp: "#888"
        }
    }
}

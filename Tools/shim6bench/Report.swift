import Foundation

/// What is printed of a series: ratios first, which another machine can be compared by, then the costs themselves.
struct Report {
    let series: Series
    let costs: [Series.Costs]

    var lines: [String] {
        ["", series.title] + ratioLines + timeLines
    }

    private var ratioLines: [String] {
        guard !series.ratios.isEmpty else { return [] }
        return [row("  ratio", "median", "lowest-highest")]
            + series.ratios.map { pair in
                let values = zip(nanoseconds(of: pair.of), nanoseconds(of: pair.to)).map { $0 / $1 }
                return row("  \(pair.of) : \(pair.to)", Spread(values), "%.2f")
            }
    }

    private var timeLines: [String] {
        [row("  cost of one", "ns", "lowest-highest", "heap blocks")]
            + costs.map { cost in
                row(
                    "  \(cost.name)", Spread(cost.nanoseconds), "%.0f",
                    String(format: "%.2f", Spread(cost.blocks).median))
            }
    }

    private func nanoseconds(of name: String) -> [Double] {
        costs.first { $0.name == name }?.nanoseconds ?? []
    }

    private func row(_ name: String, _ spread: Spread, _ format: String, _ last: String = "") -> String {
        let range = String(format: "\(format)-\(format)", spread.lowest, spread.highest)
        return row(name, String(format: format, spread.median), range, last)
    }

    private func row(_ name: String, _ value: String, _ range: String, _ last: String = "") -> String {
        func right(_ text: String, _ width: Int) -> String {
            String(repeating: " ", count: max(1, width - text.count)) + text
        }
        let text = name + right(value, 78 - name.count) + right(range, 18) + right(last, 13)
        return String(text.reversed().drop { $0 == " " }.reversed())
    }
}

/// How text for people is set.
public enum TextStyle: Sendable {
    /// For files, pipes and the console.
    case plain
    /// Headings in bold; the columns of a table that is wider than the terminal stand below each other.
    case terminal(columns: Int)

    func heading(_ text: String) -> String {
        switch self {
        case .plain: text
        case .terminal: "\u{1B}[1m\(text)\u{1B}[0m"
        }
    }
}

/// Rows in aligned columns under a heading.
struct TextTable {
    private var rows: [[String]]

    init(_ headings: String...) {
        rows = [headings]
    }

    mutating func add(_ cells: String...) {
        rows.append(cells)
    }

    /// One line a row; nothing at all for a table without rows.
    func text(style: TextStyle, indent: Int = 0) -> String {
        guard let headings = rows.first, rows.count > 1 else { return "" }
        let widths = headings.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        if case .terminal(let columns) = style, indent + widths.reduce(0, +) + 2 * (widths.count - 1) > columns {
            return stacked(headings, style: style, indent: indent)
        }
        var text = ""
        for (number, row) in rows.enumerated() {
            var line = String(repeating: " ", count: indent)
            for (column, cell) in row.enumerated() {
                line += column == row.count - 1 ? cell : padded(cell, widths[column] + 2)
            }
            while line.last == " " { line.removeLast() }
            text += (number == 0 ? style.heading(line) : line) + "\n"
        }
        return text
    }

    /// The cells of a row below each other, but for those without anything.
    private func stacked(_ headings: [String], style: TextStyle, indent: Int) -> String {
        let margin = String(repeating: " ", count: indent)
        let width = (headings.dropFirst().map(\.count).max() ?? 0) + 2
        return rows.dropFirst().map { row in
            let cells = zip(headings, row).dropFirst().filter { !["", "-"].contains($0.1) }
            return margin + style.heading("\(headings[0]) \(row[0])") + "\n"
                + cells.map { "\(margin)  \(padded($0.0, width))\($0.1)\n" }.joined()
        }.joined()
    }
}

func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
}

/// Eight hexadecimal digits, as nonces are written everywhere.
func hexadecimal(_ number: UInt32) -> String {
    let digits = String(number, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
}

/// Three decimals: `12.500`.
func milliseconds(_ seconds: Double) -> String {
    guard seconds.magnitude < 1e15 else { return String(seconds) }
    let thousandths = Int64((seconds.magnitude * 1000).rounded())
    let fraction = String(thousandths % 1000)
    let sign = seconds < 0 && thousandths > 0 ? "-" : ""
    return "\(sign)\(thousandths / 1000).\(String(repeating: "0", count: 3 - fraction.count))\(fraction)"
}

/// A span of time in its two largest units: `2 h 5 min`.
func span(_ seconds: Double) -> String {
    let units = [("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)]
    var rest = max(0, Int(min(seconds, 1e12)))
    var parts: [String] = []
    for (name, length) in units where rest >= length || name == "s" && parts.isEmpty {
        parts.append("\(rest / length) \(name)")
        rest %= length
    }
    return parts.prefix(2).joined(separator: " ")
}

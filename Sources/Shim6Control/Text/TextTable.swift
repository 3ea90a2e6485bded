/// How text for people is set.
public enum TextStyle: Sendable {
    /// For files, pipes and the console.
    case plain
    /// Headings in bold, for a terminal.
    case terminal

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
}

func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
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

import Foundation

/// A row of the requirement catalogue.
struct Row {
    var id: String
    var section: String
    /// `MUST`, `MUST NOT`, `SHOULD`, `SHOULD NOT`, `MAY` or `RULE`: what the RFC does or says without such a word.
    var level: String
    var requirement: String
    /// Where a breach can be seen: `unit`, `wire` or `host`.
    var observed: String
    /// What LinShim6's own evaluation says.
    var linShim6: String

    /// The number of the RFC.
    var document: Substring { id.prefix { $0 != "-" } }

    /// Whether a row that no test shows needs a written reason.
    var isStrict: Bool { level.hasPrefix("MUST") || level.hasPrefix("SHOULD") }

    func isShown(in ring: Ring) -> Bool { observed == "unit" || ring != .unit }
}

/// The requirements of one file of the catalogue.
struct Document {
    /// Such as `RFC 3972, 4581, 4982`.
    var title: String
    var rows: [Row]

    init(_ file: URL) throws {
        rows = try Self.lines(of: file, columns: 7).dropFirst().map { columns in
            Row(
                id: columns[0], section: columns[1], level: columns[2], requirement: columns[4],
                observed: columns[5], linShim6: columns[6])
        }
        var numbers: [Substring] = []
        for row in rows where !numbers.contains(row.document) { numbers.append(row.document) }
        title = "RFC " + numbers.joined(separator: ", ")
    }

    /// The rows in the order of the file, by RFC and section.
    var sections: [(title: String, rows: [Row])] {
        var sections: [(title: String, rows: [Row])] = []
        for row in rows {
            let title =
                "RFC \(row.document), \(row.section.first?.isLetter == true ? "appendix" : "section") \(row.section)"
            if sections.last?.title != title { sections.append((title, [])) }
            sections[sections.count - 1].rows.append(row)
        }
        return sections
    }

    static func lines(of file: URL, columns: Int) throws -> [[String]] {
        try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map { line in
            let parts = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            guard parts.count == columns else {
                throw Fault("\(file.lastPathComponent): not \(columns) columns: \(line)")
            }
            return parts
        }
    }
}

struct Fault: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }
}

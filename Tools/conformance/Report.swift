/// The text of `docs/conformance.md`.
struct Report {
    private let evidence: Evidence

    init(_ evidence: Evidence) { self.evidence = evidence }

    var text: String {
        var text = """
            # Conformance

            Made by `swift run conformance` from the catalogue of requirements in `Tests/Requirements/Catalogue` and the
            `.requirement` traits of the tests; `Scripts/test.sh` fails when it is out of date. A row is **YES** when a test
            that fails if the rule is broken names it; a rule about packets (`wire`) or hosts (`host`) needs such a test
            in the simulation, on hosts in namespaces or in the guest. **N-A** and **NO** come with a reason, from
            `Tests/Requirements/exceptions.tsv`. The last column is what LinShim6's authors said of theirs.

            """
        text += "\n" + summary + "\n"
        for document in evidence.documents {
            for section in document.sections {
                text += "\n## \(section.title)\n\n| id | level | seen | requirement | | shown by | LinShim6 |\n"
                text += "|---|---|---|---|---|---|---|\n"
                for row in section.rows { text += line(row) }
            }
        }
        return text + code
    }

    /// Which rows the sources carry, by file: line numbers would change with every edit.
    private var code: String {
        var text = """

            ## In the sources

            Comments in `Sources` name the rows that a line of code carries out; `swift run conformance` prints the lines.
            This table counts the rows with MUST or SHOULD that a test shows.

            | document | rows | named | not named |
            |---|---|---|---|

            """
        for document in evidence.documents {
            let shown = document.rows.filter { $0.isStrict && evidence.isShown($0) }
            let missing = evidence.rowsWithoutCode(of: document)
            text += "| \(document.title) | \(shown.count) | \(shown.count - missing.count) "
            text += "| \(missing.map(\.id).joined(separator: ", ")) |\n"
        }
        text += "\n| id | level | in |\n|---|---|---|\n"
        for row in evidence.documents.flatMap(\.rows) where row.isStrict {
            let files = evidence.code.files(of: row.id)
            guard !files.isEmpty else { continue }
            text += "| \(row.id) | \(row.level) | \(files.map { "`\($0)`" }.joined(separator: ", ")) |\n"
        }
        return text
    }

    /// Each row that the sources carry, with its lines of code and its tests; then the rows with MUST or SHOULD that a
    /// test shows and no line of code names.
    var codeLines: String {
        var lines: [String] = []
        for row in evidence.documents.flatMap(\.rows) {
            guard let code = evidence.code.lines[row.id] else { continue }
            lines.append("\(row.id) \(row.level): \(row.requirement)")
            lines += code.map { "    code \($0.description)" }
            switch evidence.verdict(on: row) {
            case .shown(let tests): lines += tests.map { "    test \($0.name)" }
            case .excepted(let verdict, let reason): lines.append("    \(verdict): \(reason)")
            case .missing: lines.append("    no test")
            }
        }
        for document in evidence.documents {
            let missing = evidence.rowsWithoutCode(of: document)
            guard !missing.isEmpty else { continue }
            lines.append("\(document.title), MUST and SHOULD without a line of code:")
            lines += missing.map { "    \($0.id) \($0.level): \($0.requirement)" }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// One line a document and level: rows in all, shown by tests, excepted, neither.
    var summary: String {
        var lines = [
            "| document | level | rows | YES | N-A | NO, with a reason | without a test |",
            "|---|---|---|---|---|---|---|",
        ]
        for document in evidence.documents {
            for level in ["MUST", "SHOULD", "RULE", "MAY"] {
                let rows = document.rows.filter { $0.level.hasPrefix(level) }
                guard !rows.isEmpty else { continue }
                var counts = (shown: 0, notApplicable: 0, refused: 0, missing: 0)
                for row in rows {
                    switch evidence.verdict(on: row) {
                    case .shown: counts.shown += 1
                    case .excepted(let verdict, _):
                        if verdict == "N-A" { counts.notApplicable += 1 } else { counts.refused += 1 }
                    case .missing: counts.missing += 1
                    }
                }
                let name = level == "RULE" || level == "MAY" ? level : "\(level) (NOT)"
                lines.append(
                    "| \(document.title) | \(name) | \(rows.count) | \(counts.shown) | \(counts.notApplicable) "
                        + "| \(counts.refused) | \(counts.missing) |")
            }
        }
        return lines.joined(separator: "\n")
    }

    private func line(_ row: Row) -> String {
        let verdict: String
        let shown: String
        switch evidence.verdict(on: row) {
        case .shown(let tests):
            verdict = "YES"
            shown = tests.map { "`\($0.name)`" }.joined(separator: ", ")
        case .excepted(let exception, let reason):
            verdict = exception
            shown = reason
        case .missing(let tests):
            verdict = "NO"
            shown = tests.isEmpty ? "" : "only unit tests: " + tests.map { "`\($0.name)`" }.joined(separator: ", ")
        }
        let requirement = row.requirement.replacing("|", with: "\\|").replacing("<", with: "&lt;")
        return
            "| \(row.id) | \(row.level) | \(row.observed) | \(requirement) | \(verdict) | \(shown) | \(row.linShim6) |\n"
    }
}

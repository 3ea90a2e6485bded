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
        return text
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

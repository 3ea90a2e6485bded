import Foundation

/// What the tree shows of the catalogue.
struct Evidence {
    enum Verdict {
        case shown([NamedTest])
        /// `N-A` or `NO`, and why.
        case excepted(verdict: String, reason: String)
        /// Tests name it, but none where it can be seen.
        case missing([NamedTest])
    }

    let documents: [Document]
    private let exceptions: [String: (verdict: String, reason: String)]
    private let tests: [String: [NamedTest]]
    /// Every test that names requirements.
    let named: [NamedTest]
    /// Where the sources carry the rows.
    let code: CodeLines
    private let strays: [String]

    init(tree: URL) throws {
        let requirements = tree.appending(path: "Tests/Requirements")
        documents = try ["rfc5533", "rfc5534", "rfc3972", "rfc5535"].map {
            try Document(requirements.appending(path: "Catalogue/\($0).tsv"))
        }
        exceptions = Dictionary(
            uniqueKeysWithValues: try Document.lines(of: requirements.appending(path: "exceptions.tsv"), columns: 3)
                .map { ($0[0], ($0[1], $0[2])) })
        code = try CodeLines(tree: tree)
        (named, strays) = try Self.scan(tree.appending(path: "Tests"))
        tests = named.reduce(into: [:]) { tests, test in
            for id in test.requirements { tests[id, default: []].append(test) }
        }
    }

    private static func scan(_ folder: URL) throws -> ([NamedTest], strays: [String]) {
        var named: [NamedTest] = []
        var strays: [String] = []
        let paths = FileManager.default.enumerator(atPath: folder.path())?.compactMap { $0 as? String } ?? []
        for path in paths.sorted() where path.hasSuffix(".swift") {
            let source = try String(contentsOf: folder.appending(path: path), encoding: .utf8)
            guard source.contains(".requirement(") else { continue }
            let scanner = TestScanner(source: source, folder: String(path.prefix { $0 != "/" }))
            named += scanner.tests
            if scanner.strays > 0 { strays.append(path) }
        }
        return (named, strays)
    }

    func verdict(on row: Row) -> Verdict {
        let tests = tests[row.id] ?? []
        let counting = tests.filter { row.isShown(in: $0.ring) }
        if !counting.isEmpty { return .shown(counting) }
        if let exception = exceptions[row.id] {
            return .excepted(verdict: exception.verdict, reason: exception.reason)
        }
        return .missing(tests)
    }

    func isShown(_ row: Row) -> Bool {
        if case .shown = verdict(on: row) { true } else { false }
    }

    /// The rows with MUST or SHOULD that a test shows, and that no comment in the sources names.
    func rowsWithoutCode(of document: Document) -> [Row] {
        document.rows.filter { $0.isStrict && isShown($0) && code.lines[$0.id] == nil }
    }

    /// What is against the rules of the catalogue.
    var faults: [String] {
        let rows = documents.flatMap(\.rows)
        let known = Set(rows.map(\.id))
        var faults = strays.map { "Tests/\($0): names a requirement elsewhere than on a test" }
        for (id, lines) in code.lines.sorted(by: { $0.key < $1.key }) where !known.contains(id) {
            faults += lines.map { "\($0.description) names \(id), which is not in the catalogue" }
        }
        for test in named {
            let unknown = test.requirements.filter { !known.contains($0) }
            faults += unknown.map { "\(test.name) names \($0), which is not in the catalogue" }
            if test.requirements.count > 6 { faults.append("\(test.name) names more than six requirements") }
            if Set(test.requirements).count < test.requirements.count {
                faults.append("\(test.name) names a requirement twice")
            }
        }
        for (id, exception) in exceptions.sorted(by: { $0.key < $1.key }) {
            if !known.contains(id) { faults.append("exceptions.tsv has \(id), which is not in the catalogue") }
            if !["N-A", "NO"].contains(exception.verdict) || exception.reason.count < 10 {
                faults.append("exceptions.tsv: \(id) needs N-A or NO, and a reason")
            }
            if let row = rows.first(where: { $0.id == id }), isShown(row) {
                faults.append("exceptions.tsv has \(id), which a test shows")
            }
        }
        for row in rows where row.isStrict {
            if case .missing(let tests) = verdict(on: row) {
                let why = tests.isEmpty ? "no test" : "no test in the simulation or on hosts"
                faults.append("\(row.id) (\(row.level)) has \(why) and no exception")
            }
        }
        for document in documents {
            faults += rowsWithoutCode(of: document).map { "\($0.id) (\($0.level)) stands at no line of code" }
            let rules = document.rows.filter { $0.level == "RULE" }
            let missing = rules.filter { !isShown($0) }
            if missing.count * 20 > rules.count {
                faults.append("\(document.title): tests name fewer than 95 % of the rules")
            }
        }
        return faults
    }
}

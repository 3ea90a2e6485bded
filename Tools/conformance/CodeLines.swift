import Foundation

/// A line of the sources whose comment names a row of the catalogue.
struct CodeLine {
    /// From the root of the tree on.
    var file: String
    var number: Int

    var description: String { "\(file):\(number)" }
}

/// Where the sources carry the rows of the catalogue.
struct CodeLines {
    /// By the ids of the rows.
    private(set) var lines: [String: [CodeLine]] = [:]

    /// Looks through the comments of all Swift and C sources.
    init(tree: URL) throws {
        let folder = tree.appending(path: "Sources")
        let paths = FileManager.default.enumerator(atPath: folder.path())?.compactMap { $0 as? String } ?? []
        for path in paths.sorted() where [".swift", ".c", ".h"].contains(where: path.hasSuffix) {
            scan(try String(contentsOf: folder.appending(path: path), encoding: .utf8), file: "Sources/\(path)")
        }
    }

    private mutating func scan(_ source: String, file: String) {
        let id = /\b(?:3972|4581|4982|5533|5534|5535)-[0-9A-Z]+(?:\.[0-9]+)*-[0-9]{2}\b/
        for (index, line) in source.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            guard let comment = line.firstRange(of: "//") else { continue }
            for match in line[comment.upperBound...].matches(of: id) {
                lines[String(match.output), default: []].append(CodeLine(file: file, number: index + 1))
            }
        }
    }

    /// The files that carry a row, each once.
    func files(of id: String) -> [String] {
        var files: [String] = []
        for line in lines[id] ?? [] where files.last != line.file { files.append(line.file) }
        return files
    }
}

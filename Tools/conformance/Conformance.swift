import Foundation

/// Compares the requirement catalogue with the tests and the sources, writes `docs/conformance.md`, and prints for each row
/// that the sources carry the lines of code and the tests; with `--check` it only says whether that file is what it would
/// write, and with `--tests` it lists the tests with what they name. Run it at the root of the tree.
@main enum Conformance {
    static func main() throws {
        let isCheck = CommandLine.arguments.dropFirst() == ["--check"]
        let root = URL(filePath: FileManager.default.currentDirectoryPath)
        let evidence = try Evidence(tree: root)
        if CommandLine.arguments.dropFirst() == ["--tests"] {
            for test in evidence.named {
                print("\(test.title)\t\(test.requirements.joined(separator: " "))\t\(test.name)")
            }
            return
        }
        var faults = evidence.faults
        let report = Report(evidence).text
        let file = root.appending(path: "docs/conformance.md")
        if !isCheck {
            print(Report(evidence).codeLines)
            try report.write(to: file, atomically: true, encoding: .utf8)
        } else if (try? String(contentsOf: file, encoding: .utf8)) != report {
            faults.append("docs/conformance.md is not what the tests and the sources say: run `swift run conformance`")
        }
        print(Report(evidence).summary)
        for fault in faults { print("error: \(fault)") }
        if !faults.isEmpty { exit(1) }
    }
}

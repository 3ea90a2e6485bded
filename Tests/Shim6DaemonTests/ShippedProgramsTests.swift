import Foundation
import Testing

/// No more of Foundation than FoundationEssentials in what is shipped: docs/decisions/dependencies.md.
@Suite struct ShippedProgramsTests {
    @Test func `No source of a shipped program imports Foundation`() throws {
        let package = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardizedFileURL
        let sources = package.appending(path: "Sources").path
        let files = try #require(FileManager.default.enumerator(atPath: sources)).compactMap { $0 as? String }
            .filter { $0.hasSuffix(".swift") }
        #expect(files.count > 200)
        for file in files {
            let text = try String(contentsOfFile: "\(sources)/\(file)", encoding: .utf8)
            #expect(text.firstMatch(of: importOfFoundation) == nil, "\(file)")
        }
    }

    @Test(arguments: ["import Foundation", "@preconcurrency import Foundation // x", "import struct Foundation.Data"])
    func `The look at imports sees one`(line: String) {
        #expect("import Glibc\n\(line)\n".contains(importOfFoundation))
        #expect(!"import FoundationEssentials\n// import Foundation\n".contains(importOfFoundation))
    }

    private var importOfFoundation: Regex<Substring> {
        /(?m)^(?:@\w+ )*(?:public |package |internal |private |fileprivate )?import (?:\w+ )?Foundation(?![A-Za-z]).*$/
    }

    /// What the dynamic loader is told to load: that of other packages too. If it has Foundation although no source imports
    /// it, an object of an earlier build may still ask for it: `swift package clean`.
    @Test(arguments: ["shim6d", "shim6ctl"])
    func `A shipped program loads no library of Foundation but its essentials`(program: String) throws {
        let needed = try libraries(of: beside(program))
        #expect(needed.contains("libc.so.6"))
        let unwanted = needed.filter {
            $0.contains("Foundation") && $0 != "libFoundationEssentials.so" || $0.contains("ICU")
        }
        #expect(unwanted.isEmpty)
    }

    @Test func `The look at libraries sees Foundation in the tests, which use it`() throws {
        #expect(try libraries(of: own).contains("libFoundation.so"))
    }

    private var own: String {
        get throws { try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") }
    }

    private func beside(_ program: String) throws -> String {
        try URL(filePath: own).deletingLastPathComponent().appending(path: program).path
    }

    private func libraries(of program: String) throws -> [String] {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["LC_ALL=C", "readelf", "-d", program]
        process.standardOutput = output
        try process.run()
        let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        return text.matches(of: /\(NEEDED\).*\[(.+)\]/).map { String($0.1) }
    }
}

import Configuration
import Foundation
import Testing

@Suite struct ConfigurationFileTests {
    private func withFile<Outcome>(_ content: Data, _ body: (String) throws -> Outcome) throws -> Outcome {
        let file = FileManager.default.temporaryDirectory.appending(path: "shim6-\(UUID().uuidString).toml")
        try content.write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        return try body(file.path)
    }

    private func problems(of file: String) throws -> [String] {
        try #require(throws: ConfigurationError.self) { try Configuration.load(contentsOf: file) }.problems
    }

    @Test func `A file is read`() throws {
        try withFile(Data("[limits]\nmax-contexts = 7\n".utf8)) { file in
            let configuration = try Configuration.load(contentsOf: file).configuration
            #expect(configuration.host.maximumContexts == 7)
        }
    }

    @Test func `A problem names the file`() throws {
        try withFile(Data("x = 1".utf8)) { file in
            let problems = try problems(of: file)
            #expect(problems == ["\(file):1: unknown key \"x\" at the top level"])
        }
    }

    @Test func `A file that is not there is one clear line`() throws {
        #expect(
            try problems(of: "/nonexistent/x.toml") == [
                "/nonexistent/x.toml: cannot be read: No such file or directory"
            ])
    }

    @Test func `A directory is one clear line`() throws {
        #expect(try problems(of: "/tmp") == ["/tmp: cannot be read: Is a directory"])
    }

    @Test func `A file that is not text is one clear line`() throws {
        try withFile(Data([0x61, 0xFF, 0xFE])) { file in
            let problems = try problems(of: file)
            #expect(problems == ["\(file): is not UTF-8"])
        }
    }

    @Test func `A pipe into which nobody writes is one clear line, and one with a writer is read`() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "shim6-\(UUID().uuidString).fifo").path
        #expect(mkfifo(path, 0o600) == 0)
        defer { unlink(path) }
        #expect(try problems(of: path) == ["\(path): is a pipe into which nobody writes"])
        let writer = open(path, O_RDWR)
        defer { close(writer) }
        let text = "[limits]\nmax-contexts = 7\n"
        #expect(write(writer, text, text.utf8.count) == text.utf8.count)
        // A reader that finds the pipe open for writing waits for its end, but not for ever.
        #expect(
            try problems(of: path) == ["\(path): cannot be read: Resource temporarily unavailable"])
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        defer { close(ends[0]) }
        #expect(write(ends[1], text, text.utf8.count) == text.utf8.count)
        close(ends[1])
        #expect(try Configuration.load(contentsOf: "/dev/fd/\(ends[0])").configuration.host.maximumContexts == 7)
    }

    @Test func `A name with control characters stays on one line`() throws {
        #expect(
            try problems(of: "/nonexistent/a\nb\u{1b}[2J") == [
                "/nonexistent/a?b?[2J: cannot be read: No such file or directory"
            ])
        try withFile(Data("[control]\nsocket = \"/run/a\\nb\"\n".utf8)) { file in
            let found = try problems(of: file)
            #expect(
                found == [
                    "\(file):2: socket must not have control characters: \"/run/a\\nb\""
                ])
        }
    }

    @Test func `A file without end is refused`() throws {
        #expect(try problems(of: "/dev/zero") == ["/dev/zero: is longer than 1048576 octets"])
    }
}

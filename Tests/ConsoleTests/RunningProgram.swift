import Foundation

/// A program that a test started, with pipes to it.
final class RunningProgram {
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private let errors = Pipe()

    /// Where this package's programs are: beside the tests.
    static func built(_ name: String) throws -> String {
        let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return URL(filePath: tests).deletingLastPathComponent().appending(path: name).path
    }

    init(_ arguments: [String], environment: [String: String] = [:]) throws {
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = environment.map { "\($0.key)=\($0.value)" } + arguments
        process.standardInput = input
        process.standardOutput = output
        process.standardError = errors
        try process.run()
    }

    func type(_ text: String) throws {
        try input.fileHandleForWriting.write(contentsOf: Data(text.utf8))
    }

    /// Reads standard output up to and with `mark`, or to its end.
    func read(through mark: String) -> String { read(output, through: mark) }

    /// Reads standard error up to and with `mark`, or to its end.
    func readErrors(through mark: String) -> String { read(errors, through: mark) }

    private func read(_ pipe: Pipe, through mark: String) -> String {
        var text = Data()
        while !text.suffix(mark.utf8.count).elementsEqual(mark.utf8) {
            guard let octet = try? pipe.fileHandleForReading.read(upToCount: 1), !octet.isEmpty else { break }
            text += octet
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Waits for its end. For programs that write little to standard error.
    func finish() throws -> (code: Int32, output: String, errors: String) {
        try input.fileHandleForWriting.close()
        let text = try output.fileHandleForReading.readToEnd() ?? Data()
        let complaint = try errors.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (
            process.terminationStatus, String(decoding: text, as: UTF8.self), String(decoding: complaint, as: UTF8.self)
        )
    }

    /// Ctrl-C.
    func interrupt() { process.interrupt() }

    func kill() {
        process.terminate()
        process.waitUntilExit()
    }
}

import ArgumentParser
import CGA
import Glibc

/// Why a command that needs no daemon failed, in one line, and the exit code (sysexits.h).
struct ToolFailure: Error {
    var message: String
    var exitCode: Int32

    init(_ message: String, exitCode: Int32 = EX_DATAERR) {
        self.message = message
        self.exitCode = exitCode
    }

    /// Runs a command's work, and ends with the line and the code if it fails.
    static func reported(_ body: () throws -> Void) throws {
        do {
            let missing = Libcrypto.missing()
            guard missing.isEmpty else {
                throw ToolFailure(
                    "libcrypto offers no \(missing.joined(separator: ", ")): see OPENSSL_CONF",
                    exitCode: EX_UNAVAILABLE)
            }
            try body()
        } catch let failure as ToolFailure {
            tell("shim6ctl: \(failure.message)")
            throw ExitCode(failure.exitCode)
        }
    }

    /// A line for the reader, not for whoever reads the results.
    static func tell(_ line: String) {
        let line = line + "\n"
        _ = write(STDERR_FILENO, line, line.utf8.count)
    }
}

/// Why the daemon did not start, in one line, and the process's exit code (sysexits.h).
struct StartFailure: Error {
    var message: String
    var exitCode: Int32

    init(_ message: String, exitCode: Int32 = 71) {
        self.message = message
        self.exitCode = exitCode
    }
}

/// Why the daemon did not start, in one line.
struct StartFailure: Error {
    /// The exit codes that there are: those of sysexits.h, by which service managers and scripts tell what to do.
    enum Reason: Int32, CaseIterable {
        /// EX_UNAVAILABLE: what the daemon needs is not installed.
        case unavailable = 69
        /// EX_OSERR: the kernel refused something.
        case system = 71
        /// EX_CANTCREAT: a file or a directory cannot be made.
        case cannotCreate = 73
        /// EX_IOERR: a file cannot be read.
        case unreadable = 74
        /// EX_TEMPFAIL: another daemon has it at the moment.
        case inUse = 75
        /// EX_NOPERM: a capability is missing.
        case noPermission = 77
        /// EX_CONFIG: the configuration, or a file that it names, is not as it has to be.
        case configuration = 78
    }

    var message: String
    var reason: Reason
    var exitCode: Int32 { reason.rawValue }

    init(_ message: String, _ reason: Reason = .system) {
        self.message = message
        self.reason = reason
    }
}

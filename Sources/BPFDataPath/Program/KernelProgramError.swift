import CDataPath

/// A call into the kernel failed.
public struct KernelProgramError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The errno, positive.
    public var code: Int32
    /// What was tried.
    public var action: String

    public var description: String { "cannot \(action): \(errorText(code))" }
}

/// The kernel program could not be loaded.
public struct KernelProgramLoadError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Reason: Hashable, Sendable {
        /// CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN, or CAP_SYS_ADMIN, are missing.
        case noPermission
        /// The kernel is built without BPF, or it is locked down.
        case noBPF
        /// The memory for the maps was refused.
        case memory
        /// The kernel is older than the program needs (6.1).
        case oldKernel
        /// The verifier refused the program; `detail` ends with its log.
        case verifier
        case other
    }
    public var reason: Reason
    /// The errno, positive.
    public var code: Int32
    /// What the loader said, many lines.
    public var detail: String

    package init(reason: Reason, code: Int32, detail: String) {
        self.reason = reason
        self.code = code
        self.detail = detail
    }

    init(_ error: shim6_load_error) {
        code = -error.code
        reason =
            switch shim6_load_failure(rawValue: error.failure) {
            case SHIM6_LOAD_NO_PERMISSION: .noPermission
            case SHIM6_LOAD_NO_BPF: .noBPF
            case SHIM6_LOAD_MEMORY: .memory
            case SHIM6_LOAD_OLD_KERNEL: .oldKernel
            case SHIM6_LOAD_VERIFIER: .verifier
            default: .other
            }
        detail = withUnsafeBytes(of: error.text) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    /// How many lines of the verifier's log are told: the last ones have the reason.
    private static let linesTold = 8

    /// One line; below it the end of the verifier's log if that is why.
    public var description: String {
        let why =
            switch reason {
            case .noPermission: "no permission (CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN are needed)"
            case .noBPF: "this kernel has no BPF"
            case .memory: "the kernel refused the memory for its tables"
            case .oldKernel: "this kernel is too old (6.1 is needed)"
            case .verifier: "the kernel's verifier refused the program"
            case .other: errorText(code)
            }
        let line = "cannot load the data path: \(why)"
        guard reason == .verifier || reason == .oldKernel else { return line }
        let log = detail.split(whereSeparator: \.isNewline).filter { !$0.allSatisfy(\.isWhitespace) }
        return ([line] + log.suffix(Self.linesTold).map { "  \($0)" }).joined(separator: "\n")
    }
}

/// The result of a C call that gives a count or -errno.
@discardableResult
func check(_ result: Int32, _ action: @autoclosure () -> String) throws(KernelProgramError) -> Int32 {
    guard result >= 0 else { throw KernelProgramError(code: -result, action: action()) }
    return result
}

private func errorText(_ code: Int32) -> String {
    guard let text = shim6_error_text(code) else { return "error \(code)" }
    return String(cString: text)
}

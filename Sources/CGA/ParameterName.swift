/// Strings that OpenSSL points to after the call that took them, as it does with the names of parameters. A Swift `String`
/// lends its characters for the time of one call only.
struct ParameterName: Sendable {
    static let modulus = ParameterName(text: "n")
    static let exponent = ParameterName(text: "e")
    static let digest = ParameterName(text: "digest")
    static let sha256 = ParameterName(text: "SHA256")

    private let text: StaticString

    /// Zero-terminated, and there for as long as the process.
    var characters: UnsafePointer<CChar> {
        UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
    }
}

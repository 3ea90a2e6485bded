/// How a locator is shown to belong to the host that lists it (RFC 5533, section 5.15.2, table 4).
///
/// Section 17 of the RFC prints the two numbers the other way round; deployed code follows table 4.
public enum VerificationMethod: UInt8, Sendable, CaseIterable {
    case hba = 1
    case cga = 2
}

import CGA
import Shim6Wire

/// Verifies that a peer's locators are its own (RFC 5533, section 7.2). This is the costly part of every exchange.
public protocol LocatorVerifier {
    /// Checks that `parameters` belong to the peer's ULID (RFC 5533, section 7.13).
    mutating func verify(parameters: [UInt8], of ulid: IPv6Address) throws(DropReason)
    /// Checks the same, and that every locator of `list` is proven by its method. One that is not makes the whole list
    /// worthless.
    mutating func verify(
        _ list: LocatorList, parameters: [UInt8], signature: [UInt8]?, of ulid: IPv6Address
    ) throws(DropReason)
}

/// Verification by CGA; lists that name another method are refused.
public struct CGALocatorVerifier: LocatorVerifier, Sendable {
    private var verifier: LocatorListVerifier

    public init(_ verifier: LocatorListVerifier = LocatorListVerifier()) {
        self.verifier = verifier
    }

    public mutating func verify(parameters: [UInt8], of ulid: IPv6Address) throws(DropReason) {
        do {
            try CGAParameters(parameters).verify(ulid)
        } catch {
            throw .proof(error)
        }
    }

    public mutating func verify(
        _ list: LocatorList, parameters: [UInt8], signature: [UInt8]?, of ulid: IPv6Address
    ) throws(DropReason) {
        guard list.locators.allSatisfy({ $0.method == VerificationMethod.cga.rawValue }) else {
            throw .unsupportedMethod
        }
        guard let signature else { throw .signatureMissing }
        do {
            try verifier.verify(
                ulid: ulid, parameters: parameters, generation: list.generation,
                locators: list.locators.map(\.locator), signature: signature)
        } catch {
            throw .proof(error)
        }
    }
}

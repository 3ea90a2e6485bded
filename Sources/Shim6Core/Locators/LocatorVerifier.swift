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
    /// Which entry of a list that was refused is at fault, counted from 0; nil if the parameters are not those of the
    /// ULID, so that no entry is.
    func faultyEntry(of list: LocatorList, parameters: [UInt8], ulid: IPv6Address) -> Int?
    /// The keys of peers that it keeps decoded.
    var keys: HostCounters.TableUse { get }
}

extension LocatorVerifier {
    /// It cannot tell.
    public func faultyEntry(of list: LocatorList, parameters: [UInt8], ulid: IPv6Address) -> Int? { nil }

    /// It keeps none.
    public var keys: HostCounters.TableUse { HostCounters.TableUse() }
}

/// Verification by CGA and HBA, which one list may mix; lists that name another method are refused.
public struct CGALocatorVerifier: LocatorVerifier, Sendable {
    private var verifier: LocatorListVerifier

    public init(_ verifier: LocatorListVerifier = LocatorListVerifier()) {
        self.verifier = verifier
    }

    public var keys: HostCounters.TableUse { HostCounters.TableUse(verifier.keys) }

    public mutating func verify(parameters: [UInt8], of ulid: IPv6Address) throws(DropReason) {
        do {
            let parameters = try CGAParameters(parameters)
            // Those of another member of the ULID's HBA set prove it as well (RFC 5535, section 7.2).
            if (try? parameters.verify(ulid, by: .hba)) == nil { try parameters.verify(ulid) }
        } catch {
            throw .proof(error)
        }
    }

    public mutating func verify(
        _ list: LocatorList, parameters: [UInt8], signature: [UInt8]?, of ulid: IPv6Address
    ) throws(DropReason) {
        var members: [IPv6Address] = []
        var signed: [IPv6Address] = []
        for entry in list.locators {
            switch VerificationMethod(rawValue: entry.method) {
            case .hba: members.append(entry.locator)
            case .cga: signed.append(entry.locator)
            case nil: throw .unsupportedMethod  // 5533-7.2-06
            }
        }
        guard signed.isEmpty || signature != nil else { throw .signatureMissing }
        do {
            try verifier.verify(
                ulid: ulid, parameters: parameters, generation: list.generation, members: members, locators: signed,
                signature: signature ?? [])
        } catch {
            throw .proof(error)
        }
    }

    public func faultyEntry(of list: LocatorList, parameters octets: [UInt8], ulid: IPv6Address) -> Int? {
        guard let parameters = try? CGAParameters(octets) else { return nil }
        func first(_ method: VerificationMethod) -> Int? {
            list.locators.firstIndex { $0.method == method.rawValue }
        }
        guard (try? parameters.verify(ulid, by: .hba)) != nil || (try? parameters.verify(ulid)) != nil else {
            return nil
        }
        let stranger = list.locators.firstIndex {
            $0.method == VerificationMethod.hba.rawValue && (try? parameters.verify($0.locator, by: .hba)) == nil
        }
        return stranger ?? first(.cga)
    }
}

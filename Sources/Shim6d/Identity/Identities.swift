import CGA
import Configuration
import Logging
import Shim6Core
import Shim6Wire

/// The host's cryptographic addresses and the key behind them.
///
/// Belongs to the main thread, as the host that asks it does.
final class Identities: LocalIdentity {
    private let key: PrivateKey
    private let securityParameter: Int
    private let files: IdentityFiles
    /// Whether addresses are made here; else they were brought along and are on the interfaces already.
    let makesAddresses: Bool
    /// Parameters by which an address on an interface can be recognised.
    private var parameters: [CGAParameters]
    private var known: [IPv6Address: CGAIdentity] = [:]

    /// Loads the key and the parameters, or makes the key. Throws `StartFailure`.
    init(_ configuration: Configuration.Identity, log: Logger) throws(StartFailure) {
        files = IdentityFiles(directory: configuration.directory)
        securityParameter = configuration.securityParameter
        if let path = configuration.privateKey {
            makesAddresses = false
            key = try IdentityFiles.privateKey(at: path)
            var parameters: [CGAParameters] = []
            for path in configuration.parameters { parameters.append(try IdentityFiles.parameters(at: path)) }
            let spki = key.subjectPublicKeyInfo
            guard parameters.allSatisfy({ $0.publicKey == spki }) else {
                throw StartFailure("the parameters in [identity] are not of the key in \(path)", exitCode: 78)
            }
            self.parameters = parameters
        } else {
            makesAddresses = true
            key = try files.privateKey(at: configuration.key, bits: configuration.keyBits, log: log)
            let spki = key.subjectPublicKeyInfo
            parameters = try files.storedParameters().filter { $0.publicKey == spki }
        }
    }

    // MARK: Addresses

    /// The address of this host in a prefix of 64 bits, made now if there is none yet.
    func address(in prefix: IPv6Prefix) throws(StartFailure) -> IPv6Address {
        if let found = known.keys.first(where: prefix.contains) { return found }
        let subnet = prefix.address.high
        if let stored = parameters.first(where: { $0.subnetPrefix == subnet }),
            let address = try? adopt(stored, collisionCount: Int(stored.collisionCount))
        {
            return address
        }
        return try make(in: subnet, collisionCount: 0)
    }

    /// Another address in the prefix of one that somebody else has (RFC 3972, section 4, step 8).
    func replace(_ duplicate: IPv6Address) throws(StartFailure) -> IPv6Address {
        let count = known.removeValue(forKey: duplicate).map { Int($0.parameters.collisionCount) } ?? 0
        parameters.removeAll { $0.subnetPrefix == duplicate.high }
        return try make(in: duplicate.high, collisionCount: count + 1)
    }

    /// Whether peers can verify this address. One that is found on an interface is recognised by parameters that were
    /// brought along.
    func recognise(_ address: IPv6Address) -> Bool {
        if known[address] != nil { return true }
        guard !makesAddresses, let match = parameters.first(where: { (try? $0.verify(address)) != nil }),
            let identity = try? CGAIdentity(address: address, parameters: match, privateKey: key)
        else { return false }
        known[address] = identity
        return true
    }

    private func make(in subnet: UInt64, collisionCount: Int) throws(StartFailure) -> IPv6Address {
        do {
            var random = CryptographicRandom()
            // One search serves every prefix.
            var generator: CGAGenerator
            if let earlier = parameters.first, let reused = try? CGAGenerator(reusing: earlier, sec: securityParameter)
            {
                generator = reused
            } else {
                generator = try CGAGenerator(
                    publicKey: key.subjectPublicKeyInfo, sec: securityParameter,
                    modifier: .random(in: 0 ... .max, using: &random))
                try generator.search()
            }
            let made = try generator.address(in: subnet, collisionCount: collisionCount)
            let identity = try CGAIdentity(address: made.address, parameters: made.parameters, privateKey: key)
            try files.store(made.parameters, prefix: IPv6Address(high: subnet, low: 0))
            parameters.append(made.parameters)
            known[made.address] = identity
            return made.address
        } catch let failure as StartFailure {
            throw failure
        } catch {
            throw StartFailure("no address can be made in \(IPv6Address(high: subnet, low: 0))/64: \(error)")
        }
    }

    private func adopt(_ stored: CGAParameters, collisionCount: Int) throws -> IPv6Address {
        let generator = try CGAGenerator(reusing: stored, sec: securityParameter)
        let made = try generator.address(in: stored.subnetPrefix, collisionCount: collisionCount)
        known[made.address] = try CGAIdentity(address: made.address, parameters: stored, privateKey: key)
        return made.address
    }

    // MARK: LocalIdentity

    func parameters(of ulid: IPv6Address) -> [UInt8]? { known[ulid]?.parameters.octets }

    func signature(by ulid: IPv6Address, generation: UInt32, locators: [IPv6Address]) -> [UInt8]? {
        try? known[ulid]?.sign(generation: generation, locators: locators)
    }
}

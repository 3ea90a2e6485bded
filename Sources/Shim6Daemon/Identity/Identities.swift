import CGA
import Configuration
import KernelRows
import Logging
import REAP
import Shim6Core
import Shim6Wire

/// The host's cryptographic addresses and the keys behind them: at most one address a prefix that is current, and older
/// ones for as long as contexts need them.
///
/// The prefixes that are present when the first addresses are made become one HBA set, whose members peers verify
/// without a signature. Prefixes that come later get plain CGAs of the same key. Belongs to the main thread; what takes
/// long is done by a worker.
final class Identities: LocalIdentity {
    /// How long the first addresses wait for every uplink to have a prefix.
    private static let patience = Duration.seconds(5)
    /// How many addresses are kept in prefixes that are on no uplink, since these may come back.
    private static let mostAbsent = 64
    /// How long a failed attempt keeps the next one waiting.
    private static let pause = Duration.seconds(60)

    let configuration: Configuration.Identity
    private let files: IdentityFiles
    private let log: Logger
    /// Whether addresses are made here; else they were brought along and are on the interfaces already.
    let makesAddresses: Bool
    private(set) var key: PrivateKey
    /// What proves each address, current or old.
    private var proofs: [IPv6Address: CGAIdentity] = [:]
    /// The current address by its leftmost 64 bits.
    private var current: [UInt64: IPv6Address] = [:]
    /// Addresses that are current no more.
    private(set) var retired: Set<IPv6Address> = []
    /// Prefixes in which three addresses in a row were taken: no fourth is tried (RFC 3972, section 4, step 8).
    private(set) var exhausted: Set<UInt64> = []
    /// Parameters that were brought along, by which an address on an interface can be recognised.
    private var brought: [CGAParameters] = []
    /// Does the jobs, and has `finish` called on the main thread with what comes of each.
    var work: (IdentityJob) -> Void = { _ in }
    /// A job is under way: what it makes takes the place of all there is, or is added to it.
    private var renewing: Bool?
    private var earliest: Instant
    private let impatient: Instant

    /// Loads the key and the parameters, or makes the key. Throws `StartFailure`.
    init(_ configuration: Configuration.Identity, log: Logger) throws(StartFailure) {
        self.configuration = configuration
        self.log = log
        files = IdentityFiles(directory: configuration.directory)
        earliest = .monotonicNow
        impatient = earliest + Self.patience
        if let path = configuration.privateKey {
            makesAddresses = false
            key = try IdentityFiles.privateKey(at: path)
            var parameters: [CGAParameters] = []
            for path in configuration.parameters { parameters.append(try IdentityFiles.parameters(at: path)) }
            let spki = key.subjectPublicKeyInfo
            guard parameters.allSatisfy({ $0.publicKey == spki }) else {
                throw StartFailure("the parameters in [identity] are not of the key in \(path)", .configuration)
            }
            brought = parameters
        } else {
            makesAddresses = true
            key = try files.privateKey(at: configuration.key, bits: configuration.keyBits, log: log)
            for parameters in try files.storedParameters(log: log) { try? adopt(parameters) }
        }
    }

    // MARK: Addresses

    /// The current address of this host in a prefix of 64 bits, if there is one.
    func address(in prefix: IPv6Prefix) -> IPv6Address? { current[prefix.address.high] }

    /// Sees to it that every prefix gets an address, now or when the worker has made it. `areAll`: no uplink is without
    /// prefix. Returns whether to ask again a little later.
    func provide(for prefixes: [IPv6Prefix], areAll: Bool, at now: Instant) -> Bool {
        guard makesAddresses, renewing == nil else { return false }
        retireAbsent(from: Set(prefixes.map(\.address.high)))
        var missing = prefixes.map(\.address.high).filter { current[$0] == nil && !exhausted.contains($0) }
        guard !missing.isEmpty else { return false }
        guard now >= earliest else { return true }
        if current.isEmpty {
            guard areAll || now >= impatient else { return true }
            start(over: missing, isSet: configuration.hba, with: key, renewing: false)
            return false
        }
        do {
            var underivable: [UInt64] = []
            for prefix in missing where try !derive(in: prefix) { underivable.append(prefix) }
            missing = underivable
        } catch {
            log.error("\(error.message)")
            earliest = now + Self.pause
            return true
        }
        if !missing.isEmpty { start(over: missing, isSet: false, with: key, renewing: false) }
        return false
    }

    /// Anybody on a link can advertise ever other prefixes: what is kept of those that are gone has a limit.
    private func retireAbsent(from prefixes: Set<UInt64>) {
        let absent = current.keys.filter { !prefixes.contains($0) }
        for prefix in absent.sorted().dropFirst(Self.mostAbsent) {
            if let address = current.removeValue(forKey: prefix) { retired.insert(address) }
            files.remove(prefix: IPv6Address(high: prefix, low: 0))
        }
    }

    /// Starts to make another set of addresses over these prefixes, with another key if `withNewKey`. Those that are
    /// there now are retired when it is done. Returns false if that is not possible now.
    func renew(over prefixes: [IPv6Prefix], withNewKey: Bool) -> Bool {
        guard makesAddresses, renewing == nil else { return false }
        start(
            over: prefixes.map(\.address.high), isSet: configuration.hba, with: withNewKey ? nil : key, renewing: true)
        return true
    }

    private func start(over prefixes: [UInt64], isSet: Bool, with key: PrivateKey?, renewing: Bool) {
        self.renewing = renewing
        work(
            IdentityJob(
                key: key, keyBits: configuration.keyBits, securityParameter: configuration.securityParameter,
                prefixes: prefixes, isSet: isSet && prefixes.count > 1))
    }

    /// Takes over what the worker made. Throws `StartFailure`: nothing has changed then.
    func finish(_ result: Result<IdentityJob.Product, any Error>) throws(StartFailure) {
        guard let isRenewal = renewing else { return }
        renewing = nil
        do {
            let product = try result.get()
            if isRenewal {
                try files.replace(key: product.key, at: configuration.key)
                key = product.key
                retired.formUnion(current.values)
                current = [:]
                exhausted = []
            }
            for parameters in product.parameters { try keep(parameters) }
        } catch {
            earliest = .monotonicNow + Self.pause
            throw error as? StartFailure ?? StartFailure("no address can be made: \(error)")
        }
    }

    /// An address that needs no search, by the Modifier of another. Returns false if there is none to go by.
    private func derive(in prefix: UInt64) throws(StartFailure) -> Bool {
        let known = current.values.compactMap { proofs[$0]?.parameters }
        let relative =
            known.first { $0.setPrefixes?.contains(prefix) == true } ?? known.first { $0.setPrefixes == nil }
        guard let relative, let generator = try? CGAGenerator(reusing: relative, sec: configuration.securityParameter)
        else { return false }
        let count = relative.setPrefixes == nil ? 0 : Int(relative.collisionCount)
        guard let made = try? generator.address(in: prefix, collisionCount: count) else { return false }
        try keep(made.parameters)
        return true
    }

    /// Somebody else has an address of ours: another one takes its place, with the next Collision Count (RFC 3972,
    /// section 4, step 8). In an HBA set that count is common, so that all members change (RFC 5535, section 6, step
    /// 6.4) and those that nobody else has are retired. Throws after the third collision.
    func replace(_ duplicate: IPv6Address) throws(StartFailure) {
        guard let taken = proofs.removeValue(forKey: duplicate)?.parameters else { return }
        guard retired.remove(duplicate) == nil else { return }
        current[duplicate.high] = nil
        let members = taken.setPrefixes ?? [duplicate.high]
        let count = Int(taken.collisionCount) + 1
        do {
            let generator = try CGAGenerator(reusing: taken, sec: configuration.securityParameter)
            let made = try members.map { try generator.address(in: $0, collisionCount: count).parameters }
            for parameters in made {
                if let old = current[parameters.subnetPrefix] { retired.insert(old) }
                try keep(parameters)
            }
        } catch let failure as StartFailure {
            throw failure
        } catch {
            exhausted.insert(duplicate.high)
            throw StartFailure("no address can be made in \(IPv6Address(high: duplicate.high, low: 0))/64: \(error)")
        }
    }

    /// No context needs this retired address any more.
    func forget(_ address: IPv6Address) {
        guard retired.remove(address) != nil else { return }
        proofs.removeValue(forKey: address)
    }

    /// Whether peers can verify this address. One that is found on an interface is recognised by parameters that were
    /// brought along.
    func recognise(_ address: IPv6Address) -> Bool {
        if proofs[address] != nil { return true }
        guard let match = brought.first(where: { (try? $0.verify(address)) != nil }),
            let proof = try? CGAIdentity(address: address, parameters: match, privateKey: key)
        else { return false }
        proofs[address] = proof
        return true
    }

    private func keep(_ parameters: CGAParameters) throws(StartFailure) {
        try files.store(parameters, prefix: IPv6Address(high: parameters.subnetPrefix, low: 0))
        do {
            try adopt(parameters)
        } catch {
            throw StartFailure("no address can be made of \(parameters.subnetPrefix): \(error)")
        }
    }

    /// Makes the address of these parameters the current one of its prefix.
    private func adopt(_ parameters: CGAParameters) throws {
        let generator = try CGAGenerator(reusing: parameters, sec: configuration.securityParameter)
        let count = Int(parameters.collisionCount)
        let address = try generator.address(in: parameters.subnetPrefix, collisionCount: count).address
        proofs[address] = try CGAIdentity(address: address, parameters: parameters, privateKey: key)
        current[parameters.subnetPrefix] = address
    }

    // MARK: Questions

    var isMaking: Bool { renewing != nil }
    /// Current addresses first, each kind in the order of its numbers.
    var addresses: [IPv6Address] {
        proofs.keys.sorted { (retired.contains($0) ? 1 : 0, $0) < (retired.contains($1) ? 1 : 0, $1) }
    }
    func proof(of address: IPv6Address) -> CGAParameters? { proofs[address]?.parameters }

    // MARK: LocalIdentity

    func parameters(of ulid: IPv6Address) -> [UInt8]? { proofs[ulid]?.parameters.octets }

    func signature(by ulid: IPv6Address, generation: UInt32, locators: [IPv6Address]) -> [UInt8]? {
        try? proofs[ulid]?.sign(generation: generation, locators: locators)
    }

    func isInSet(_ locator: IPv6Address, of ulid: IPv6Address) -> Bool {
        guard let parameters = proofs[ulid]?.parameters, parameters.setPrefixes?.contains(ulid.high) == true else {
            return false
        }
        return (try? parameters.verify(locator, by: .hba)) != nil
    }
}

extension CGAParameters {
    /// The prefixes of the HBA set; nil if these are the parameters of a plain CGA.
    var setPrefixes: [UInt64]? { (try? multiPrefix())?.subnetPrefixes }
}

import CGA
import REAP
import Shim6Core
import Shim6Wire

/// The host that answers, with four CGAs as the daemon makes them.
final class Responder {
    static let locators = 4
    /// How many peers may have a context at once, if nothing else is said.
    static let contexts = 64

    let address: IPv6Address
    private let host: Endpoint
    private var now = Instant(nanoseconds: 1_000_000_000)

    /// `cachedKeys` is how many decoded keys of peers are kept, `proofs` how many verified proofs.
    init(
        _ keys: KeyedAddresses, cachedKeys: Int = 256, proofs: Int = 0, contexts: Int = Responder.contexts
    ) throws {
        let identities = try keys.host(0, locators: Self.locators)
        address = identities[0].address
        var configuration = HostConfiguration()
        configuration.maximumContexts = contexts
        configuration.maximumVerificationsPerSecond = 1_000_000
        configuration.maximumProofs = proofs
        host = Endpoint(
            configuration: configuration, identity: CGAIdentities(identities),
            verifier: CGALocatorVerifier(LocatorListVerifier(cachedKeys: cachedKeys)),
            activity: Slots(count: contexts), random: CryptographicRandom())
        _ = host.handle(
            .localLocators(identities.map { LocalLocator(address: $0.address, method: .cga) }), at: now)
    }

    /// Takes in the octets of a packet as they lie in a receive buffer, and gives those that go out in answer.
    func answer(_ packet: UnsafeBufferPointer<UInt8>, from source: IPv6Address) -> [UInt8]? {
        let effects = host.handle(.packet(octets: Array(packet), source: source, destination: address), at: now)
        for case .send(let octets, _, _) in effects { return octets }
        return nil
    }

    func answer(_ packet: [UInt8], from source: IPv6Address) -> [UInt8]? {
        packet.withUnsafeBufferPointer { answer($0, from: source) }
    }

    /// How many contexts there are.
    var contexts: Int { host.counters.contexts.used }

    func pass(_ time: Duration) { now = now + time }

    /// Ends all contexts.
    func forgetAll() { _ = host.handle(.shutdown, at: now) }
}

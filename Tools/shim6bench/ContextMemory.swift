import CAllocations
import CGA
import Shim6Wire

/// What contexts take in memory: a hundred thousand of one host, each with another peer that has four CGA locators.
/// Without the activity stamps, which are the data path's.
struct ContextMemory {
    private static let contexts = 100_000
    /// Octets of a context on top of its key material, the peer's CGA Parameter Data Structure.
    private static let limit = 2304

    /// Whether a context takes no more than the limit.
    let holds: Bool

    init() throws {
        let keys = try KeyedAddresses(bits: 1024)
        let responder = try Responder(keys, contexts: Self.contexts)
        // What does not grow with the contexts is there already.
        let first = try Peer(Self.contexts + 1, keys)
        _ = try responder.answer(first.i2(to: responder), from: first.ulid)
        responder.forgetAll()
        var parameters = 0
        let octets = callocations_octets_in_use()
        let resident = Machine.resident
        for number in 1...Self.contexts {
            let peer = try Peer(number, keys)
            let packet = try peer.i2(to: responder)
            try expect(responder.answer(packet, from: peer.ulid) != nil, "an R2")
            parameters += peer.parameters.count
            responder.pass(.milliseconds(1))
        }
        let all = Int(callocations_octets_in_use()) - Int(octets)
        let residentAll = Machine.resident - resident
        try expect(responder.contexts == Self.contexts, "all contexts")
        let each = (all - parameters) / Self.contexts
        print("\nMemory of \(Self.contexts) contexts, RSA 1024, 4 CGA locators each side")
        print("  octets in the heap, a context            \(all / Self.contexts)")
        print("  of these parameters of the peer          \(parameters / Self.contexts)")
        print("  the rest                                 \(each)   (limit \(Self.limit))")
        print("  octets in memory, a context              \(residentAll / Self.contexts)")
        holds = each <= Self.limit
    }
}

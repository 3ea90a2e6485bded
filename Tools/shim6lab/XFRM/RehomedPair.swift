import Lab
import Shim6Core
import Shim6Wire
import Steering

/// Two hosts with two uplinks each, and one context between the addresses of the first ones, set by hand.
final class RehomedPair {
    let laboratory: Laboratory
    let topology: Topology
    let a: RehomedHost
    let b: RehomedHost
    /// Of each uplink, by device.
    private(set) var addresses: [String: IPv6Address] = [:]

    init(_ laboratory: Laboratory, contexts: UInt32 = 16) throws {
        self.laboratory = laboratory
        let topology = try Topology(laboratory)
        self.topology = topology
        func host(_ name: String) throws -> RehomedHost {
            guard let namespace = topology.hosts[name] else { throw LabError("no host \(name)") }
            return try RehomedHost(namespace, uplinks: topology.uplinks(of: name), contexts: contexts)
        }
        a = try host("a")
        b = try host("b")
        for uplink in topology.uplinks { addresses[uplink.device] = try RehomedHost.address(uplink) }
        for (host, entry) in [(a, entry("a1", "b1")), (b, entry("b1", "a1"))] {
            try host.install(entry)
            try host.admit(entry.ulids)
        }
    }

    func address(_ device: String) -> IPv6Address { addresses[device] ?? IPv6Address(high: 0, low: 0) }

    /// The context with its payload on these uplinks; the first is of the host it is for.
    func entry(_ own: String, _ other: String) -> DataPathEntry {
        let isA = own.hasPrefix("a")
        let ulids = ULIDPair(local: address(isA ? "a1" : "b1"), peer: address(isA ? "b1" : "a1"))
        return DataPathEntry(
            localTag: ContextTag(truncating: isA ? 0xa : 0xb), peerTag: ContextTag(truncating: isA ? 0xb : 0xa),
            slot: 0,
            ulids: ulids, outgoing: LocatorPair(source: address(own), destination: address(other)), inbound: .deliver,
            form: .homeAddress)
    }

    /// Moves the payload of both directions.
    func move(_ own: String, _ other: String) throws {
        try a.install(entry(own, other))
        try b.install(entry(other, own))
    }
}

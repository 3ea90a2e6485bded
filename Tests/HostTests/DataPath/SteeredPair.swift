import BPFDataPath
import Lab
import Shim6Core
import Shim6Wire
import Steering

extension Topology {
    func inside(_ host: String) throws -> Namespace {
        guard let namespace = hosts[host] else { throw LabError("no host \(host)") }
        return namespace
    }
}

/// Two hosts, A and B, with one context between a1's and b1's address.
final class SteeredPair {
    static let tagA = ContextTag(truncating: 0x1234_5678_9abc)
    static let tagB = ContextTag(truncating: 0x7edc_ba98_7654)

    let laboratory: Laboratory
    let topology: Topology
    let a: SteeredHost
    let b: SteeredHost
    let a1, a2, b1, b2: IPv6Address

    init() throws {
        laboratory = try Laboratory()
        topology = try Topology(laboratory)
        for uplink in topology.uplinks {
            try topology.namespace(of: uplink).run(
                "ip", "addr", "add", "\(uplink.address(uplink.host))/64", "dev", uplink.device, "nodad")
        }
        a = try SteeredHost(topology.inside("a"), uplinks: topology.uplinks(of: "a"))
        b = try SteeredHost(topology.inside("b"), uplinks: topology.uplinks(of: "b"))
        a1 = try SteeredHost.address(topology.uplink("a1"))
        a2 = try SteeredHost.address(topology.uplink("a2"))
        b1 = try SteeredHost.address(topology.uplink("b1"))
        b2 = try SteeredHost.address(topology.uplink("b2"))
        try moveA(a1, b1)
        try moveB(b1, a1)
    }

    /// What A sends goes from this locator to that.
    func moveA(
        _ source: IPv6Address, _ destination: IPv6Address, form: PayloadForms = .payloadHeader
    ) throws {
        try a.move(
            DataPathEntry(
                localTag: Self.tagA, peerTag: Self.tagB, slot: 1, ulids: ULIDPair(local: a1, peer: b1),
                outgoing: LocatorPair(source: source, destination: destination), inbound: .deliver, form: form))
    }

    func moveB(
        _ source: IPv6Address, _ destination: IPv6Address, form: PayloadForms = .payloadHeader
    ) throws {
        try b.move(
            DataPathEntry(
                localTag: Self.tagB, peerTag: Self.tagA, slot: 1, ulids: ULIDPair(local: b1, peer: a1),
                outgoing: LocatorPair(source: source, destination: destination), inbound: .deliver, form: form))
    }

    /// The links of the ULIDs are dead, and both hosts have moved to the others.
    func rehome(form: PayloadForms = .payloadHeader) throws {
        try topology.cut(topology.uplink("a1"))
        try topology.cut(topology.uplink("b1"))
        try moveA(a2, b2, form: form)
        try moveB(b2, a2, form: form)
    }
}

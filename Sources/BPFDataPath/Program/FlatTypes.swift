import CDataPath
import Shim6Core
import Shim6Wire

extension shim6_address {
    init(_ address: IPv6Address) {
        self.init()
        withUnsafeMutableBytes(of: &octets) { octets in
            octets.storeBytes(of: address.high.bigEndian, as: UInt64.self)
            octets.storeBytes(of: address.low.bigEndian, toByteOffset: 8, as: UInt64.self)
        }
    }
}

extension IPv6Address {
    init(_ address: shim6_address) {
        let (high, low) = withUnsafeBytes(of: address.octets) { octets in
            (octets.loadUnaligned(as: UInt64.self), octets.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        }
        self.init(high: UInt64(bigEndian: high), low: UInt64(bigEndian: low))
    }
}

extension shim6_locator_pair {
    init(_ pair: LocatorPair) {
        self.init(source: shim6_address(pair.source), destination: shim6_address(pair.destination))
    }
}

extension LocatorPair {
    init(_ pair: shim6_locator_pair) {
        self.init(source: IPv6Address(pair.source), destination: IPv6Address(pair.destination))
    }
}

extension shim6_pair {
    init(_ ulids: ULIDPair) {
        self.init(local: shim6_address(ulids.local), peer: shim6_address(ulids.peer))
    }
}

extension DataPathEntry {
    /// Whether packets out get the payload header. Those of a forked context get it also on the ULID pair, since without
    /// it the peer would take them for the default context's, and neither host would see whether the fork works.
    /// It has no packets out but those of its flows.
    public var carriesHeader: Bool { peerTag != nil && (forkedInstance == 0 ? isRehomed : !flows.isEmpty) }
}

extension shim6_flow {
    init(_ flow: Flow) {
        self.init()
        local_port = (flow.sourcePort ?? 0).bigEndian
        peer_port = (flow.destinationPort ?? 0).bigEndian
        `protocol` = flow.protocolNumber
    }
}

extension shim6_context {
    init(_ entry: DataPathEntry) {
        self.init()
        ulids = shim6_pair(entry.ulids)
        source = shim6_address(entry.peerTag == nil ? entry.ulids.local : entry.outgoing.source)
        destination = shim6_address(entry.peerTag == nil ? entry.ulids.peer : entry.outgoing.destination)
        local_tag = entry.localTag.rawValue
        peer_tag = entry.peerTag?.rawValue ?? 0
        forked = entry.forkedInstance != 0
        home_address = entry.form == .homeAddress
        slot = entry.slot
        form =
            switch entry.form {
            case _ where !entry.carriesHeader: SHIM6_PLAIN.rawValue
            case .homeAddress: SHIM6_HOME_ADDRESS.rawValue
            default: SHIM6_PAYLOAD_HEADER.rawValue
            }
        mode =
            switch entry.inbound {
            case .deliver: SHIM6_DELIVER.rawValue
            case .deliverAndNotify: SHIM6_DELIVER_AND_NOTIFY.rawValue
            case .discard: SHIM6_DISCARD.rawValue
            }
    }
}

import CDatapath
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

extension shim6_pair {
    init(_ ulids: ULIDPair) {
        self.init(local: shim6_address(ulids.local), peer: shim6_address(ulids.peer))
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
        slot = entry.slot
        form = entry.form == .homeAddress ? SHIM6_HOME_ADDRESS.rawValue : SHIM6_PAYLOAD_HEADER.rawValue
        mode =
            switch entry.inbound {
            case .deliver: SHIM6_DELIVER.rawValue
            case .deliverAndNotify: SHIM6_DELIVER_AND_NOTIFY.rawValue
            case .discard: SHIM6_DISCARD.rawValue
            }
    }
}

import DataPath

extension DataPathNetwork {
    /// The network as the last look has found it. Interfaces that have gone are told once.
    init(_ uplinks: Uplinks) {
        self.init(
            uplinks: uplinks.uplinks.compactMap(Uplink.init), removed: uplinks.takeRemoved(),
            rulePriority: uplinks.steeringPriority)
    }
}

extension DataPathNetwork.Uplink {
    /// Nil while there is no such interface.
    fileprivate init?(_ uplink: Shim6Daemon.Uplink) {
        guard let link = uplink.link else { return nil }
        self.init(
            interface: link.index, name: link.name, mtu: link.mtu, gateway: uplink.gateway, isRunning: uplink.isRunning,
            addresses: Set(uplink.addresses.map(\.row.address)), locators: Set(uplink.locators.map(\.row.address)))
    }
}

import KernelRows
import Netlink

// What the kernel's tables say of the way out.
extension Uplink {
    /// Takes in the gateway and its state. `routes` are all that there are.
    mutating func readGateway(_ tables: KernelTables, _ routes: [Route]) {
        let interface = link?.index
        switch configuration.gateway {
        case .address(let gateway): self.gateway = gateway
        case .automatic:
            let candidates = routes.filter {
                $0.destination == nil && $0.interface == interface && $0.protocol != Mark.protocolNumber
                    && $0.type == Route.unicast
            }
            let isUp = link?.isUp == true
            hasLostDefaultRoute = isUp && candidates.isEmpty && (hasDefaultRoute || hasLostDefaultRoute)
            hasDefaultRoute = !candidates.isEmpty
            // While the interface is down its route is gone, but the router is most likely the same.
            let best = candidates.filter { $0.gateway != nil }.min { ($0.metric ?? 0) < ($1.metric ?? 0) }
            if best != nil || isUp { gateway = best?.gateway }
        }
        gatewayState = interface.flatMap { index in gateway.flatMap { tables.neighbour($0, on: index)?.state } }
        switch gatewayState {
        case .failed: isGatewayDead = true  // 5534-3.2-02, 5534-4.1-01
        // A search that goes on says nothing yet.
        case nil where gateway != nil, .incomplete, .some(.none): break
        case nil, .reachable, .stale, .delay, .probe, .withoutResolution, .permanent: isGatewayDead = false
        }
    }

    /// Whether nothing is known of the gateway, though it may be there.
    var shouldProbeGateway: Bool {
        switch gatewayState {
        case nil, .failed, .stale, .some(.none): isRunning
        case .incomplete, .reachable, .delay, .probe, .withoutResolution, .permanent: false
        }
    }
}

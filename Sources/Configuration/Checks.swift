import REAP
import Shim6Core
import Shim6Wire

extension Reader {
    /// What no key can see alone: refuses settings that contradict each other and returns the recommendations missed.
    mutating func check(_ configuration: Configuration) -> [Remark] {
        checkUplinks(configuration.uplinks)
        let identity = configuration.identity
        if (identity.privateKey == nil) != identity.parameters.isEmpty {
            let message = "private-key and parameters belong together: give both or neither"
            refuse(["identity", identity.privateKey == nil ? "parameters" : "private-key"], message)
        }
        if configuration.host.maxUpdateTimeout < configuration.host.updateTimeout {
            refuse(["protocol", "max-update-timeout"], "max-update-timeout must not be below update-timeout")
        }
        if configuration.limits.maxPeerKeyBits < configuration.limits.minPeerKeyBits {
            refuse(["limits", "max-peer-key-bits"], "max-peer-key-bits must not be below min-peer-key-bits")
        }
        let reap = configuration.host.reap
        if reap.maxProbeTimeout < reap.initialProbeTimeout {
            refuse(["reap", "max-probe-timeout"], "max-probe-timeout must not be below initial-probe-timeout")
        }
        return recommendations(for: configuration)
    }

    private mutating func checkUplinks(_ uplinks: [Configuration.Uplink]) {
        var interfaces: Set<String> = []
        var prefixes: Set<IPv6Prefix> = []
        for (index, uplink) in uplinks.enumerated() {
            let path = ["uplink", String(index)]
            if !interfaces.insert(uplink.interface).inserted {
                refuse(path + ["interface"], "interface \"\(uplink.interface)\" has an uplink already")
            }
            for (number, prefix) in uplink.prefixes.enumerated() where !prefixes.insert(prefix).inserted {
                refuse(path + ["prefixes", String(number)], "prefix \"\(prefix)\" is there already")
            }
        }
    }

    private func recommendations(for configuration: Configuration) -> [Remark] {
        var remarks: [Remark] = []
        func recommend(_ path: [String], _ message: String) {
            remarks.append(remark(path, message))
        }
        if configuration.uplinks.isEmpty { recommend([], "there is no [[uplink]]: no context can be made") }
        let sendTimeouts = REAPConfiguration.recommendedSendTimeouts
        func recommendSendTimeout(_ side: String, _ bound: Duration) {
            let message = "send-timeout is \(side) the \(bound.text) s that RFC 5534, section 7, recommends"
            recommend(["reap", "send-timeout"], message)
        }
        if let sendTimeout = configuration.reachability.sendTimeout {
            if sendTimeout < sendTimeouts.lowerBound {  // 5534-7-07
                recommendSendTimeout("below", sendTimeouts.lowerBound)
            }
            if sendTimeout > sendTimeouts.upperBound {  // 5534-7-08
                recommendSendTimeout("above", sendTimeouts.upperBound)
            }
        }
        let lifetime = HostConfiguration().validatorMinLifetime
        if configuration.host.validatorMinLifetime < lifetime {
            let message = "validator-min-lifetime is below the \(lifetime.text) s of RFC 5533, section 14"
            recommend(["protocol", "validator-min-lifetime"], message)
        }
        if configuration.identity.securityParameter > 1 {
            recommend(["identity", "sec"], "sec above 1 makes the search for an address take minutes or even hours")
        }
        if !configuration.peers.verify {
            recommend(["peers", "verify"], "verify = false: peers are not verified, anybody can redirect sessions")
        }
        let console = configuration.console
        if console.enabled, console.listen.address != IPv6Address(high: 0, low: 1) {
            recommend(["console", "listen"], "the console has no authentication and listens beyond [::1]")
        }
        return remarks
    }
}

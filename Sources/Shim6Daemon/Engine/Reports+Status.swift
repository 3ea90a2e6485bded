import DataPath
import Glibc
import KernelRows
import Netlink
import REAP
import Shim6Control
import Shim6Core
import Shim6Wire

extension Reports {
    var statusReport: StatusReport {
        let counts = host.counters
        let byState = host.contextsByState.filter { $0.value > 0 }
        let traits = dataPath.traits
        let report = dataPath.report
        return StatusReport(
            version: Version.text, processId: getpid(), started: Moment(started), now: Moment(.monotonicNow),
            dataPath: DataPathStatus(
                driver: traits.name,
                state: traits.obstacle == nil && report.shortcoming == nil ? .running : .degraded,
                detail: traits.obstacle ?? report.shortcoming),
            uplinks: uplinks.uplinks.map(status),
            contexts: Dictionary(uniqueKeysWithValues: byState.map { ($0.key.rawValue, $0.value) }),
            counters: counterReport(counts, report.done),
            drops: dropReport(counts, report.dropped),
            tables: counts.tables.map(TableUsage.init) + [
                TableUsage(
                    name: "failovers", used: timeline.used, limit: configuration.limits.maxFailovers,
                    overflows: timeline.forgotten, whenFull: "the oldest goes"),
                TableUsage(
                    name: "advertised-prefixes", used: uplinks.advertised.count,
                    limit: AdvertisedPrefixes.limit * uplinks.uplinks.count, overflows: uplinks.advertised.refused,
                    whenFull: "no new ones until some end"),
            ] + report.tables.map(TableUsage.init),
            warnings: warnings + [uplinks.obstacle].compactMap { $0 } + unprotected)
    }

    /// The uplinks whose new sessions are not protected.
    private var unprotected: [String] {
        guard dataPath.traits.obstacle == nil else { return [] }
        return uplinks.uplinks.compactMap { uplink in
            guard let sessions = newSessions(over: uplink), !sessions.protected else { return nil }
            return "\(uplink.configuration.interface): \(sessions.text)"
        }
    }

    private func status(_ uplink: Uplink) -> UplinkStatus {
        UplinkStatus(
            interface: uplink.configuration.interface, index: uplink.link.map { Int($0.index) },
            up: uplink.link?.isUp ?? false, carrier: uplink.link?.hasCarrier ?? false,
            mtu: uplink.link.map { Int($0.mtu) }, gateway: uplink.gateway,
            gatewayState: uplink.gatewayState?.name,
            locators: uplink.locators.map(\.row.address), newSessions: newSessions(over: uplink))
    }

    private func counterReport(_ counts: HostCounters, _ done: [String: UInt64]) -> [String: UInt64] {
        var report = counts.byName.merging(counters.byName) { $1 }
        report["rows_restored"] = rows.restored
        for (name, count) in done { report["data_path_\(name)"] = count }
        return report
    }

    private func dropReport(_ counts: HostCounters, _ dropped: [String: UInt64]) -> [String: UInt64] {
        var report = counts.dropsByName.merging(counters.dropsByName) { $1 }
        for (name, count) in dropped where count > 0 { report["data_path_\(name)"] = count }
        return report
    }
}

extension TableUsage {
    fileprivate init(_ table: HostCounters.NamedTable) {
        self.init(
            name: table.name, used: table.use.used, limit: table.use.limit, overflows: table.use.evictions,
            whenFull: table.whenFull)
    }

    fileprivate init(_ table: DataPathReport.Table) {
        self.init(
            name: table.name, used: table.used, limit: table.limit, overflows: table.overflows, whenFull: table.whenFull
        )
    }
}

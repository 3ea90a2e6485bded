import Logging
import Shim6Control
import Shim6Wire

/// An event as a line of the log.
enum EventLine {
    static func log(_ record: EventRecord, to log: Logger) {
        log.log(level: level(of: record.kind), "\(record.kind.rawValue)", metadata: metadata(of: record))
    }

    private static func level(of kind: EventRecord.Kind) -> Logger.Level {
        switch kind {
        case .daemon, .uplink, .switched, .switchRefused, .damped, .confused, .lost: .notice
        case .state, .reachability, .peerLocators, .locatorsAnnounced, .locatorsAcknowledged: .info
        case .probeSent, .probeReceived, .keepaliveSent, .firstPayload: .debug
        }
    }

    private static func metadata(of record: EventRecord) -> Logger.Metadata {
        var metadata: Logger.Metadata = [:]
        func add(_ name: String, _ value: (some CustomStringConvertible)?) {
            if let value { metadata[name] = "\(value)" }
        }
        add("tag", record.tag)
        add("ulids", record.ulids.map { "\($0.local) \($0.peer)" })
        add("from", record.fromState ?? record.from.map(text))
        add("to", record.toState ?? record.to.map(text))
        add("pair", record.pair.map(text))
        add("direction", record.direction)
        add("reason", record.reason)
        add("locators", record.locators.map { $0.map(\.description).joined(separator: " ") })
        add("withdrawn", record.withdrawn.map { $0.map(\.description).joined(separator: " ") })
        add("reports", record.reports)
        add("interface", record.interface)
        add("detail", record.detail)
        return metadata
    }

    private static func text(_ pair: LocatorPair) -> String { "\(pair.source) > \(pair.destination)" }
}

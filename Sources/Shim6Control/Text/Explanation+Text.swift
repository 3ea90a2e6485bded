import REAP
import Shim6Wire

extension Explanation {
    func text(style: TextStyle) -> String {
        let pair = outgoing.map(\.text) ?? "no pair"
        var text = style.heading("context \(tag): \(pair), \(reason.text)") + "\n"
        if let reachability { text += "  reachability \(reachability)" }
        text += roundTrip.map { ", round trip \(milliseconds($0)) s\n" } ?? "\n"
        if let obstacle { text += "  \(obstacle)\n" }
        var table = TextTable("PAIR", "USE", "PEER'S", "CONFIRMED", "ARRIVED")
        for pair in pairs {
            table.add(
                LocatorPair(source: pair.source, destination: pair.destination).text, pair.inUse ? "yes" : "-",
                pair.verified ? pair.method ?? "ULID" : "unverified", pair.confirmedAgo.map(Self.ago) ?? "never",
                pair.arrivedAgo.map(Self.ago) ?? "never")
        }
        text += table.text(style: style, indent: 2)
        for timer in timers { text += "  timer \(timer.name): \(milliseconds(timer.secondsLeft)) s left\n" }
        return text
    }

    private static func ago(_ seconds: Double) -> String { "\(milliseconds(seconds)) s ago" }
}

extension Explanation.Reason {
    fileprivate var text: String {
        switch self {
        case .ulids: "since nothing has moved it"
        case .exploration: "found when another pair failed"
        case .failback: "to which payload returned when it worked again"
        case .asked: "as an operator asked"
        }
    }
}

extension SettingsReport {
    private var least: Int64 { REAPConfiguration.recommendedSendTimeouts.lowerBound.components.seconds }

    var text: String {
        "send-timeout \(milliseconds(sendTimeout)) s\n"
            + (sendTimeout < Double(least) ? "  below the \(least) s that RFC 5534, section 7, recommends\n" : "")
            + ranking.enumerated().map { "rank \($0.offset + 1): \($0.element.text)\n" }.joined()
    }
}

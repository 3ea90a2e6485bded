import Shim6Wire

extension Explanation {
    func text(style: TextStyle) -> String {
        let pair = outgoing.map(\.text) ?? "no pair"
        var text = style.heading("context \(tag): \(pair), \(Self.why[reason] ?? reason)") + "\n"
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

    private static let why = [
        "ulids": "since nothing has moved it", "exploration": "found when another pair failed",
        "failback": "to which payload returned when it worked again", "asked": "as an operator asked",
    ]

    private static func ago(_ seconds: Double) -> String { "\(milliseconds(seconds)) s ago" }
}

extension SettingsReport {
    var text: String {
        "send-timeout \(milliseconds(sendTimeout)) s\n"
            + (sendTimeout < 10 ? "  below the 10 s that RFC 5534, section 7, recommends\n" : "")
            + ranking.enumerated().map { "rank \($0.offset + 1): \($0.element.text)\n" }.joined()
    }
}

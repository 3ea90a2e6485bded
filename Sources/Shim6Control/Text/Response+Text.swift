import Shim6Wire

extension Response {
    /// The response for people, with a newline at its end.
    public func text(style: TextStyle) -> String {
        switch self {
        case .status(let report): report.text(style: style)
        case .contexts(let list): list.text(style: style)
        case .context(let detail): detail.text(style: style)
        case .established(let establishment): establishment.text(style: style)
        case .removed(let removal):
            removal.tags.isEmpty ? "no context\n" : removal.tags.map { "removed \($0)\n" }.joined()
        case .locators(let report): report.text(style: style)
        case .identity(let report): report.text(style: style)
        case .events(let list): list.events.map { $0.text + "\n" }.joined()
        case .timeline(let report): report.text(style: style)
        case .explanation(let report): report.text(style: style)
        case .switched(let report): "context \(report.tag) uses \(report.to.text), no longer \(report.from.text)\n"
        case .settings(let report): report.text
        }
    }
}

extension ContextList {
    func text(style: TextStyle) -> String {
        guard !contexts.isEmpty else { return "no context\n" }
        var table = TextTable("TAG", "STATE", "REAP", "LOCAL ULID", "PEER ULID", "OUT", "IN")
        for context in contexts {
            table.add(
                context.tag.description, context.state, context.reachability ?? "-", context.ulids.local.description,
                context.ulids.peer.description, Self.locators(context.outgoing, rehomed: context.rehomed.outgoing),
                Self.locators(context.lastIncoming, rehomed: context.rehomed.incoming))
        }
        return table.text(style: style)
    }

    private static func locators(_ pair: LocatorPair?, rehomed: Bool) -> String {
        guard let pair else { return "-" }
        return rehomed ? pair.text : "ULIDs"
    }
}

extension Establishment {
    func text(style: TextStyle) -> String {
        "\(created ? "made" : "existing") context \(context.tag), \(context.state)\n"
    }
}

extension LocatorReport {
    func text(style: TextStyle) -> String {
        guard !locators.isEmpty else { return "no locator\n" }
        var table = TextTable("LOCATOR", "INTERFACE", "METHOD", "SEC", "STATE", "ULID OF", "SOURCE OF")
        for locator in locators {
            table.add(
                "\(locator.address)/\(locator.prefixLength)", locator.interface, locator.method ?? "-",
                locator.securityParameter.map { String($0) } ?? "-", locator.state.rawValue, String(locator.ulidOf),
                String(locator.sourceOf))
        }
        return ([table.text(style: style)] + [notes.joined()]).filter { !$0.isEmpty }.joined(separator: "\n")
    }

    private var notes: [String] {
        var notes: [String] = []
        for interface in locators.map(\.interface).inOrder {
            let here = locators.filter { $0.interface == interface && $0.newSessions != nil }
            guard !here.isEmpty else { continue }
            let taken = here.first { $0.newSessions == true }
            let words = [taken?.address.description ?? "none of these", taken?.standing?.rawValue].compactMap(\.self)
            notes.append("\(interface): new sessions take \(words.joined(separator: ", "))\n")
        }
        func list(_ title: String, where isMeant: (LocatorStatus) -> Bool) {
            let meant = locators.filter(isMeant).map(\.address.description)
            if !meant.isEmpty { notes.append("\(title): \(meant.joined(separator: ", "))\n") }
        }
        list("never protected") { $0.state == .unverifiable || $0.state == .shared }
        list("for the DNS", where: \.dns)
        return notes
    }
}

extension [String] {
    /// Each once, where it stands first.
    fileprivate var inOrder: [String] { enumerated().filter { firstIndex(of: $0.element) == $0.offset }.map(\.element) }
}

extension LocatorPair {
    var text: String { "\(source) -> \(destination)" }
}

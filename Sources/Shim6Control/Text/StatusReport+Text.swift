extension StatusReport {
    func text(style: TextStyle) -> String {
        let states = contexts.filter { $0.value > 0 }.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        var sections = [
            """
            shim6d \(version), process \(processId), up \(span(now.seconds(since: started)))
            data path  \(dataPath.driver), \(dataPath.state.rawValue)\(dataPath.detail.map { " (\($0))" } ?? "")
            contexts   \(states.isEmpty ? "none" : states.joined(separator: ", "))

            """
        ]
        if !warnings.isEmpty { sections.append(warnings.map { "warning: \($0)\n" }.joined()) }
        sections.append(uplinkTable.text(style: style))
        sections.append(
            uplinks.map { uplink in uplink.newSessions.map { "\(uplink.interface): \($0.text)\n" } ?? "" }.joined())
        sections.append(tableTable.text(style: style))
        sections.append(StatusReport.counts("DROPPED", drops, style))
        sections.append(StatusReport.counts("COUNTER", counters, style))
        return sections.filter { !$0.isEmpty }.joined(separator: "\n")
    }

    private var uplinkTable: TextTable {
        var table = TextTable("UPLINK", "LINK", "GATEWAY", "LOCATORS")
        for uplink in uplinks {
            let link =
                uplink.index == nil ? "missing" : !uplink.up ? "down" : uplink.carrier ? "up" : "no carrier"
            let gateway = [uplink.gateway?.description, uplink.gatewayState].compactMap(\.self)
            table.add(
                uplink.interface, link, gateway.isEmpty ? "-" : gateway.joined(separator: " "),
                uplink.locators.isEmpty ? "-" : uplink.locators.map(\.description).joined(separator: " "))
        }
        return table
    }

    private var tableTable: TextTable {
        var table = TextTable("TABLE", "USED", "LIMIT", "OVERFLOWS", "WHEN FULL")
        for usage in tables {
            table.add(
                usage.name, usage.used.map(String.init) ?? "-", String(usage.limit),
                usage.overflows.map(String.init) ?? "-", usage.whenFull)
        }
        return table
    }

    /// What was never counted is left out: JSON has it.
    private static func counts(_ heading: String, _ counts: [String: UInt64], _ style: TextStyle) -> String {
        var table = TextTable(heading, "COUNT")
        for (name, count) in counts.sorted(by: { $0.key < $1.key }) where count > 0 { table.add(name, String(count)) }
        return table.text(style: style)
    }
}

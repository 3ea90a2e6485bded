import DataPath

extension BPFDataPath {
    public var report: DataPathReport {
        let counters = (try? program.counters()) ?? [:]
        func named(_ counters: [KernelProgramCounter: UInt64]) -> [String: UInt64] {
            Dictionary(counters.map { ($0.key.name, $0.value) }, uniquingKeysWith: +)
        }
        var done = named(counters.filter { !$0.key.isDrop })
        done["translated_errors"] = errors.translated
        done["foreign_errors"] = errors.foreign
        done["resumed"] = resumed
        done["renewed"] = restorations.count
        return DataPathReport(
            shortcoming: isEverywhere ? restorations.shortcoming : "not attached to every uplink",
            tables: tables(lost: counters[.lostReports]), done: done, dropped: named(counters.filter(\.key.isDrop)))
    }

    private func tables(lost: UInt64?) -> [DataPathReport.Table] {
        let (sizes, refused) = (program.sizes, program.refused)
        let (contexts, flows) = steering.installed
        /// A table that the program fills by itself, of which nobody knows how full it is.
        func leastRecentlyUsed(_ name: String, _ limit: Int) -> DataPathReport.Table {
            DataPathReport.Table(
                name: name, used: nil, limit: limit, overflows: nil, whenFull: "the one unused for longest goes")
        }
        return [
            DataPathReport.Table(
                name: "data-path-contexts", used: contexts, limit: Int(sizes.contexts), overflows: refused.contexts,
                whenFull: "no new ones until some are idle"),
            DataPathReport.Table(
                name: "data-path-flows", used: flows, limit: KernelProgram.mostFlows, overflows: refused.flows,
                whenFull: "flows stay with the default context"),
            DataPathReport.Table(
                name: "data-path-locators", used: program.locators.count, limit: Int(sizes.locators),
                overflows: refused.locators, whenFull: "no new ones until some are gone"),
            DataPathReport.Table(
                name: "data-path-peer-locators", used: program.peerLocatorCount, limit: Int(sizes.peerLocators),
                overflows: refused.peerLocators, whenFull: "treated like those of strangers"),
            DataPathReport.Table(
                name: "path-mtus", used: steering.pathMTUs.count, limit: PathMTUs.most,
                overflows: steering.pathMTUs.refused, whenFull: "no new ones for ten minutes"),
            DataPathReport.Table(
                name: "sent-again", used: sentAgain.count, limit: Self.mostSentAgain, overflows: nil,
                whenFull: "all are forgotten"),
            leastRecentlyUsed("next-hops", KernelProgram.mostNextHops),
            leastRecentlyUsed("watched-sessions", Int(sizes.candidates)),
            leastRecentlyUsed("rate-limits", Int(sizes.limiters)),
            leastRecentlyUsed("kept-packets", Int(sizes.keptPackets)),
            DataPathReport.Table(
                name: "event-octets", used: nil, limit: Int(sizes.ring), overflows: lost,
                whenFull: "reports are lost"),
            DataPathReport.Table(
                name: "unread-messages", used: nil, limit: KernelProgram.mostUnread, overflows: nil,
                whenFull: "dropped until the others are read"),
        ]
    }
}

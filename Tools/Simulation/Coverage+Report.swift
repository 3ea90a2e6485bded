import REAP
import Shim6Core

extension Coverage {
    /// The cells that no run has visited although they can be reached.
    public var missing: [String] {
        let machine = REAPState.allCases.flatMap { state in
            Happening.allCases.filter { canOccur($0, in: state) }
                .filter { self.reachability[ReachabilityCell(state: state, happening: $0)] == nil }
                .map { "\($0.rawValue) in \(state.rawValue)" }
        }
        let context = Self.states.flatMap { state in
            Occasion.allCases.filter { canOccur($0, in: state) }
                .filter { self.contexts[ContextCell(state: state, occasion: $0)] == nil }
                .map { "\($0.rawValue) in \(state?.rawValue ?? "IDLE")" }
        }
        return machine + context
    }

    /// Both tables as text: visits, `.` for none, `-` for a cell that cannot be reached.
    public var report: String {
        let machine = table(
            REAPState.allCases.map(\.rawValue), Happening.allCases.map(\.rawValue)
        ) { column, row in
            let cell = ReachabilityCell(state: REAPState.allCases[column], happening: Happening.allCases[row])
            return (self.reachability[cell], canOccur(cell.happening, in: cell.state))
        }
        let context = table(
            Self.states.map { $0?.rawValue ?? "IDLE" }, Occasion.allCases.map(\.rawValue)
        ) { column, row in
            let cell = ContextCell(state: Self.states[column], occasion: Occasion.allCases[row])
            return (self.contexts[cell], canOccur(cell.occasion, in: cell.state))
        }
        return machine + "\n\n" + context + "\n"
    }

    private static let states: [ContextState?] = [
        nil, .i1Sent, .i2Sent, .established, .i2bisSent, .eFailed, .noSupport,
    ]

    private func canOccur(_ happening: Happening, in state: REAPState) -> Bool {
        switch (happening, state) {
        // Timers run only in the states that have them (RFC 5534, section 6).
        case (.sendTimer, .exploring), (.keepaliveInterval, .exploring), (.keepaliveInterval, .inboundOk),
            (.keepaliveTimer, .exploring), (.keepaliveTimer, .inboundOk), (.probeTimer, .operational):
            false
        default: true
        }
    }

    private func canOccur(_ occasion: Occasion, in state: ContextState?) -> Bool {
        switch (occasion, state) {
        // There is nothing to remove, to be idle, or to be timed.
        case (.remove, nil), (.idle, nil), (.timer, nil): false
        // Only established contexts are watched.
        case (.idle, .i1Sent), (.idle, .i2Sent), (.idle, .i2bisSent), (.idle, .eFailed), (.idle, .noSupport): false
        // An R1bis is for who knows the peer's tag.
        case (.r1bis, .i1Sent), (.r1bis, .i2Sent), (.r1bis, .eFailed), (.r1bis, .noSupport): false
        // The data path has no entry in holddown: there is no context for it.
        case (.taggedPayload, .eFailed), (.taggedPayload, .noSupport): false
        default: true
        }
    }

    private func table(
        _ columns: [String], _ rows: [String], _ cell: (_ column: Int, _ row: Int) -> (visits: Int?, reachable: Bool)
    ) -> String {
        let width = (rows.map(\.count).max() ?? 0) + 2
        func padded(_ text: String, _ width: Int) -> String {
            text + String(repeating: " ", count: max(width - text.count, 0))
        }
        var lines = [padded("", width) + columns.map { padded($0, 13) }.joined()]
        for (row, name) in rows.enumerated() {
            let cells = columns.indices.map { column in
                let (visits, reachable) = cell(column, row)
                return padded(visits.map(String.init) ?? (reachable ? "." : "-"), 13)
            }
            lines.append(padded(name, width) + cells.joined())
        }
        return lines.joined(separator: "\n")
    }
}

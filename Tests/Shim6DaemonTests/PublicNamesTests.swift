import BPFDataPath
import Foundation
import Shim6Core
import Shim6Wire
import Testing

@testable import Shim6Daemon

/// What programs read stays as it is, whatever the members of the code are called; `docs/counters.md` has all of it.
@Suite struct PublicNamesTests {
    @Test func `The daemon's own counters have these names, and each has one`() {
        let counters = EngineCounters()
        #expect(
            counters.byName.keys.sorted() == [
                "address_questions", "data_path_errors", "local_icmp_errors", "longest_pass_us", "network_refreshes",
                "network_resyncs", "receive_errors", "send_errors",
            ])
        #expect(counters.dropsByName.isEmpty)
        counters.truncated = 1
        counters.keptFromLeaving = 1
        #expect(counters.dropsByName.keys.sorted() == ["full_tunnel", "too_long"])
        #expect(
            Mirror(reflecting: counters).children.count == counters.byName.count + counters.dropsByName.count)
    }

    @Test func `The daemon ends with one of these exit codes when it cannot start`() {
        #expect(StartFailure.Reason.allCases.map(\.rawValue) == [69, 71, 73, 74, 75, 77, 78])
    }

    // MARK: docs/counters.md

    /// The names in the first column of each table under a heading.
    private static func documented(_ heading: String) throws -> Set<String> {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs/counters.md")
        let sections = try String(contentsOf: file, encoding: .utf8).components(separatedBy: "\n## ")
        let section = try #require(sections.first { $0.hasPrefix(heading + "\n") })
        let rows = section.split(separator: "\n").filter { $0.hasPrefix("| `") }
        return Set(rows.map { String($0.dropFirst(3).prefix { $0 != "`" }) })
    }

    @Test func `The page on counters has every counter and no other`() throws {
        var names = Set(HostCounters().byName.keys).union(EngineCounters().byName.keys)
        names.formUnion(["rows_restored", "in_TYPE", "out_TYPE", "in_error_code_CODE"])
        names.formUnion(KernelProgramCounter.allCases.filter { !$0.isDrop }.map { "data_path_\($0.name)" })
        // Those that only one of the data paths has.
        names.formUnion(
            ["translated_errors", "foreign_errors", "resumed", "unwatched", "renewed", "lost_events"].map {
                "data_path_\($0)"
            })
        #expect(try Self.documented("Counters") == names)
    }

    @Test func `The page on counters has every drop and no other`() throws {
        var names = Set(DropReason.allCases.map(\.name)).union(["too_long", "full_tunnel", "data_path_xfrm_NAME"])
        names.formUnion(KernelProgramCounter.allCases.filter(\.isDrop).map { "data_path_\($0.name)" })
        #expect(try Self.documented("Drops") == names)
    }

    @Test func `The page on counters has every table of the daemon and no other`() throws {
        let names = HostCounters().tables.map(\.name) + ["failovers", "advertised-prefixes"]
        #expect(try Self.documented("Tables") == Set(names))
    }
}

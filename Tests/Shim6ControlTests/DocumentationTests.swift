import ControlFixtures
import Foundation
import Shim6Control
import Testing

/// `docs/control-protocol.md` against the code.
@Suite struct DocumentationTests {
    private static let responses: [Response] = [
        .status(Fixtures.status), .contexts(ContextList(contexts: [Fixtures.negotiating, Fixtures.established])),
        .context(Fixtures.detail), .established(Establishment(context: Fixtures.negotiating, created: true)),
        .removed(Removal(tags: [Fixtures.otherTag, Fixtures.tag])), .locators(Fixtures.locators),
        .identity(Fixtures.identity), .events(EventList(events: [Fixtures.switched])),
        .timeline(TimelineReport(failovers: [Fixtures.failover])), .explanation(Fixtures.explanation),
        .switched(Fixtures.switch), .settings(Fixtures.settings),
    ]

    private static func text() throws -> String {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return try String(contentsOf: root.appending(path: "docs/control-protocol.md"), encoding: .utf8)
    }

    private static func examples(of kind: String) throws -> [String] {
        try text().components(separatedBy: "```json \(kind)\n").dropFirst().compactMap {
            $0.components(separatedBy: "\n```").first
        }
    }

    @Test func `The examples of requests are requests`() throws {
        let examples = try Self.examples(of: "request")
        #expect(examples.count == 6)
        for example in examples { #expect(throws: Never.self) { try Request(line: example.utf8) } }
    }

    @Test func `The examples of replies are what the code sends, one for each kind`() throws {
        let examples = try Self.examples(of: "reply").map { try ControlLine.decode(Reply.self, from: $0.utf8) }
        for response in Self.responses {
            #expect(examples.contains { $0.outcome == .success(response) }, "\(response)")
        }
        #expect(examples.contains { $0.outcome == .failure(CommandError(.unknownTag, "")) })
        #expect(examples.count == Self.responses.count + 1)
    }

    @Test func `The example of an event line is one`() throws {
        let example = try #require(try Self.examples(of: "event").first)
        #expect(try ControlLine.decode(EventLine.self, from: example.utf8).event == Fixtures.switched)
    }

    @Test func `Every member, command, error code and kind of event is described`() throws {
        let prose = try Self.text().components(separatedBy: "```").enumerated().filter { $0.offset % 2 == 0 }
            .map(\.element).joined()
        var names = Set(CommandError.Code.allCases.map(\.rawValue) + EventRecord.Kind.allCases.map(\.rawValue))
        for response in Self.responses {
            let reply = try JSONSerialization.jsonObject(
                with: Data(ControlLine.encode(Reply(id: 1, outcome: .success(response)))))
            names.formUnion(Self.members(of: reply))
        }
        for (command, _) in ProtocolTests.requests { names.insert(command.name) }
        let missing = names.filter { !prose.contains("`\($0)`") }.sorted()
        #expect(missing.isEmpty)
    }

    /// The names of all members but those of objects whose members are data: counters by name, for example.
    private static func members(of value: Any) -> Set<String> {
        if let list = value as? [Any] { return list.reduce(into: []) { $0.formUnion(members(of: $1)) } }
        guard let object = value as? [String: Any] else { return [] }
        return object.reduce(into: []) { names, member in
            names.insert(member.key)
            if !["counters", "drops"].contains(member.key), !(member.value is [String: Int]) {
                names.formUnion(members(of: member.value))
            }
        }
    }
}

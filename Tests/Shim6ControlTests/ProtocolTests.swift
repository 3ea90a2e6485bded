import ControlFixtures
import Shim6Control
import Shim6Wire
import Testing

/// The lines of version 1: an old client and a new daemon have to agree on them.
@Suite struct ProtocolTests {
    static let requests: [(Command, String)] = [
        (.status, #"{"command":"status","id":7,"version":1}"#),
        (.contexts, #"{"command":"contexts","id":7,"version":1}"#),
        (.context(Fixtures.otherTag), #"{"arguments":{"tag":"00000000002a"},"command":"context","id":7,"version":1}"#),
        (
            .establish(Fixtures.ulids),
            #"{"arguments":{"local":"2001:db8:a1::1","peer":"2001:db8:b1::1"},"command":"establish","id":7,"version":1}"#
        ),
        (
            .fork(Fixtures.otherTag, [FlowSelector(protocolNumber: 6, destinationPort: 80)]),
            #"{"arguments":{"flows":[{"destination_port":80,"protocol":6}],"tag":"00000000002a"},"command":"fork","id":7,"version":1}"#
        ),
        (
            .remove(.one(Fixtures.otherTag)),
            #"{"arguments":{"tag":"00000000002a"},"command":"remove","id":7,"version":1}"#
        ),
        (.remove(.all), #"{"arguments":{"tag":"*"},"command":"remove","id":7,"version":1}"#),
        (.locators, #"{"command":"locators","id":7,"version":1}"#),
        (.identity(.show), #"{"arguments":{"action":"show"},"command":"identity","id":7,"version":1}"#),
        (.identity(.rotate), #"{"arguments":{"action":"rotate"},"command":"identity","id":7,"version":1}"#),
        (.events(follow: true), #"{"arguments":{"follow":true},"command":"events","id":7,"version":1}"#),
        (.events(follow: false), #"{"arguments":{"follow":false},"command":"events","id":7,"version":1}"#),
        (.timeline(nil), #"{"command":"timeline","id":7,"version":1}"#),
        (
            .timeline(Fixtures.otherTag),
            #"{"arguments":{"tag":"00000000002a"},"command":"timeline","id":7,"version":1}"#
        ),
        (.explain(Fixtures.otherTag), #"{"arguments":{"tag":"00000000002a"},"command":"explain","id":7,"version":1}"#),
        (.explore(Fixtures.otherTag), #"{"arguments":{"tag":"00000000002a"},"command":"explore","id":7,"version":1}"#),
        (
            .switchTo(Fixtures.otherTag, Fixtures.switch.to),
            #"{"arguments":{"local":"2001:db8:a2::1","peer":"2001:db8:b2::1","tag":"00000000002a"},"#
                + #""command":"switch","id":7,"version":1}"#
        ),
        (.setSendTimeout(0.25), #"{"arguments":{"send-timeout":0.25},"command":"set","id":7,"version":1}"#),
        (
            .rank([Fixtures.switch.to]),
            #"{"arguments":{"pairs":[{"destination":"2001:db8:b2::1","source":"2001:db8:a2::1"}]},"#
                + #""command":"rank","id":7,"version":1}"#
        ),
    ]

    @Test(arguments: requests)
    func `A request has one form and is read back from it`(command: Command, line: String) throws {
        let request = Request(id: 7, command: command)
        #expect(String(decoding: try ControlLine.encode(request), as: UTF8.self) == line)
        #expect(try Request(line: line.utf8) == request)
    }

    @Test(arguments: [
        (#"{"command":"events","id":1,"version":1}"#, Command.events(follow: false)),
        (#"{"command":"context","id":1,"version":1,"arguments":{"tag":"2A"},"more":0}"#, .context(Fixtures.otherTag)),
    ])
    func `Members may be left out or added where that is harmless`(line: String, command: Command) throws {
        #expect(try Request(line: line.utf8).command == command)
    }

    @Test(arguments: [
        ("", nil, CommandError.Code.badRequest), ("[]", nil, .badRequest), ("{\"id\":", nil, .badRequest),
        (#"{"id":3}"#, 3, .unsupportedVersion),
        (#"{"version":2,"id":3,"command":"status"}"#, 3, .unsupportedVersion),
        (#"{"version":1,"command":"status"}"#, nil, .badRequest),
        (#"{"version":1,"id":-1,"command":"status"}"#, nil, .badRequest),
        (#"{"version":1,"id":3}"#, 3, .badRequest),
        (#"{"version":1,"id":3,"command":"reboot"}"#, 3, .unknownCommand),
        (#"{"version":1,"id":3,"command":"context"}"#, 3, .badRequest),
        (#"{"version":1,"id":3,"command":"context","arguments":{"tag":"g"}}"#, 3, .badRequest),
        (#"{"version":1,"id":3,"command":"context","arguments":{"tag":"800000000000"}}"#, 3, .badRequest),
        (#"{"version":1,"id":3,"command":"establish","arguments":{"local":"::1","peer":"1.2.3.4"}}"#, 3, .badRequest),
        (#"{"version":1,"id":3,"command":"remove","arguments":{}}"#, 3, .badRequest),
        (#"{"version":1,"id":3,"command":"remove","arguments":{"tag":"**"}}"#, 3, .badRequest),
        (#"{"version":1,"id":3,"command":"events","arguments":{"follow":"yes"}}"#, 3, .badRequest),
    ])
    func `A request that makes no sense is refused by code`(line: String, id: UInt64?, code: CommandError.Code) {
        let error = #expect(throws: RequestError.self) { try Request(line: line.utf8) }
        #expect(error?.id == id)
        #expect(error?.error.code == code)
        #expect(error?.error.message.contains("\n") == false)
    }

    @Test func `A request that lacks a member says which`() {
        let error = #expect(throws: RequestError.self) {
            try Request(line: #"{"version":1,"id":3,"command":"establish","arguments":{"local":"::1"}}"#.utf8)
        }
        #expect(error?.error.message == #""peer" is missing"#)
    }

    @Test func `A reply has one form`() throws {
        let removal = Reply(id: 7, outcome: .success(.removed(Removal(tags: [Fixtures.otherTag]))))
        let failure = Reply(id: nil, outcome: .failure(CommandError(.badRequest, "not a request in JSON")))
        #expect(
            try text(removal) == #"{"id":7,"kind":"removed","ok":true,"result":{"tags":["00000000002a"]},"version":1}"#)
        #expect(
            try text(failure)
                == #"{"error":{"code":"bad-request","message":"not a request in JSON"},"ok":false,"version":1}"#)
    }

    @Test func `An event line has one form`() throws {
        let line =
            #"{"event":{"at":{"monotonic_ns":1061021000000,"time":"2026-11-21T08:01:01.021000Z"},"#
            + #""from":{"destination":"2001:db8:b1::1","source":"2001:db8:a1::1"},"kind":"switched","#
            + #""tag":"4a3b2c1d0e0f","to":{"destination":"2001:db8:b2::1","source":"2001:db8:a2::1"},"#
            + #""ulids":{"local":"2001:db8:a1::1","peer":"2001:db8:b1::1"}},"version":1}"#
        #expect(try text(EventLine(event: Fixtures.switched)) == line)
        #expect(try ControlLine.decode(EventLine.self, from: line.utf8).event == Fixtures.switched)
    }

    @Test func `A context summary has one form`() throws {
        let line =
            #"{"last_incoming":{"destination":"2001:db8:a1::1","source":"2001:db8:b1::1"},"#
            + #""outgoing":{"destination":"2001:db8:b2::1","source":"2001:db8:a2::1"},"reachability":"operational","#
            + #""rehomed":{"incoming":false,"outgoing":true},"state":"ESTABLISHED","tag":"4a3b2c1d0e0f","#
            + #""ulids":{"local":"2001:db8:a1::1","peer":"2001:db8:b1::1"}}"#
        #expect(try text(Fixtures.established) == line)
    }

    @Test(arguments: [
        Response.status(Fixtures.status),
        .contexts(ContextList(contexts: [Fixtures.established, Fixtures.negotiating])),
        .context(Fixtures.detail), .established(Establishment(context: Fixtures.negotiating, created: false)),
        .removed(Removal(tags: [])), .locators(Fixtures.locators), .identity(Fixtures.identity),
        .events(EventList(events: [Fixtures.switched])),
        .timeline(TimelineReport(failovers: [Fixtures.failover])),
    ])
    func `Every response survives the way over the socket`(response: Response) throws {
        let reply = Reply(id: .max, outcome: .success(response))
        let line = try ControlLine.encode(reply)
        #expect(!line.contains(UInt8(ascii: "\n")))
        #expect(try ControlLine.decode(Reply.self, from: line) == reply)
    }

    @Test(arguments: EventRecord.Kind.allCases)
    func `Every kind of event survives the way over the socket`(kind: EventRecord.Kind) throws {
        let event = EventRecord(
            at: Fixtures.moment(0), kind: kind, tag: Fixtures.tag, ulids: Fixtures.ulids, fromState: "exploring",
            toState: "operational", reason: "line\nbreak \"quoted\"", nonce: .max, reports: 2, direction: "in",
            locators: [Fixtures.ulids.local], withdrawn: [], lastIn: Fixtures.moment(0.5), interface: "a1",
            detail: "/a/b")
        let line = try ControlLine.encode(EventLine(event: event))
        #expect(!line.contains(UInt8(ascii: "\n")))
        #expect(try ControlLine.decode(EventLine.self, from: line).event == event)
    }

    @Test func `Only commands that change something need permission`() {
        let changing = Self.requests.map(\.0).filter(\.changesState)
        let fork = Command.fork(Fixtures.otherTag, [FlowSelector(protocolNumber: 6, destinationPort: 80)])
        #expect(
            changing == [
                .establish(Fixtures.ulids), fork, .remove(.one(Fixtures.otherTag)), .remove(.all), .identity(.rotate),
                .switchTo(Fixtures.otherTag, Fixtures.switch.to), .setSendTimeout(0.25), .rank([Fixtures.switch.to]),
            ])
    }

    private func text(_ value: some Encodable) throws -> String {
        String(decoding: try ControlLine.encode(value), as: UTF8.self)
    }
}

import BPFDataPath
import REAP
import Requirements
import Shim6Core
import Shim6Wire
import Testing

/// What the program tells the daemon: sessions worth a context, and packets it was asked to report.
@Suite(.needsRoot) struct ReportTests {
    /// One datagram out and one in, each with `length` octets of data.
    static func exchange(_ bench: Bench, _ length: Int, next: UInt8 = 17) throws {
        _ = try bench.run(.uplinkOut, Bench.a1, Bench.b1, next: next, Frame.udp(length))
        _ = try bench.run(.uplinkIn, Bench.b1, Bench.a1, next: next, Frame.udp(length))
    }

    @Test(.requirement("5533-11-02"))
    func `A session triggers once it has carried enough octets both ways`() throws {
        try Bench.run { bench in
            try Self.exchange(bench, 400)
            try Self.exchange(bench, 400)
            #expect(try bench.program.takeEvents().isEmpty)
            try Self.exchange(bench, 400)
            #expect(try bench.program.takeEvents() == [.trigger(Bench.ulids)])
            try Self.exchange(bench, 1000)
            #expect(try bench.program.takeEvents().isEmpty)
            try bench.program.forget(Bench.ulids)
            try Self.exchange(bench, 1000)
            #expect(try bench.program.takeEvents().isEmpty)
            try Self.exchange(bench, 1)
            #expect(try bench.program.takeEvents() == [.trigger(Bench.ulids)])
        }
    }

    @Test func `Traffic in one direction triggers nothing, however much it is`() throws {
        try Bench.run { bench in
            for _ in 0..<20 { _ = try bench.run(.uplinkOut, Bench.a1, Bench.b1, next: 17, Frame.udp(1000)) }
            for _ in 0..<20 { _ = try bench.run(.uplinkIn, Bench.b2, Bench.a1, next: 17, Frame.udp(1000)) }
            #expect(try bench.program.takeEvents().isEmpty)
        }
    }

    @Test func `A stream that nobody answers triggers once this host has kept sending for long enough`() throws {
        try Bench.run { bench in
            bench.program.settings.triggerAge = 200_000_000
            let deadline = Bench.now + .seconds(30)
            var events: [KernelProgramEvent] = []
            while events.isEmpty, Bench.now < deadline {
                _ = try bench.run(.uplinkIn, Bench.b2, Bench.a1, next: 17, Frame.udp(1))
                _ = try bench.run(.uplinkOut, Bench.a1, Bench.b1, next: 17, Frame.udp(1))
                events = try bench.program.takeEvents()
            }
            #expect(events == [.trigger(Bench.ulids)])
        }
    }

    @Test func `Packets out with longer pauses, and what comes in after one of them, trigger nothing`() throws {
        try Bench.run { bench in
            bench.program.settings.triggerAge = 1
            bench.program.settings.triggerOctets = 1_000_000
            for _ in 0..<5 {
                _ = try bench.run(.uplinkOut, Bench.a1, Bench.b1, next: 17, Frame.udp(1000))
                Bench.passTick()
            }
            for _ in 0..<5 { _ = try bench.run(.uplinkIn, Bench.b1, Bench.a1, next: 17, Frame.udp(1000)) }
            #expect(try bench.program.takeEvents().isEmpty)
        }
    }

    @Test func `Traffic that went both ways once triggers nothing, however much it was`() throws {
        try Bench.run { bench in
            for _ in 0..<20 { _ = try bench.run(.uplinkOut, Bench.a1, Bench.b1, next: 17, Frame.udp(1000)) }
            for _ in 0..<20 { _ = try bench.run(.uplinkIn, Bench.b1, Bench.a1, next: 17, Frame.udp(1000)) }
            #expect(try bench.program.takeEvents().isEmpty)
            try Self.exchange(bench, 1)
            #expect(try bench.program.takeEvents() == [.trigger(Bench.ulids)])
        }
    }

    /// What a host with a forged source can draw from this one: TCP to a closed port and to an open one, SCTP, DCCP, a ping
    /// too long for a packet; and that the same session triggers with what comes then.
    struct Drawn: Sendable {
        var next: UInt8
        /// Where the octet stands that tells packets apart, and what it says.
        var offset: Int
        var asked, answered, traffic: UInt8

        init(_ next: UInt8, at offset: Int, _ asked: UInt8, _ answered: UInt8, _ traffic: UInt8) {
            (self.next, self.offset, self.asked, self.answered, self.traffic) = (next, offset, asked, answered, traffic)
        }
    }

    @Test(arguments: [
        Drawn(6, at: 13, 0x02, 0x14, 0x10), Drawn(6, at: 13, 0x02, 0x12, 0x18), Drawn(6, at: 13, 0x18, 0x04, 0x10),
        Drawn(132, at: 12, 1, 2, 0), Drawn(132, at: 12, 0, 6, 3), Drawn(132, at: 12, 8, 14, 0),
        Drawn(33, at: 8, 0, 2, 4), Drawn(33, at: 8, 4, 14, 4), Drawn(44, at: 0, 58, 58, 17),
    ])
    func `What a forged packet draws from this host triggers nothing`(_ drawn: Drawn) throws {
        try Bench.run { bench in
            func send(_ part: KernelProgramPart, _ octet: UInt8) throws {
                var segment = [UInt8](repeating: 0, count: 1000)
                segment[drawn.offset] = octet
                let (source, target) = part == .uplinkIn ? (Bench.b1, Bench.a1) : (Bench.a1, Bench.b1)
                #expect(try bench.run(part, source, target, next: drawn.next, segment).verdict == .unspecified)
            }
            let usual = bench.program.settings
            // Were one of them to count, it would be old enough at once.
            bench.program.settings.triggerAge = 0
            for _ in 0..<20 {
                try send(.uplinkIn, drawn.asked)
                try send(.uplinkOut, drawn.answered)
            }
            #expect(try bench.program.takeEvents().isEmpty)
            bench.program.settings = usual
            for _ in 0..<2 {
                try send(.uplinkOut, drawn.traffic)
                try send(.uplinkIn, drawn.traffic)
            }
            #expect(try bench.program.takeEvents() == [.trigger(Bench.ulids)])
        }
    }

    @Test func `A session that lives long enough triggers with few octets`() throws {
        try Bench.run { bench in
            var settings = bench.program.settings
            settings.triggerAge = 1
            bench.program.settings = settings
            try Self.exchange(bench, 1)
            Bench.passTick()
            try Self.exchange(bench, 1)
            #expect(try bench.program.takeEvents() == [.trigger(Bench.ulids)])
        }
    }

    @Test func `ICMPv6 and forwarded packets trigger nothing`() throws {
        try Bench.run { bench in
            for _ in 0..<10 { try Self.exchange(bench, 1000, next: 58) }
            let other = try #require(IPv6Address("2001:db8:c::1"))
            for _ in 0..<10 {
                _ = try bench.run(.uplinkOut, other, Bench.b1, next: 17, Frame.udp(1000))
                _ = try bench.run(.uplinkIn, Bench.b1, other, next: 17, Frame.udp(1000))
            }
            #expect(try bench.program.takeEvents().isEmpty)
        }
    }

    @Test func `A context keeps its sessions from triggering`() throws {
        try Bench.run { bench in
            try bench.program.install(Bench.entry())
            for _ in 0..<10 { try Self.exchange(bench, 1000) }
            #expect(try bench.program.takeEvents().isEmpty)
        }
    }

    @Test(arguments: [true, false])
    func `A requested packet is reported once and with its time`(rehomed: Bool) throws {
        try Bench.run { bench in
            try bench.program.install(rehomed ? Bench.rehomed : Bench.entry())
            bench.stamps.requestNotification(incoming: true, outgoing: true)
            for _ in 0..<3 { try Self.exchange(bench, 10) }
            let events = try bench.program.takeEvents()
            #expect(events.count == 2)
            guard case .activity(Bench.localTag, .outgoing, let out) = events.first,
                case .activity(Bench.localTag, .incoming, let in_) = events.last
            else {
                Issue.record("unexpected events: \(events)")
                return
            }
            #expect(out < in_)
            #expect(try #require(bench.stamps.lastIn) + .milliseconds(10) >= in_)
            bench.stamps.requestNotification(incoming: true, outgoing: false)
            try Self.exchange(bench, 10)
            #expect(try bench.program.takeEvents().count == 1)
        }
    }

    @Test func `A packet that the daemon waits for is stamped exactly, and no stamp goes back`() throws {
        try Bench.run { bench in
            try bench.program.install(Bench.entry())
            for _ in 0..<20 {
                try Self.exchange(bench, 10)
                let before = Bench.now
                bench.stamps.requestNotification(incoming: true, outgoing: false)
                try Self.exchange(bench, 10)
                let stamp = try #require(bench.stamps.lastIn)
                #expect(stamp > before)
                try Self.exchange(bench, 10)
                #expect(try #require(bench.stamps.lastIn) >= stamp)
            }
        }
    }

    @Test func `A report that finds the ring full is made again with the next packet`() throws {
        try Bench.run { bench in
            try bench.program.install(Bench.entry())
            var settings = bench.program.settings
            settings.unknownTag = .init(perSecond: 0, burst: 0)
            settings.unknownTags = .init(perSecond: 0, burst: 0)
            bench.program.settings = settings
            let unknown = IncomingTests.tagged(ContextTag(truncating: 1))
            for _ in 0..<40 { _ = try bench.run(.uplinkIn, unknown) }
            #expect(try bench.count(.lostReports) > 0)
            bench.stamps.requestNotification(incoming: true, outgoing: false)
            try Self.exchange(bench, 10)
            let held = try bench.program.takeEvents()
            #expect(!held.isEmpty)
            #expect(!held.contains { if case .activity = $0 { true } else { false } })
            try Self.exchange(bench, 10)
            #expect(try bench.program.takeEvents().count == 1)
        }
    }

    @Test func `Clearing a slot leaves no traffic and no request behind`() throws {
        try Bench.run { bench in
            try bench.program.install(Bench.entry())
            try Self.exchange(bench, 10)
            bench.stamps.requestNotification(incoming: true, outgoing: true)
            bench.program.activity.clear(slot: 3)
            #expect(bench.stamps.lastIn == nil && bench.stamps.lastOut == nil)
            #expect(bench.stamps.sendStart == nil && bench.stamps.keepStart == nil)
            try Self.exchange(bench, 10)
            #expect(try bench.program.takeEvents().isEmpty)
        }
    }

    @Test func `Starting a stamp leaves a running one alone`() throws {
        try Bench.run { bench in
            let stamps = bench.stamps
            stamps.tell(send: .start, keepalive: nil, at: Instant(nanoseconds: 5))
            stamps.tell(send: .start, keepalive: nil, at: Instant(nanoseconds: 7))
            #expect(stamps.sendStart == Instant(nanoseconds: 5))
            stamps.sendStart = nil
            stamps.tell(send: nil, keepalive: .start, at: Instant(nanoseconds: 9))
            stamps.tell(send: nil, keepalive: .start, at: Instant(nanoseconds: 11))
            #expect(stamps.keepStart == Instant(nanoseconds: 9) && stamps.sendStart == nil)
        }
    }

    @Test func `A flood of reports is taken in parts`() throws {
        var sizes = KernelProgram.Sizes.small
        sizes.ring = 1 << 20
        try Bench.run(sizes: sizes) { bench in
            var settings = bench.program.settings
            settings.unknownTag = .init(perSecond: 0, burst: 0)
            settings.unknownTags = .init(perSecond: 0, burst: 0)
            bench.program.settings = settings
            let total = 2500
            for _ in 0..<total {
                _ = try bench.run(.uplinkIn, IncomingTests.tagged(ContextTag(truncating: 0x4242)))
            }
            var parts: [Int] = []
            repeat { parts.append(try bench.program.takeEvents().count) } while parts.last != 0
            #expect(parts.reduce(0, +) == total)
            #expect(parts.count > 2)
            #expect(parts.allSatisfy { $0 <= 1024 })
        }
    }
}

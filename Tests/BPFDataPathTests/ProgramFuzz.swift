import BPFDataPath
import Foundation
import REAP
import Shim6Core
import Shim6Wire

/// Runs the programs on packets that are nearly valid, which a seed makes up, and looks at what comes out.
struct ProgramFuzz {
    private let bench: Bench
    private var generator: SplitMix
    private let seeds: [[UInt8]]
    /// What the counters should have gone up by.
    private var expected: (drops: UInt64, restored: UInt64, rehomed: UInt64) = (0, 0, 0)
    /// Whether nobody reads control messages.
    private var isDead = false
    /// Control messages of strangers that came through.
    private(set) var admitted = 0
    /// What must not be.
    private(set) var findings: [String] = []

    private static let parts: [KernelProgramPart] =
        [.uplinkOut, .steer, .segment, .appear, .uplinkOutL3, .uplinkInL3]
        + Array(repeating: .uplinkIn, count: 6)
    /// Without an Ethernet header a test packet is for this host if it begins as the interface's address does.
    private static let lengthL3 = 96
    private static let addressL3: [UInt8] = [0x60, 0, 0, 0, 0, UInt8(lengthL3)]
    private static let peerL3 = IPv6Address(high: 0x2001_0db8_86dd_0000, low: 11)
    private static let secondTag = ContextTag(truncating: 0x2222_2222_2222)
    private static let thirdTag = ContextTag(truncating: 0x3333_3333_3333)
    private static let tags = [Bench.localTag, secondTag, thirdTag]

    init(_ bench: Bench, seed: UInt64) throws {
        self.bench = bench
        generator = SplitMix(state: seed)
        try PrivateNetwork.ip("link set a1 address 60:00:00:00:00:\(String(Self.lengthL3, radix: 16))")
        // The one a peer of which nothing is rehomed, one that is, and one in the other form.
        try bench.program.install(Bench.entry())
        let away = LocatorPair(source: Bench.a2, destination: Bench.b1)
        try bench.program.install(
            DataPathEntry(
                localTag: Self.secondTag, peerTag: Bench.peerTag, slot: 4,
                ulids: ULIDPair(local: Bench.a1, peer: Bench.b2), outgoing: away, inbound: .deliverAndNotify))
        try bench.program.install(
            DataPathEntry(
                localTag: Self.thirdTag, peerTag: Bench.peerTag, slot: 5,
                ulids: ULIDPair(local: Bench.a1, peer: Self.peerL3), outgoing: away, inbound: .deliver,
                form: .homeAddress))
        seeds = Self.seeds()
        bench.program.settings.strangersI1 = .init(perSecond: 1, burst: 3)
        bench.program.settings.strangers = .init(perSecond: 1, burst: 3)
        bench.program.settings.acquainted = .init(perSecond: 1, burst: 3)
    }

    private static func seeds() -> [[UInt8]] {
        let nothing: [UInt8] = [0, 1, 4, 0, 0, 0, 0]
        let tcp: [UInt8] = [0x12, 0x34, 0, 80, 0, 0, 0, 1, 0, 0, 0, 2, 0x50, 0x10, 0, 0, 0, 0, 0, 0] + Frame.udp()
        let udp = Frame.udp()
        let home: [UInt8] =
            [60, 2, 2, 1, 0, 0, 0, 0] + Bench.a1.octets + [17, 2, 1, 2, 0, 0, 0xc9, 0x10] + Self.peerL3.octets
        let i1 = ControlMessageTests.i1(about: Bench.b1, Bench.a1)
        var contents: [(UInt8, [UInt8])] = [
            (17, udp), (6, tcp), (58, [128, 0, 0, 0] + udp), (58, [4, 1, 0, 0, 0, 0, 0, 6, 0x60] + udp + udp + udp),
            (140, ControlMessageTests.i1), (140, i1), (140, ControlMessageTests.i2),
            (140, ControlMessageTests.keepaliveOfContext), (60, [140] + nothing + i1),
            (0, [60] + nothing + [140] + nothing + i1), (44, [140, 0, 0, 1, 1, 2, 3, 4] + i1),
            (44, [60, 0, 0, 1, 1, 2, 3, 4] + [140] + nothing + i1), (44, [17, 0, 0, 0, 1, 2, 3, 4] + udp),
            (44, [17, 0, 0, 9, 1, 2, 3, 4] + udp), (43, home + udp), (0, [43] + nothing + home + udp),
            (43, [17, 2, 0, 0, 0, 0, 0, 0] + Bench.a1.octets + udp),
        ]
        for tag in tags {
            for (next, content) in [
                (17, udp), (6, tcp), (60, [17] + nothing + udp), (44, [6, 0, 0, 1, 1, 2, 3, 4] + tcp), (140, i1),
            ] as [(UInt8, [UInt8])] {
                let tagged = Frame.payloadHeader(next: next, tag: tag.rawValue) + content
                contents += [(140, tagged), (60, [140] + nothing + tagged), (43, [140] + nothing + tagged)]
            }
        }
        let pairs = [
            (Bench.b1, Bench.a1), (Bench.b2, Bench.a1), (Self.peerL3, Bench.a1), (Self.peerL3, Bench.a2),
            (Bench.a1, Bench.b1), (Bench.a1, Bench.b2), (Bench.a1, Self.peerL3), (Bench.a1, Bench.a2),
        ]
        return contents.flatMap { content in
            pairs.map { [UInt8](Frame.ipv6($0.0, $0.1, next: content.0, content.1).dropFirst(14)) }
        }
    }

    // MARK: One batch

    /// Runs `count` packets, half of the batches while nobody reads control messages.
    mutating func run(_ count: Int) throws {
        isDead.toggle()
        bench.program.beat(at: isDead ? Instant(nanoseconds: 1) : Bench.now + .seconds(60))
        bench.program.haveReadAll()
        let before = try bench.program.counters()
        expected = (0, 0, 0)
        for _ in 0..<count { try runOne() }
        let after = try bench.program.counters()
        func rise(_ counted: (KernelProgramCounter) -> Bool) -> UInt64 {
            KernelProgramCounter.allCases.filter(counted).reduce(0) {
                $0 + after[$1, default: 0] - before[$1, default: 0]
            }
        }
        if rise(\.isDrop) != expected.drops { findings.append("\(expected.drops) drops, counted \(rise(\.isDrop))") }
        if rise({ $0 == .restored }) != expected.restored { findings.append("restored packets are miscounted") }
        if rise({ $0 == .rehomed }) != expected.rehomed { findings.append("rehomed packets are miscounted") }
        _ = try bench.program.takeEvents()
    }

    private mutating func runOne() throws {
        let part = Self.parts[Int(generator.next() % UInt64(Self.parts.count))]
        var packet = mutated(seeds[Int(generator.next() % UInt64(seeds.count))])
        let isL3 = part == .uplinkInL3 || part == .uplinkOutL3
        if isL3 {
            // These octets are the kernel's EtherType, and most of the time the rest is the interface's address.
            packet += [UInt8](repeating: 0, count: max(0, 56 - packet.count))
            packet.replaceSubrange(12..<14, with: [0x86, 0xdd])
            if generator.next() % 4 != 0 {
                packet += [UInt8](repeating: 0, count: max(0, 40 + Self.lengthL3 - packet.count))
                packet.replaceSubrange(0..<6, with: Self.addressL3)
            }
        }
        let toAll = [UInt8](repeating: 0xff, count: 6) + Frame.ethernet.dropFirst(6)
        let link: [UInt8] = isL3 ? [] : generator.next() % 16 == 0 ? toAll : Frame.ethernet
        let result = try bench.program.run(part, on: isL3 ? bench.uplink1 : 1, frame: link + packet)
        // What is redirected has got an Ethernet header where it had none.
        let header = isL3 ? (result.verdict == .redirect ? 14 : 0) : link.count
        let output = [UInt8](result.frame.dropFirst(header))
        let before = findings.count
        switch (result.verdict, part) {
        case (nil, _): findings.append("unknown verdict")
        case (.drop, _): expected.drops += 1
        case (.taken, .uplinkOut), (.taken, .uplinkOutL3), (.taken, .steer): break
        case (.taken, _): findings.append("taken")
        case (_, .uplinkIn): checkIn(packet, output, isForHost: true)
        case (_, .uplinkOut), (_, .steer): checkOut(packet, output)
        // The kernel's test packets have a link-layer header after all, and change in another place than on such a link.
        case (_, .uplinkInL3) where output != packet: expected.restored += 1
        case (_, .uplinkOutL3) where output != packet: expected.rehomed += 1
        case (_, .uplinkInL3): checkIn(packet, output, isForHost: packet.starts(with: Self.addressL3))
        case (_, .uplinkOutL3): break
        case (_, .segment), (_, .appear): break
        }
        for index in before..<findings.count {
            findings[index] += " (\(part), \(result.verdict as Any)): \(hex(packet)) became \(hex(output))"
        }
    }

    // MARK: What must be

    private mutating func checkIn(_ input: [UInt8], _ output: [UInt8], isForHost: Bool) {
        if output != input {
            expected.restored += 1
            let removed = input.count - output.count
            if removed != 8 && removed != 48 { findings.append("\(removed) octets removed") }
            if Self.length(output) != Self.length(input) - removed || 40 + Self.length(output) > output.count {
                findings.append("length \(Self.length(output))")
            }
            if Array(output[24..<40]) != Bench.a1.octets { findings.append("not the ULID") }
        }
        guard isForHost else { return }
        switch Self.shim6(in: output) {
        case .none: break
        case .hidden: findings.append("a fragment hides Shim6")
        case .at(let place):
            if isDead { findings.append("Shim6 came through") }
            if !isTagged(output, place) { admitted += 1 }
        }
    }

    private mutating func checkOut(_ input: [UInt8], _ output: [UInt8]) {
        guard output != input else { return }
        expected.rehomed += 1
        let added = output.count - input.count
        if added != 8 && added != 48 { findings.append("\(added) octets added") }
        if Self.length(output) != (Self.length(input) + added) & 0xffff { findings.append("length") }
        if Array(output[8..<40]) != Bench.a2.octets + Bench.b1.octets { findings.append("not the locators") }
    }

    private static func length(_ packet: [UInt8]) -> Int { Int(packet[4]) << 8 | Int(packet[5]) }

    private enum Found {
        case none
        /// In a fragment, or in one to come.
        case hidden
        case at(Int)
    }

    /// Where the kernel's stack would find a Shim6 header in a packet to this host.
    private static func shim6(in packet: [UInt8]) -> Found {
        guard packet.count >= 40, packet[0] >> 4 == 6, 40 + length(packet) <= packet.count else { return .none }
        let end = 40 + length(packet)
        var (next, at, isFragment, isInTransit) = (packet[6], 40, false, false)
        while true {
            switch next {
            case 140:
                // Payload on its way to another host.
                if isInTransit, !isFragment, at + 3 <= packet.count, packet[at + 2] & 0x80 != 0 { return .none }
                return isFragment ? .hidden : .at(at)
            case 0, 43, 60:
                if next == 43, at + 4 <= packet.count, packet[at + 3] != 0 { isInTransit = true }
                guard at + 2 <= end else { return isFragment ? .hidden : .none }
                (next, at) = (packet[at], at + (Int(packet[at + 1]) + 1) * 8)
            case 44:
                // The stack refuses a fragment in a fragment, and one that is cut short.
                guard at + 8 <= end, !isFragment else { return .none }
                if packet[at + 2] != 0 || packet[at + 3] & 0xf8 != 0 { return .none }
                (next, at, isFragment) = (packet[at], at + 8, true)
            default: return .none
            }
        }
    }

    /// Whether a message names a context by its tag.
    private func isTagged(_ packet: [UInt8], _ place: Int) -> Bool {
        guard place + 12 <= packet.count, packet[place + 2] >= 64 else { return false }
        let tag = packet[(place + 6)..<(place + 12)].reduce(0) { $0 << 8 | UInt64($1) }
        return Self.tags.contains { $0.rawValue == tag & ~(1 << 47) }
    }

    private func hex(_ octets: [UInt8]) -> String { octets.map { String(format: "%02x", $0) }.joined() }

    // MARK: Mutations
    // The kernel makes no test of a packet without a whole IPv6 header.

    /// Next headers, options and numbers that mean something.
    private static let telling: [UInt8] = [0, 1, 2, 3, 6, 17, 43, 44, 51, 58, 59, 60, 64, 128, 132, 140, 201, 255]

    private mutating func mutated(_ seed: [UInt8]) -> [UInt8] {
        var packet = seed
        for _ in 0..<(generator.next() % 5) {
            guard !packet.isEmpty else { break }
            let place = Int(generator.next() % UInt64(packet.count))
            switch generator.next() % 8 {
            case 0: packet[place] ^= 1 << UInt8(generator.next() % 8)
            case 1: packet[place] = UInt8(truncatingIfNeeded: generator.next())
            case 2, 3: packet[place] = Self.telling[Int(generator.next() % UInt64(Self.telling.count))]
            case 4: packet.removeLast(min(max(0, packet.count - 40), Int(generator.next() % 32)))
            case 5: packet += [UInt8](repeating: 0, count: Int(generator.next() % 64))
            case 6 where packet.count > 48:
                // One more header of a kind that may stand there.
                let header: UInt8 = [0, 43, 44, 60][Int(generator.next() % 4)]
                packet.insert(contentsOf: [packet[6], 0, 0, UInt8(generator.next() % 2), 0, 0, 0, 0], at: 40)
                packet[6] = header
            default:
                // The length that it has.
                guard packet.count >= 40 else { break }
                packet[4] = UInt8((packet.count - 40) >> 8)
                packet[5] = UInt8((packet.count - 40) & 0xff)
            }
        }
        return packet
    }
}

import BPFDataPath
import Foundation
import Lab
import REAP
import Shim6Core
import Shim6Wire
import Testing

/// The data path of host A of the worked packets, with two uplinks that lead nowhere.
final class Bench {
    static let a1 = address("2001:db8:a1:0:146d:163d:2e2f:1af3")
    static let a2 = address("2001:db8:a2::a")
    static let b1 = address("2001:db8:b1::b")
    static let b2 = address("2001:db8:b2::b")
    static let localTag = ContextTag(truncating: 0x1234_5678_9abc)
    static let peerTag = ContextTag(truncating: 0x7edc_ba98_7654)
    static let ulids = ULIDPair(local: a1, peer: b1)

    let program: KernelProgram
    let uplink1: UInt32
    let uplink2: UInt32
    let shim0: UInt32
    let shim0x: UInt32

    init(sizes: KernelProgram.Sizes = .small) throws {
        try PrivateNetwork.ip("link add a1 type veth peer name a1x")
        try PrivateNetwork.ip("link add a2 type veth peer name a2x")
        try PrivateNetwork.ip("link add shim0 type veth peer name shim0x")
        uplink1 = if_nametoindex("a1")
        uplink2 = if_nametoindex("a2")
        shim0 = if_nametoindex("shim0")
        shim0x = if_nametoindex("shim0x")
        program = try KernelProgram(sizes: sizes)
        try program.attach(shim0: shim0, shim0x: shim0x)
        try program.set(locator: Self.a1, uplink: uplink1)
        try program.set(locator: Self.a2, uplink: uplink2)
        program.beat(at: Self.now)
    }

    /// Runs `body` with a new bench in a network namespace of its own.
    static func run(sizes: KernelProgram.Sizes = .small, _ body: (Bench) throws -> Void) throws {
        try PrivateNetwork.run { try body(Bench(sizes: sizes)) }
    }

    /// A context between A1 and B1.
    static func entry(
        outgoing: LocatorPair = LocatorPair(source: a1, destination: b1), inbound: DataPathEntry.Inbound = .deliver,
        slot: UInt32 = 3
    ) -> DataPathEntry {
        DataPathEntry(
            localTag: localTag, peerTag: peerTag, slot: slot, ulids: ulids, outgoing: outgoing, inbound: inbound)
    }
    static let rehomed = entry(outgoing: LocatorPair(source: a2, destination: b2))

    /// An address behind this host, to which it forwards from now on.
    func forwardedAddress() throws -> IPv6Address {
        try "1".write(toFile: "/proc/sys/net/ipv6/conf/all/forwarding", atomically: false, encoding: .utf8)
        try PrivateNetwork.ip("link set a1 up")
        try PrivateNetwork.ip("link set a1x up")
        try PrivateNetwork.ip("route add 2001:db8:c::/64 dev a1")
        return Self.address("2001:db8:c::1")
    }

    /// Runs a program on an IPv6 packet; the packet comes back without its Ethernet header.
    func run(
        _ part: KernelProgramPart, _ source: IPv6Address, _ destination: IPv6Address, next: UInt8, _ payload: [UInt8],
        on interface: UInt32? = nil
    ) throws -> (verdict: Verdict?, packet: [UInt8]) {
        try run(part, Frame.ipv6(source, destination, next: next, payload), on: interface)
    }

    func run(
        _ part: KernelProgramPart, _ frame: [UInt8], on interface: UInt32? = nil
    ) throws -> (verdict: Verdict?, packet: [UInt8]) {
        // The host part of a frame's destination must be that of the interface to be "for this host".
        let result = try program.run(part, on: interface ?? 1, frame: frame)
        return (result.verdict, [UInt8](result.frame.dropFirst(14)))
    }

    func count(_ counter: KernelProgramCounter) throws -> UInt64 { try #require(program.counters()[counter]) }

    var stamps: SharedStamps { program.activity[3] }

    /// No stamp of a packet that comes now is earlier: the coarse clock is behind by less than a tick.
    static var tickBeforeNow: Instant { now + .milliseconds(-10) }
    /// Waits until the coarse clock has gone on.
    static func passTick() { usleep(20_000) }

    static var now: Instant {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Instant(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
    }

    private static func address(_ text: String) -> IPv6Address {
        guard let address = IPv6Address(text) else { preconditionFailure("no address: \(text)") }
        return address
    }
}

extension KernelProgram.Sizes {
    /// A few of everything, so that the edges are near.
    static var small: Self {
        var sizes = Self()
        sizes.contexts = 16
        sizes.locators = 16
        sizes.candidates = 64
        sizes.limiters = 64
        sizes.keptPackets = 16
        sizes.ring = 4096
        return sizes
    }
}

extension Trait where Self == ConditionTrait {
    /// Loading programs into the kernel is root's.
    static var needsRoot: Self { .enabled(if: geteuid() == 0, "loading programs into the kernel needs root") }
}

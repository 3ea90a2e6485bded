import BPFDataPath
import CDataPath
import Foundation
import REAP
import Shim6Core
import Shim6Wire
import Synchronization
import Testing

/// The locators of the last packet in, which every processor may write while the daemon reads them.
@Suite(.needsRoot) struct IncomingLocatorsTests {
    /// Payload that is stamped and then dropped as it is, since too many octets stand before its payload header: a program
    /// can run on it again and again.
    private static func frame(_ pair: LocatorPair) -> [UInt8] {
        let pad: [UInt8] = [1, 254] + [UInt8](repeating: 0, count: 254)
        let options: [UInt8] = [140, 64] + pad + pad + [1, 4, 0, 0, 0, 0]
        let header = Frame.payloadHeader(next: 17, tag: Bench.localTag.rawValue)
        return Frame.ipv6(pair.source, pair.destination, next: 60, options + header + Frame.udp())
    }

    @Test func `While packets come in on all processors each reading is the locators of one of them`() throws {
        // No eight octets of one are those of the other.
        let other = try #require(IPv6Address("2001:db8:b3::c"))
        let pairs = [
            LocatorPair(source: Bench.b1, destination: Bench.a1), LocatorPair(source: other, destination: Bench.a2),
        ]
        try Bench.run { bench in
            try bench.program.install(Bench.entry())
            let traffic = Traffic(bench.program, pairs.map(Self.frame))
            defer { traffic.stop() }
            var seen: [LocatorPair: Int] = [:]
            while traffic.goesOn, seen.count <= pairs.count, pairs.contains(where: { seen[$0, default: 0] < 100_000 }) {
                if let pair = bench.stamps.incoming { seen[pair, default: 0] += 1 }
            }
            #expect(traffic.goesOn)
            #expect(Set(seen.keys) == Set(pairs))
        }
    }
}

/// The latch itself, whose writer may be stopped at any point.
struct LatchTests {
    @Test func `A writer that is stopped halfway leaves the locators before, and keeps other writers out`() {
        var stamps = shim6_activity()
        #expect(shim6_incoming_write(&stamps, [1, 2, 3, 4]) == 1)
        #expect(read(&stamps) == [1, 2, 3, 4])
        // Half of the next ones.
        stamps.incoming_version += 1
        (stamps.incoming.0.0, stamps.incoming.0.1) = (5, 6)
        #expect(read(&stamps) == [1, 2, 3, 4])
        #expect(shim6_incoming_write(&stamps, [7, 7, 7, 7]) == 0)
        #expect(read(&stamps) == [1, 2, 3, 4])
        // The rest.
        (stamps.incoming.0.2, stamps.incoming.0.3) = (7, 8)
        stamps.incoming_version += 1
        #expect(read(&stamps) == [5, 6, 7, 8])
        #expect(shim6_incoming_write(&stamps, [9, 9, 9, 9]) == 1)
        #expect(read(&stamps) == [9, 9, 9, 9])
    }

    private func read(_ stamps: inout shim6_activity) -> [UInt64] {
        withUnsafeBytes(of: shim6_incoming_read(&stamps)) { octets in
            (0..<4).map { octets.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self) }
        }
    }
}

/// The same frames over and over, each on a thread of its own.
private final class Traffic: Sendable {
    private let isStopped = Atomic(false)
    private let hasFailed = Atomic(false)
    private let threads = DispatchSemaphore(value: 0)
    private let count: Int

    init(_ datapath: KernelProgram, _ frames: [[UInt8]]) {
        count = frames.count
        nonisolated(unsafe) let datapath = datapath
        for frame in frames {
            // Begins in the network namespace of this one.
            Thread.detachNewThread { [self] in
                while !isStopped.load(ordering: .relaxed) {
                    let result = try? datapath.run(.uplinkIn, on: 1, frame: frame, times: 5000)
                    if result?.verdict != .drop { return fail() }
                }
                threads.signal()
            }
        }
    }

    private func fail() {
        hasFailed.store(true, ordering: .relaxed)
        threads.signal()
    }

    /// Whether every program has run.
    var goesOn: Bool { !hasFailed.load(ordering: .relaxed) }

    func stop() {
        isStopped.store(true, ordering: .relaxed)
        for _ in 0..<count { threads.wait() }
    }
}

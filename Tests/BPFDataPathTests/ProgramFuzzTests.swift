import Foundation
import REAP
import Testing

/// Scripts/fuzz.sh runs it longer, and with other seeds.
@Suite(.needsRoot) struct ProgramFuzzTests {
    private static func number(_ name: String, _ usual: Int) -> Int {
        ProcessInfo.processInfo.environment[name].flatMap { Int($0) } ?? usual
    }

    @Test func `Whatever comes, the programs do what the rules say with it, and account for it`() throws {
        let runs = Self.number("SHIM6_FUZZ_RUNS", 100_000)
        let seed = UInt64(Self.number("SHIM6_FUZZ_SEED", 1))
        try Bench.run { bench in
            var fuzz = try ProgramFuzz(bench, seed: seed)
            let begin = Bench.now
            for _ in 0..<((runs + 99) / 100) where fuzz.findings.isEmpty { try fuzz.run(100) }
            #expect(fuzz.findings.isEmpty)
            // Four crowds of messages, three at once from each, and one a second.
            let seconds = Int((Bench.now - begin).components.seconds)
            #expect((1...(4 * (seconds + 5))).contains(fuzz.admitted))
        }
    }
}

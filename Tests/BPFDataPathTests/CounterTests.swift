import BPFDataPath
import Testing

/// What status shows of the program.
struct CounterTests {
    @Test func `The names of the counters are what they have been`() {
        let names = KernelProgramCounter.allCases.map(\.name)
        #expect(names.count == Set(names).count)
        #expect(
            Set(KernelProgramCounter.allCases.filter { !$0.isDrop }.map(\.name)) == [
                "rehomed", "rehomed_super_packets", "restored", "to_fragment", "lost_reports",
            ])
        #expect(
            Set(KernelProgramCounter.allCases.filter(\.isDrop).map(\.name)) == [
                "malformed", "bad_address", "unknown_tag", "discard_mode", "no_heartbeat", "i1_rate", "other_rate",
                "strangers_i1_rate", "strangers_rate", "acquainted_rate", "incomplete_chain", "own_source", "denial",
                "too_big", "unreachable", "unchangeable", "stray", "no_uplink",
            ])
    }

    @Test func `Each counter says what it counts`() {
        for counter in KernelProgramCounter.allCases {
            #expect(counter.meaning.count > 20)
            #expect(counter.meaning.first?.isWhitespace == false && counter.meaning.last != ".")
        }
    }
}

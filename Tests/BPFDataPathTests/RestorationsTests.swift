import REAP
import Testing

@testable import BPFDataPath

/// When what others undo is put back, and when it is left alone.
struct RestorationsTests {
    private let begin = Instant(nanoseconds: 1_000_000_000)

    @Test func `What is undone five times in a minute is left alone for ten minutes`() {
        var restorations = Restorations()
        for count in 1...4 {
            #expect(restorations.decide(on: "shim0", at: begin + .seconds(count)) == .restore)
            restorations.restored("shim0")
        }
        #expect(restorations.decide(on: "shim0", at: begin + .seconds(5)) == .giveUp)
        #expect(restorations.shortcoming == "shim0 left alone, since somebody undoes it again and again")
        #expect(restorations.decide(on: "shim0", at: begin + .seconds(604)) == .leave)
        #expect(restorations.decide(on: "shim0", at: begin + .seconds(606)) == .restore)
        restorations.restored("shim0")
        #expect(restorations.shortcoming == nil)
        #expect(restorations.count == 5)
    }

    @Test func `What cannot be put back is tried again and again, which is nobody's undoing`() {
        var restorations = Restorations()
        for count in 1...50 {
            #expect(restorations.decide(on: "a1", at: begin + .milliseconds(200 * count)) == .restore)
            #expect(restorations.shortcoming == "a1 could not be put back")
        }
        restorations.restored("a1")
        #expect(restorations.shortcoming == nil)
    }

    @Test func `What is undone seldom is always put back`() {
        var restorations = Restorations()
        for count in 1...20 {
            #expect(restorations.decide(on: "a1", at: begin + .seconds(16 * count)) == .restore)
            restorations.restored("a1")
        }
    }
}

import CGA
import Testing

@Suite("Random numbers")
struct RandomTests {
    @Test("As many octets come as were asked for, never the same")
    func givesOctets() {
        for count in [-1, 0, 1, 7, 32, 5000] {
            #expect(systemRandom(count).count == max(count, 0))
        }
        #expect(systemRandom(32) != systemRandom(32))
    }

    @Test("Numbers do not repeat, not even between copies of the generator")
    func givesNumbers() {
        var first = CryptographicRandom()
        var copy = first
        var seen: Set<UInt64> = []
        var ones: UInt64 = 0
        var zeros: UInt64 = 0
        for _ in 0..<1000 {
            for number in [first.next(), copy.next()] {
                #expect(seen.insert(number).inserted)
                ones |= number
                zeros |= ~number
            }
        }
        #expect(ones == .max)
        #expect(zeros == .max)
    }
}

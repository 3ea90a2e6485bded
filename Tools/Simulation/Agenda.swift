import HeapModule
import REAP

/// What is to happen, by its time, then in the order in which it was entered.
struct Agenda<Happening> {
    private struct Entry: Comparable {
        var time: UInt64
        var number: UInt64
        var place: Int

        static func < (left: Entry, right: Entry) -> Bool { (left.time, left.number) < (right.time, right.number) }
    }

    private var heap = Heap<Entry>()
    // Beside the heap, whose entries move a lot.
    private var happenings: [Happening?] = []
    private var freePlaces: [Int] = []
    /// How many were ever entered.
    private(set) var total: UInt64 = 0

    mutating func enter(_ happening: Happening, at time: Instant) {
        let place: Int
        if let free = freePlaces.popLast() {
            place = free
            happenings[place] = happening
        } else {
            place = happenings.count
            happenings.append(happening)
        }
        total += 1
        heap.insert(Entry(time: time.nanoseconds, number: total, place: place))
    }

    mutating func next() -> (time: Instant, happening: Happening)? {
        guard let entry = heap.popMin(), let happening = happenings[entry.place] else { return nil }
        happenings[entry.place] = nil
        freePlaces.append(entry.place)
        return (Instant(nanoseconds: entry.time), happening)
    }
}

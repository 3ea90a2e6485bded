import Testing

@testable import CGA

@Suite("What is kept while it is used")
struct RecentlyUsedTests {
    @Test("The one unused for longest goes first, whatever the order of use", arguments: 0...5)
    func behavesLikeAList(capacity: Int) {
        var cache = RecentlyUsed<UInt8, UInt32>(capacity: capacity)
        // The same thing written simply: names from the least to the most recently used, with what was kept for them.
        var model: [(name: UInt8, value: UInt32)] = []
        var evictions: UInt64 = 0
        var state: UInt32 = 1
        for _ in 0..<5000 {
            state = state &* 1_664_525 &+ 1_013_904_223
            let name = UInt8(truncatingIfNeeded: state >> 24) % 8
            let place = model.firstIndex { $0.name == name }
            #expect(cache.value(for: name) == place.map { model[$0].value })
            if let place {
                model.append(model.remove(at: place))
            } else if state & 0x1_0000 != 0 {
                cache.insert(state, for: name)
                model.append((name, state))
                if model.count > capacity {
                    model.removeFirst()
                    if capacity > 0 { evictions += 1 }
                }
            }
            #expect(cache.count == model.count)
            #expect(cache.evictions == evictions)
        }
    }
}

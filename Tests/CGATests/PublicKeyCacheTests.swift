import Testing

@testable import CGA

@Suite("Kept public keys")
struct PublicKeyCacheTests {
    @Test("The one unused for longest goes first, whatever the order of use", arguments: 0...5)
    func behavesLikeAList(capacity: Int) throws {
        let key = try PublicKey(subjectPublicKeyInfo: CGAVectors.key("rsa1024").spki_hex.octets)
        var cache = PublicKeyCache(capacity: capacity)
        // The same thing written simply: names from the least to the most recently used.
        var model: [[UInt8]] = []
        var state: UInt32 = 1
        for _ in 0..<5000 {
            state = state &* 1_664_525 &+ 1_013_904_223
            let name = [UInt8(truncatingIfNeeded: state >> 24) % 8]
            let isKept = model.contains(name)
            #expect((cache.key(for: name) != nil) == isKept)
            if isKept {
                model.removeAll { $0 == name }
                model.append(name)
            } else if state & 0x1_0000 != 0 {
                cache.insert(key, for: name)
                model.append(name)
                if model.count > capacity { model.removeFirst() }
            }
            #expect(cache.count == model.count)
        }
    }
}

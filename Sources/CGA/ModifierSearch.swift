import CModifierSearch

/// The part of a CGA's making that costs time: finding a Modifier whose Hash2 has the zero bits that Sec demands
/// (RFC 3972, section 4, steps 2 and 3). Holds the Hash2 input, padded and prepared as SHA-1 wants it.
struct ModifierSearch: Sendable {
    /// Words of the first block; the Modifier is in the first four.
    private var first: [UInt32]
    /// The prepared other blocks, which do not depend on the Modifier.
    private let schedules: [UInt32]
    /// The bits of the first word of Hash2 that have to be zero.
    private let mask: UInt32

    /// `hash2Input` is the whole input of Hash2 with any Modifier; `sec` is 1 or 2.
    init(hash2Input: [UInt8], sec: Int) {
        mask = ~0 << (32 - 16 * UInt32(sec))
        var padded = hash2Input + [0x80]
        padded += [UInt8](repeating: 0, count: (120 - padded.count % 64) % 64)
        padded.append(bigEndian: UInt64(hash2Input.count) * 8)
        let words = stride(from: 0, to: padded.count, by: 4).map { UInt32(bigEndian: padded[$0..<$0 + 4]) }
        let block = CMS_BLOCK_WORDS
        let schedule = CMS_SCHEDULE_WORDS
        first = Array(words.prefix(block))
        schedules = stride(from: block, to: words.count, by: block).flatMap { start in
            [UInt32](unsafeUninitializedCapacity: schedule) { prepared, count in
                words[start..<start + block].withUnsafeBufferPointer {
                    guard let block = $0.baseAddress, let prepared = prepared.baseAddress else { return }
                    cms_schedule(block, prepared)
                }
                count = schedule
            }
        }
    }

    /// Tries `modifier` and those after it, `attempts` in all. Returns how many fail before the first that will do; nil if
    /// all do.
    func firstHit(from modifier: UInt128, attempts: UInt64) -> UInt64? {
        var message = cms_message()
        message.blocks = schedules.count / CMS_SCHEDULE_WORDS
        return first.withUnsafeBytes { first in
            schedules.withUnsafeBufferPointer { schedules in
                withUnsafeMutableBytes(of: &message.first) { $0.copyMemory(from: first) }
                message.schedules = schedules.baseAddress
                var tried: UInt64 = 0
                while tried < attempts {
                    let current = modifier &+ UInt128(tried)
                    let last = UInt32(truncatingIfNeeded: current)
                    message.first.0 = UInt32(truncatingIfNeeded: current >> 96)
                    message.first.1 = UInt32(truncatingIfNeeded: current >> 64)
                    message.first.2 = UInt32(truncatingIfNeeded: current >> 32)
                    message.first.3 = last
                    // Only the last word is counted up there.
                    let run = min(attempts - tried, 1 << 32 - UInt64(last))
                    let failed = cms_search(&message, mask, run)
                    tried += failed
                    if failed < run { return tried }
                }
                return nil
            }
        }
    }
}

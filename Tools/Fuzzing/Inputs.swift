/// Inputs that are made of samples by chance; the same seed makes the same ones.
public struct Inputs {
    private let samples: [[UInt8]]
    /// Octets that mean something to the reader.
    private let marks: [UInt8]
    private let longest: Int
    public private(set) var random: Seeded

    public init(samples: [[UInt8]], marks: some Sequence<UInt8>, longest: Int = 4096, seed: UInt64) {
        precondition(!samples.isEmpty)
        self.samples = samples
        self.marks = Array(marks) + [0, 1, 0x7f, 0x80, 0xff]
        self.longest = longest
        random = Seeded(state: seed)
    }

    public mutating func next() -> [UInt8] {
        var octets = samples[Int.random(in: 0..<samples.count, using: &random)]
        for _ in 0..<Int.random(in: 0...6, using: &random) { change(&octets) }
        return octets.count <= longest ? octets : Array(octets.prefix(longest))
    }

    private mutating func change(_ octets: inout [UInt8]) {
        let place = Int.random(in: 0...octets.count, using: &random)
        let end = min(octets.count, place + (1 << Int.random(in: 0...7, using: &random)))
        switch Int.random(in: 0..<8, using: &random) {
        case 0 where place < octets.count: octets[place] = .random(in: 0...255, using: &random)
        case 1 where place < octets.count: octets[place] = mark()
        case 2 where place < octets.count: octets[place] ^= 1 << Int.random(in: 0...7, using: &random)
        case 3: octets.insert(mark(), at: place)
        case 4: octets.removeSubrange(place..<end)
        case 5: octets.insert(contentsOf: octets[place..<end], at: place)
        case 6: octets.insert(contentsOf: Array(repeating: mark(), count: end - place), at: place)
        case _:
            let other = samples[Int.random(in: 0..<samples.count, using: &random)]
            octets.replaceSubrange(place..., with: other.dropFirst(Int.random(in: 0...other.count, using: &random)))
        }
    }

    private mutating func mark() -> UInt8 { marks[Int.random(in: 0..<marks.count, using: &random)] }
}

/// SplitMix64.
public struct Seeded: RandomNumberGenerator {
    var state: UInt64

    public init(state: UInt64) { self.state = state }

    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}

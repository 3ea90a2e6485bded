import Shim6Wire

/// How many messages of each type there were. One is counted for each packet of a flood: without a hash.
struct MessageCounts {
    private var counts = [UInt64](repeating: 0, count: 128)

    mutating func add(_ type: MessageType) { counts[Int(type.rawValue)] &+= 1 }

    /// Those that are not zero.
    var byType: [MessageType: UInt64] {
        Dictionary(uniqueKeysWithValues: MessageType.allCases.map { ($0, counts[Int($0.rawValue)]) }).filter { $1 > 0 }
    }
}

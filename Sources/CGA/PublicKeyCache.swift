/// Decoded public keys by their SubjectPublicKeyInfo. Holds `capacity` of them and gives up the one unused for longest.
struct PublicKeyCache: Sendable {
    private struct Entry {
        let name: [UInt8]
        let key: PublicKey
        /// Towards the more recently used.
        var newer: Int
        /// Towards the less recently used.
        var older: Int
    }

    let capacity: Int
    private var places: [[UInt8]: Int] = [:]
    /// A ring of entries in order of use.
    private var entries: [Entry] = []
    private var newest = 0

    init(capacity: Int) {
        self.capacity = max(capacity, 0)
    }

    var count: Int { entries.count }

    /// The key of this SubjectPublicKeyInfo, if it is here; it then counts as the most recently used.
    mutating func key(for subjectPublicKeyInfo: [UInt8]) -> PublicKey? {
        guard let place = places[subjectPublicKeyInfo] else { return nil }
        touch(place)
        return entries[place].key
    }

    mutating func insert(_ key: PublicKey, for subjectPublicKeyInfo: [UInt8]) {
        guard capacity > 0, places[subjectPublicKeyInfo] == nil else { return }
        guard entries.count == capacity else {
            let place = entries.count
            entries.append(Entry(name: subjectPublicKeyInfo, key: key, newer: place, older: place))
            places[subjectPublicKeyInfo] = place
            if place > 0 { link(place) }
            newest = place
            return
        }
        // In the ring the oldest follows the newest, so taking its place and calling it newest keeps the order.
        let place = entries[newest].newer
        places[entries[place].name] = nil
        places[subjectPublicKeyInfo] = place
        entries[place] = Entry(
            name: subjectPublicKeyInfo, key: key, newer: entries[place].newer, older: entries[place].older)
        newest = place
    }

    private mutating func touch(_ place: Int) {
        guard place != newest else { return }
        if entries[newest].newer != place {
            entries[entries[place].newer].older = entries[place].older
            entries[entries[place].older].newer = entries[place].newer
            link(place)
        }
        newest = place
    }

    /// Puts an entry that is in no ring between the newest and the oldest.
    private mutating func link(_ place: Int) {
        let oldest = entries[newest].newer
        entries[place].older = newest
        entries[place].newer = oldest
        entries[newest].newer = place
        entries[oldest].older = place
    }
}

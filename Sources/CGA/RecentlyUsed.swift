/// Values by their names: `capacity` of them at most, and the one unused for longest makes room.
public struct RecentlyUsed<Name: Hashable & Sendable, Value: Sendable>: Sendable {
    @usableFromInline
    struct Entry: Sendable {
        @usableFromInline let name: Name
        @usableFromInline let value: Value
        /// Towards the more recently used.
        @usableFromInline var newer: Int
        /// Towards the less recently used.
        @usableFromInline var older: Int

        @inlinable
        init(name: Name, value: Value, newer: Int, older: Int) {
            self.name = name
            self.value = value
            self.newer = newer
            self.older = older
        }
    }

    public let capacity: Int
    /// How many had to make room.
    public var evictions: UInt64 { madeRoom }
    @usableFromInline var madeRoom: UInt64 = 0
    @usableFromInline var places: [Name: Int] = [:]
    /// A ring of entries in order of use.
    @usableFromInline var entries: [Entry] = []
    @usableFromInline var newest = 0

    /// Keeps nothing if `capacity` is zero or less.
    @inlinable
    public init(capacity: Int) {
        self.capacity = max(capacity, 0)
    }

    @inlinable public var count: Int { entries.count }

    /// The value of this name, if it is here; it then counts as the most recently used.
    @inlinable
    public mutating func value(for name: Name) -> Value? {
        guard let place = places[name] else { return nil }
        touch(place)
        return entries[place].value
    }

    /// Keeps a value as the most recently used. One that is here already stays as it is.
    @inlinable
    public mutating func insert(_ value: Value, for name: Name) {
        guard capacity > 0, places[name] == nil else { return }
        guard entries.count == capacity else {
            let place = entries.count
            entries.append(Entry(name: name, value: value, newer: place, older: place))
            places[name] = place
            if place > 0 { link(place) }
            newest = place
            return
        }
        // In the ring the oldest follows the newest, so taking its place and calling it newest keeps the order.
        let place = entries[newest].newer
        places[entries[place].name] = nil
        places[name] = place
        madeRoom &+= 1
        entries[place] = Entry(name: name, value: value, newer: entries[place].newer, older: entries[place].older)
        newest = place
    }

    @inlinable
    mutating func touch(_ place: Int) {
        guard place != newest else { return }
        if entries[newest].newer != place {
            entries[entries[place].newer].older = entries[place].older
            entries[entries[place].older].newer = entries[place].newer
            link(place)
        }
        newest = place
    }

    /// Puts an entry that is in no ring between the newest and the oldest.
    @inlinable
    mutating func link(_ place: Int) {
        let oldest = entries[newest].newer
        entries[place].older = newest
        entries[place].newer = oldest
        entries[newest].newer = place
        entries[oldest].older = place
    }
}

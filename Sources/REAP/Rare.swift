/// An optional value that is seldom there. While it is not it takes one word, whatever its size: a host has many contexts.
@propertyWrapper
public struct Rare<Value> {
    private var held: [Value] = []

    public init(wrappedValue: Value?) { self.wrappedValue = wrappedValue }

    public var wrappedValue: Value? {
        get { held.first }
        set { held = newValue.map { [$0] } ?? [] }
    }
}

extension Rare: Sendable where Value: Sendable {}

/// Random numbers for the modules without I/O, drawn from a generator that the owner hands in. One type whatever the
/// generator is, so that code which draws is no generic code. Copies draw from the same generator.
public struct RandomSource: RandomNumberGenerator {
    private let draw: () -> UInt64

    public init(_ generator: some RandomNumberGenerator) {
        var generator = generator
        draw = { generator.next() }
    }

    public func next() -> UInt64 { draw() }
}

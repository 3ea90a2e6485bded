/// An experimental option of I2, R2, I2bis and Update Request, beside Keepalive Timeout, which counts whole seconds: the
/// sender's Send Timeout, finer. It holds only between hosts that both send it; C is 0, so that others skip it.
///
/// Octets 0-3 behind the discriminator: Send Timeout in milliseconds.
public struct ReachabilityTiming: Hashable, Sendable {
    /// Not 0.
    public var sendTimeoutMilliseconds: UInt32

    public init(sendTimeoutMilliseconds: UInt32) {
        self.sendTimeoutMilliseconds = sendTimeoutMilliseconds
    }
}

extension ReachabilityTiming {
    /// Nil for a Send Timeout of 0, which means nothing usable. `contents` are 4 octets.
    init?(_ contents: ArraySlice<UInt8>) {
        sendTimeoutMilliseconds = contents.bigEndian(UInt32.self, at: 0)
        if sendTimeoutMilliseconds == 0 { return nil }
    }

    func write(to writer: inout MessageWriter) {
        guard sendTimeoutMilliseconds > 0 else { return }
        writer.experimental(.reachabilityTiming) { $0.append(sendTimeoutMilliseconds) }
    }
}

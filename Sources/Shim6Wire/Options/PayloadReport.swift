/// An experimental option of Probe, beside the reports of Probes: the payload that reached the sender last. It shows a
/// host whose own direction works that it need not move, when only the other one has failed ("information about the
/// recently received payload traffic", RFC 5534, section 4.2). C is 0, so that others skip it.
///
/// Octets 0-15 and 16-31 behind the discriminator the locators of the packet as it arrived, source and destination, 32-35
/// its age in milliseconds when the Probe was sent, rounded up.
public struct PayloadReport: Hashable, Sendable {
    public var source: IPv6Address
    public var destination: IPv6Address
    public var ageMilliseconds: UInt32

    public init(source: IPv6Address, destination: IPv6Address, ageMilliseconds: UInt32) {
        self.source = source
        self.destination = destination
        self.ageMilliseconds = ageMilliseconds
    }
}

extension PayloadReport {
    /// `contents` are 36 octets.
    init(_ contents: ArraySlice<UInt8>) {
        self.init(
            source: contents.address(at: 0), destination: contents.address(at: 16),
            ageMilliseconds: contents.bigEndian(UInt32.self, at: 32))
    }

    func write(to writer: inout MessageWriter) {
        writer.experimental(.payloadReport) { writer in
            writer.append(source)
            writer.append(destination)
            writer.append(ageMilliseconds)
        }
    }
}

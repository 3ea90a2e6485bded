/// Builds the octets of one control message, every one of them set.
struct MessageWriter {
    private(set) var octets: [UInt8]

    /// Begins with octets 0-5; `detail` is octet 3. Hdr Ext Len and checksum are set at the end.
    init(_ type: MessageType, detail: UInt8 = 0) {
        octets = []
        octets.reserveCapacity(Self.room(for: type))
        octets += [NextHeader.none, 0, type.rawValue, detail, 0, 0]
    }

    /// What most messages of a type do not exceed.
    private static func room(for type: MessageType) -> Int {
        switch type {
        case .i2, .r2, .i2bis, .updateRequest: 768
        case .i1, .r1, .r1bis, .updateAcknowledgement, .keepalive, .probe, .error: 64
        }
    }

    mutating func append<Number: FixedWidthInteger & UnsignedInteger>(_ number: Number) {
        withUnsafeBytes(of: number.bigEndian) { octets.append(contentsOf: $0) }
    }

    mutating func append(_ address: IPv6Address) {
        append(address.high)
        append(address.low)
    }

    /// A tag in 6 octets, the top bit zero.
    mutating func append(_ tag: ContextTag) {
        append(UInt16(truncatingIfNeeded: tag.rawValue >> 32))
        append(UInt32(truncatingIfNeeded: tag.rawValue))
    }

    mutating func append(contentsOf more: [UInt8]) { octets += more }

    mutating func append(zeros count: Int) { octets += repeatElement(0, count: count) }

    /// Appends zeros up to a multiple of 8 octets.
    mutating func pad() { append(zeros: (8 - octets.count % 8) % 8) }

    /// Appends an option with C = 0, its contents written by `contents`, and its padding (RFC 5533, section 5.15).
    mutating func option(_ type: OptionType, contents: (inout MessageWriter) -> Void) {
        append(type.rawValue << 1)  // 5533-5.15-09
        append(0 as UInt16)
        let start = octets.count
        contents(&self)
        // More than 16 bits hold is more than a message holds: `finish` refuses it.
        let length = UInt16(truncatingIfNeeded: octets.count - start)  // 5533-5.15-04
        octets[start - 2] = UInt8(length >> 8)
        octets[start - 1] = UInt8(length & 0xff)
        pad()  // 5533-5.15-03, 5533-5.15-05
    }

    mutating func option(_ type: OptionType, _ contents: [UInt8]?) {
        guard let contents else { return }
        option(type) { $0.append(contentsOf: contents) }
    }

    /// The whole message, a multiple of 8 octets by now.
    consuming func finish() throws(EncodeError) -> [UInt8] {
        guard octets.count <= ControlMessage.maximumLength else { throw .tooLarge(octets: octets.count) }
        octets[1] = UInt8(octets.count / 8 - 1)
        let checksum = InternetChecksum.over(octets, count: octets.count)
        octets[4] = UInt8(checksum >> 8)
        octets[5] = UInt8(checksum & 0xff)
        return octets
    }
}

extension RandomAccessCollection<UInt8> where Index == Int {
    /// The number in network order `offset` octets after the first one. The caller has checked that it is there.
    func bigEndian<Number: FixedWidthInteger & UnsignedInteger>(_: Number.Type, at offset: Int) -> Number {
        var number: Number = 0
        for index in 0..<(Number.bitWidth / 8) {
            number = number << 8 | Number(self[startIndex + offset + index])
        }
        return number
    }

    /// The 16 octets of an address, `offset` octets after the first one. The caller has checked that they are there.
    func address(at offset: Int) -> IPv6Address {
        IPv6Address(high: bigEndian(UInt64.self, at: offset), low: bigEndian(UInt64.self, at: offset + 8))
    }

    /// The low 47 bits of the 6 octets `offset` octets after the first one. The caller has checked that they are there.
    func tag(at offset: Int) -> ContextTag {
        let high = UInt64(bigEndian(UInt16.self, at: offset))
        return ContextTag(truncating: high << 32 | UInt64(bigEndian(UInt32.self, at: offset + 2)))
    }
}

extension FixedWidthInteger where Self: UnsignedInteger {
    /// The octets in network order.
    var octets: [UInt8] { withUnsafeBytes(of: bigEndian) { Array($0) } }
}

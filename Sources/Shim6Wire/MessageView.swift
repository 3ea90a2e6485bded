/// A control message in its octets, with everything checked that needs no state and no reading of options: the checks
/// of RFC 5533, section 12.3, the minimum length of the type, the counts and state of a Probe, and the headers of all
/// options (section 5.15). Fixed fields and single options are read from it at little cost.
public struct MessageView: Sendable {
    /// From the first octet of the Shim6 header on. There may be more than the message.
    public let octets: [UInt8]
    /// The octets of the message: (Hdr Ext Len + 1) * 8.
    public let length: Int
    public let type: MessageType
    /// Where the options begin.
    private let optionsOffset: Int
    /// The places of the types of option that it has.
    private var present: UInt16 = 0

    /// Checks the message at the beginning of `octets`. What follows it is not looked at (RFC 5533, section 5.3).
    /// - Throws: the reason to drop the message and, in `unknownMessageType` and `unrecognisedCriticalOption`, where
    ///   the Pointer of an Error points to.
    public init(_ octets: [UInt8]) throws(ParseError) {
        guard octets.count >= 8 else { throw ParseError(.truncated, at: octets.count) }
        guard octets[2] & 0x80 == 0 else { throw ParseError(.wrongKind, at: 2) }
        guard octets[3] & 1 == 0 else { throw ParseError(.notShim6, at: 3) }
        let length = (Int(octets[1]) + 1) * 8
        guard length <= octets.count else { throw ParseError(.pastEnd, at: 1) }
        guard InternetChecksum.over(octets, count: length) == 0 else { throw ParseError(.checksum, at: 4) }
        guard let type = MessageType(rawValue: octets[2]) else { throw ParseError(.unknownMessageType, at: 2) }
        guard length >= type.minimumLength else { throw ParseError(.tooShort, at: 1) }
        self.octets = octets
        self.length = length
        self.type = type
        switch type {
        case .error: optionsOffset = length
        case .probe: optionsOffset = try Self.endOfReports(octets, length: length)
        case .i1, .r1, .i2, .r2, .r1bis, .i2bis, .updateRequest, .updateAcknowledgement, .keepalive:
            optionsOffset = type.minimumLength
        }
        present = try checkOptions()
    }

    /// Checks the counts and the state of a Probe (RFC 5534, section 5.2); returns where its options begin.
    private static func endOfReports(_ octets: [UInt8], length: Int) throws(ParseError) -> Int {
        let sent = Int(octets[12] & 0xf)
        let received = Int(octets[12] >> 4)
        // 5534-5.2-14
        guard sent > 0 else { throw ParseError(.probeWithoutReport, at: 12) }
        let end = 16 + (sent + received) * ProbeReport.length
        guard end <= length else { throw ParseError(.probeReportsPastEnd, at: 12) }
        guard ProbeState(rawValue: octets[13] >> 6) != nil else { throw ParseError(.probeState, at: 13) }
        return end
    }

    /// Returns the places of the types of option that mean something in the message.
    private func checkOptions() throws(ParseError) -> UInt16 {
        var walk = OptionWalk(octets: octets, offset: optionsOffset, end: length)
        var seen: UInt16 = 0
        while let raw = walk.next() {
            if let type = walk.type(of: raw, in: self.type) {
                let bit: UInt16 = 1 << type.place
                guard seen & bit == 0 else { throw ParseError(.duplicateOption, at: raw.offset) }
                seen |= bit
            } else if raw.isCritical {  // 5533-5.15-14
                throw ParseError(.unrecognisedCriticalOption, at: raw.offset)
            }
        }
        guard walk.isAtEnd else { throw ParseError(.optionPastEnd, at: walk.offset) }
        return seen
    }

    /// Refuses addresses that no control message may come from or go to (RFC 5533, section 12.3).
    /// - Throws: `multicastAddress`, `unspecifiedAddress`; the offset is 0.
    public static func checkAddresses(source: IPv6Address, destination: IPv6Address) throws(ParseError) {
        if source.isMulticast || destination.isMulticast { throw ParseError(.multicastAddress, at: 0) }
        if source.isUnspecified || destination.isUnspecified { throw ParseError(.unspecifiedAddress, at: 0) }
    }
}

// Options.
extension MessageView {
    /// The options that mean something in this message; no type comes twice.
    public var options: OptionSequence {
        OptionSequence(OptionWalk(octets: octets, offset: optionsOffset, end: length), in: type)
    }

    /// The option of this type, if the message has it and it means something there.
    public func option(_ type: OptionType) -> OptionView? {
        present & 1 << type.place == 0 ? nil : options.first { $0.type == type }
    }

    /// The contents of the Responder Validator option, found without reading the others.
    public var responderValidator: ArraySlice<UInt8>? { option(.responderValidator)?.contents }
}

// Fixed fields.
extension MessageView {
    /// Octets 6-11: the Initiator, Responder, Packet or Receiver Context Tag. Nil in R1 and Error, which have none.
    public var contextTag: ContextTag? {
        switch type {
        case .r1, .error: nil
        case .i1, .i2, .r2, .r1bis, .i2bis, .updateRequest, .updateAcknowledgement, .keepalive, .probe:
            octets.tag(at: 6)
        }
    }

    /// The Packet Context Tag of R1bis and I2bis.
    public var packetTag: ContextTag? {
        switch type {
        case .r1bis: octets.tag(at: 6)
        case .i2bis: octets.tag(at: 26)
        case .i1, .r1, .i2, .r2, .updateRequest, .updateAcknowledgement, .keepalive, .probe, .error: nil
        }
    }

    /// The Initiator Nonce of I1, R1, I2, R2 and I2bis.
    public var initiatorNonce: UInt32? {
        switch type {
        case .i1, .i2, .r2, .i2bis: octets.bigEndian(UInt32.self, at: 12)
        case .r1: octets.bigEndian(UInt32.self, at: 8)
        case .r1bis, .updateRequest, .updateAcknowledgement, .keepalive, .probe, .error: nil
        }
    }

    /// The Responder Nonce of R1, I2, R1bis and I2bis.
    public var responderNonce: UInt32? {
        switch type {
        case .r1, .r1bis: octets.bigEndian(UInt32.self, at: 12)
        case .i2, .i2bis: octets.bigEndian(UInt32.self, at: 16)
        case .i1, .r2, .updateRequest, .updateAcknowledgement, .keepalive, .probe, .error: nil
        }
    }

    /// The Request Nonce of Update Request and Update Acknowledgement.
    public var requestNonce: UInt32? {
        switch type {
        case .updateRequest, .updateAcknowledgement: octets.bigEndian(UInt32.self, at: 12)
        case .i1, .r1, .i2, .r2, .r1bis, .i2bis, .keepalive, .probe, .error: nil
        }
    }
}

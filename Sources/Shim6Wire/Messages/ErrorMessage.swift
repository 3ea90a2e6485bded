/// Error (RFC 5533, section 5.14). The top 7 bits of octet 3 Error Code, octets 6-7 Pointer, 8- the packet in error
/// from its IPv6 header on, padded with zeros to a multiple of 8 octets.
public struct ErrorMessage: Hashable, Sendable {
    /// 7 bits.
    public struct Code: Hashable, Sendable, RawRepresentable {
        public let rawValue: UInt8

        /// Nil if `rawValue` needs more than 7 bits.
        public init?(rawValue: UInt8) {
            guard rawValue < 0x80 else { return nil }
            self.rawValue = rawValue
        }

        /// The low 7 bits of `octet`.
        init(truncating octet: UInt8) {
            rawValue = octet & 0x7f
        }

        public static let unknownMessageType = Code(truncating: 0)
        public static let unrecognisedCriticalOption = Code(truncating: 1)
        public static let verificationMethodFailed = Code(truncating: 2)
        public static let generationOutOfSync = Code(truncating: 3)
        public static let wrongNumberOfLocators = Code(truncating: 4)
    }

    public var code: Code
    /// Where the problem lies: octets from the first one of the quoted IPv6 header.
    public var pointer: UInt16
    /// The packet in error, or its beginning. From the wire: without padding, as far as the quoted header tells.
    public var packet: [UInt8]

    /// An Error about `packet`, which is cut where the message would grow too large to send.
    public init(code: Code, pointer: UInt16, packet: [UInt8]) {
        self.code = code
        self.pointer = pointer
        self.packet = Array(packet.prefix(Self.maximumQuotation))
    }

    /// An Error about a control message, whose IPv6 header is made anew from what is left of it: version, Payload Length,
    /// Next Header 140, addresses. `offset` counts from the first octet of the Shim6 header.
    public init(code: Code, offset: Int, message: [UInt8], source: IPv6Address, destination: IPv6Address) {
        let header = IPv6Header(
            payloadLength: UInt16(clamping: message.count), nextHeader: NextHeader.shim6, source: source,
            destination: destination)
        self.init(
            code: code, pointer: UInt16(clamping: IPv6Header.length + offset), packet: header.encoded + message)
    }

    /// What a message of the largest size can quote.
    public static let maximumQuotation = ControlMessage.maximumLength - 8
}

extension ErrorMessage {
    init(_ view: MessageView) {
        code = Code(truncating: view.octets[3] >> 1)
        pointer = view.octets.bigEndian(UInt16.self, at: 6)
        packet = Array(Self.withoutPadding(view.octets[8..<view.length]))
    }

    /// Cuts a quotation where its IPv6 header says that the packet ends, if it does.
    private static func withoutPadding(_ quotation: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard let header = IPv6Header(quotation) else { return quotation }
        return quotation.prefix(IPv6Header.length + Int(header.payloadLength))
    }

    func writer() -> MessageWriter {
        var writer = MessageWriter(.error, detail: code.rawValue << 1)
        writer.append(pointer)
        writer.append(contentsOf: packet)
        // Hdr Ext Len is at least 1.
        if packet.isEmpty { writer.append(zeros: 8) }
        writer.pad()
        return writer
    }
}

extension ErrorMessage {
    /// What the quoted message says of the context that it was sent for.
    public struct Quotation: Hashable, Sendable {
        public var source: IPv6Address
        public var destination: IPv6Address
        public var type: MessageType
        /// Octets 6-11: the context tag, in the types that have one.
        public var tag: ContextTag
        /// Octets 12-15: the Initiator or Request Nonce, in the types that have one.
        public var nonce: UInt32
    }

    /// Nil if it quotes no control message, or too little of it. Its checksum is not looked at, since the quotation may
    /// be cut short.
    public var quotation: Quotation? {
        guard let header = IPv6Header(packet[...]), header.nextHeader == NextHeader.shim6 else { return nil }
        let message = packet[IPv6Header.length...]
        guard message.count >= 16, let type = MessageType(rawValue: message.bigEndian(UInt8.self, at: 2)) else {
            return nil
        }
        return Quotation(
            source: header.source, destination: header.destination, type: type, tag: message.tag(at: 6),
            nonce: message.bigEndian(UInt32.self, at: 12))
    }
}

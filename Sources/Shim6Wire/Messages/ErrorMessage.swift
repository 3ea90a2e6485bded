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

        private init(_ rawValue: UInt8) {
            self.rawValue = rawValue
        }

        public static let unknownMessageType = Code(0)
        public static let unrecognisedCriticalOption = Code(1)
        public static let verificationMethodFailed = Code(2)
        public static let generationOutOfSync = Code(3)
        public static let wrongNumberOfLocators = Code(4)
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

    /// What a message of the largest size can quote.
    public static let maximumQuotation = ControlMessage.maximumLength - 8
}

import Shim6Wire

/// What came back for a probe.
struct Answer: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        case echoReply
        case message(MessageType)
        case timeExceeded
        case unreachable(code: UInt8)
        case tooBig(mtu: UInt32)
        /// Protocol 140 came to a host that knows no such protocol.
        case unknownProtocol
        case otherError
    }

    var kind: Kind
    var from: IPv6Address
    /// Index of the interface on which it came in; 0 if only a socket has seen it.
    var interface: UInt32

    /// Whether it says that the probe came to its destination.
    var isFromDestination: Bool {
        switch kind {
        case .echoReply, .message, .unknownProtocol: true
        case .timeExceeded, .unreachable, .tooBig, .otherError: false
        }
    }

    /// Nil if it is none.
    static func kind(nextHeader: UInt8, octets: [UInt8]) -> Kind? {
        guard let first = octets.first else { return nil }
        guard nextHeader == NextHeader.icmpv6 else {
            guard octets.count >= 16, let type = MessageType(rawValue: octets[2]) else { return nil }
            return .message(type)
        }
        if first == 129 { return .echoReply }
        guard first < 128, let error = ICMPv6Error(octets) else { return nil }
        switch error.type {
        case .timeExceeded: return .timeExceeded
        case .destinationUnreachable: return .unreachable(code: error.code)
        case .packetTooBig: return .tooBig(mtu: error.word)
        case .parameterProblem: return error.isUnknownNextHeader ? .unknownProtocol : .otherError
        default: return .otherError
        }
    }
}

/// Everything that was seen of one probe.
struct Trail: Hashable, Sendable {
    /// Why the stack did not take it.
    var refusal: Int32?
    /// Indexes of the interfaces by which it left this host.
    var left: Set<UInt32> = []
    /// Indexes of the interfaces on which it came in.
    var arrived: Set<UInt32> = []
    /// It has got to a socket, past all that filters.
    var isDelivered = false
    var answers: Set<Answer> = []
    /// Those of the answers that have got to a socket.
    var delivered: Set<Answer.Kind> = []

    /// The answer of the probe's destination.
    var reply: Answer? { answers.first(where: \.isFromDestination) }
    /// Of those in between.
    var error: Answer? { answers.first { !$0.isFromDestination } }
}

import NIOCore

/// Takes the commands of the telnet protocol (RFC 854) out of the octets that come in, and refuses every option.
final class TelnetFilter: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum Octet {
        static let endOfFile: UInt8 = 236
        static let subnegotiationEnd: UInt8 = 240
        static let subnegotiation: UInt8 = 250
        static let will: UInt8 = 251
        static let wont: UInt8 = 252
        static let `do`: UInt8 = 253
        static let dont: UInt8 = 254
        static let interpretAsCommand: UInt8 = 255
    }

    private enum State {
        case text
        /// After IAC.
        case command
        /// After IAC and WILL, WONT, DO or DONT.
        case option(UInt8)
        case subnegotiation
        /// After IAC inside a subnegotiation.
        case subnegotiationCommand
    }

    private struct Refusal: Hashable {
        var verb: UInt8
        var option: UInt8
    }

    private var state = State.text
    private var isAtStart = true
    /// Each is sent once, so that two sides cannot refuse each other for ever.
    private var refusals: Set<Refusal> = []

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var text = context.channel.allocator.buffer(capacity: unwrapInboundIn(data).readableBytes)
        var answer = ByteBuffer()
        var isOver = false
        for octet in unwrapInboundIn(data).readableBytesView {
            if case .text = state, octet != Octet.interpretAsCommand {
                guard !isAtStart || TelnetFilter.canBegin(octet) else { return context.close(promise: nil) }
                isAtStart = false
            }
            switch (state, octet) {
            case (.text, Octet.interpretAsCommand): state = .command
            // A line ends with CR LF, CR NUL or LF; after this only LF is left, and CR before it, which the next handler drops.
            case (.text, 0): break
            case (.text, _): text.writeInteger(octet)
            case (.command, Octet.interpretAsCommand):
                text.writeInteger(octet)
                state = .text
            case (.command, Octet.will...Octet.dont): state = .option(octet)
            case (.command, Octet.subnegotiation): state = .subnegotiation
            case (.command, Octet.endOfFile):
                isOver = true
                state = .text
            case (.command, _): state = .text
            case (.option(let verb), _):
                refuse(verb, option: octet, in: &answer)
                state = .text
            case (.subnegotiation, Octet.interpretAsCommand): state = .subnegotiationCommand
            case (.subnegotiation, _): break
            case (.subnegotiationCommand, Octet.subnegotiationEnd): state = .text
            case (.subnegotiationCommand, _): state = .subnegotiation
            }
        }
        if answer.readableBytes > 0 { context.writeAndFlush(wrapOutboundOut(answer), promise: nil) }
        if text.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(text)) }
        if isOver { context.close(promise: nil) }
    }

    /// What a person can type first. TLS and other protocols of octets begin with others, and may never end a line.
    private static func canBegin(_ octet: UInt8) -> Bool {
        switch octet {
        case 0x08...0x0d, 0x1b, 0x20...0x7f: true
        case _: false
        }
    }

    private func refuse(_ verb: UInt8, option: UInt8, in answer: inout ByteBuffer) {
        let refusal: UInt8
        switch verb {
        case Octet.will: refusal = Octet.dont
        case Octet.do: refusal = Octet.wont
        case _: return
        }
        guard refusals.insert(Refusal(verb: refusal, option: option)).inserted else { return }
        answer.writeBytes([Octet.interpretAsCommand, refusal, option])
    }
}

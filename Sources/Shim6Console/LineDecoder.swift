import NIOCore

/// Takes the octets of a connection apart at the ends of lines, LF or CR LF. What has no end when the connection ends is
/// no line.
///
/// A line longer than the limit, its end not counted, is an error, whether its end has come or not; nothing after it is
/// read.
struct LineDecoder: ByteToMessageDecoder {
    typealias InboundOut = ByteBuffer

    struct LineTooLong: Error {}

    /// Octets.
    private let limit: Int
    /// So many octets of the buffer have been looked at and hold no end.
    private var scanned = 0

    init(limit: Int) {
        self.limit = limit
    }

    mutating func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
        let octets = buffer.readableBytesView
        guard let end = octets.dropFirst(scanned).firstIndex(of: UInt8(ascii: "\n")) else {
            scanned = octets.count
            // One more may be the CR of the end.
            guard scanned <= limit + 1 else { throw LineTooLong() }
            return .needMoreData
        }
        let line = octets[..<end]
        let length = line.last == UInt8(ascii: "\r") ? line.count - 1 : line.count
        guard length <= limit else { throw LineTooLong() }
        let content = buffer.readSlice(length: length)
        buffer.moveReaderIndex(forwardBy: line.count + 1 - length)
        scanned = 0
        if let content { context.fireChannelRead(wrapInboundOut(content)) }
        return .continue
    }

    mutating func decodeLast(
        context: ChannelHandlerContext, buffer: inout ByteBuffer, seenEOF: Bool
    ) throws -> DecodingState {
        while try decode(context: context, buffer: &buffer) == .continue {}
        buffer.moveReaderIndex(to: buffer.writerIndex)
        scanned = 0
        return .needMoreData
    }
}

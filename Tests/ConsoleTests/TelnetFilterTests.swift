import NIOCore
import NIOEmbedded
import Testing

@testable import Shim6Console

@Suite struct TelnetFilterTests {
    /// What gets through, and what is answered.
    private static func filter(_ octets: [UInt8], inPiecesOf size: Int) throws -> (text: String, answer: [UInt8]) {
        let channel = EmbeddedChannel(handler: TelnetFilter())
        for start in stride(from: 0, to: octets.count, by: size) {
            try channel.writeInbound(ByteBuffer(bytes: octets[start..<min(start + size, octets.count)]))
        }
        var text = ByteBuffer()
        while var piece = try channel.readInbound(as: ByteBuffer.self) { text.writeBuffer(&piece) }
        var answer = ByteBuffer()
        while var piece = try channel.readOutbound(as: ByteBuffer.self) { answer.writeBuffer(&piece) }
        _ = try? channel.finish()
        return (String(buffer: text), Array(answer.readableBytesView))
    }

    @Test(arguments: [1, 2, 3, 100])
    func `Options are refused once each and leave no trace in the text`(size: Int) throws {
        let octets: [UInt8] =
            Array("l".utf8) + [255, 251, 31] + Array("s".utf8) + [255, 253, 1, 255, 251, 31, 255, 253, 1]
            + [255, 252, 3, 255, 254, 5] + [13, 10]
        let (text, answer) = try Self.filter(octets, inPiecesOf: size)
        #expect(text == "ls\r\n")
        #expect(answer == [255, 254, 31, 255, 252, 1])
    }

    @Test(arguments: [1, 4, 100])
    func `Subnegotiations and commands are taken out`(size: Int) throws {
        let octets: [UInt8] =
            [255, 250, 24, 0] + Array("xterm".utf8) + [255, 255, 255, 240] + Array("a".utf8) + [255, 241]
            + Array("b".utf8) + [255, 244, 13, 0, 10]
        let (text, answer) = try Self.filter(octets, inPiecesOf: size)
        #expect(text == "ab\r\n")
        #expect(answer.isEmpty)
    }

    @Test func `A doubled command octet is one octet of text`() throws {
        let channel = EmbeddedChannel(handler: TelnetFilter())
        try channel.writeInbound(ByteBuffer(bytes: [65, 255, 255, 66]))
        let text = try channel.readInbound(as: ByteBuffer.self)
        #expect(text.map { Array($0.readableBytesView) } == [65, 255, 66])
        _ = try channel.finish()
    }

    @Test func `The end-of-file command ends the connection`() throws {
        let channel = EmbeddedChannel(handler: TelnetFilter())
        try channel.connect(to: SocketAddress(ipAddress: "::1", port: 1)).wait()
        #expect(channel.isActive)
        try channel.writeInbound(ByteBuffer(bytes: [255, 236]))
        channel.embeddedEventLoop.run()
        #expect(!channel.isActive)
    }
}

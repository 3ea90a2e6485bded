import NIOCore
import NIOEmbedded
import Testing

@testable import Shim6Console

@Suite struct LineDecoderTests {
    private func channel(limit: Int = 8) -> EmbeddedChannel {
        EmbeddedChannel(handler: ByteToMessageHandler(LineDecoder(limit: limit)))
    }

    private func lines(of channel: EmbeddedChannel) throws -> [String] {
        var lines: [String] = []
        while let line = try channel.readInbound(as: ByteBuffer.self) { lines.append(String(buffer: line)) }
        return lines
    }

    @Test func `Lines may be cut anywhere`() throws {
        let text = Array("ab\r\n\nc\r\r\n\r\nde\n".utf8)
        for first in text.indices {
            for second in first..<text.endIndex {
                let channel = channel()
                for part in [text[..<first], text[first..<second], text[second...]] {
                    try channel.writeInbound(ByteBuffer(bytes: part))
                }
                #expect(try lines(of: channel) == ["ab", "", "c\r", "", "de"])
                #expect(try channel.finish().isClean)
            }
        }
    }

    @Test(arguments: [
        ("12345678\n", ["12345678"]), ("12345678\r\n", ["12345678"]), ("1\n12345678\r\n2\n", ["1", "12345678", "2"]),
    ])
    func `A line of the greatest length passes`(text: String, expected: [String]) throws {
        let whole = channel()
        try whole.writeInbound(ByteBuffer(string: text))
        let octetwise = channel()
        for octet in text.utf8 { try octetwise.writeInbound(ByteBuffer(bytes: [octet])) }
        #expect(try lines(of: whole) == expected)
        #expect(try lines(of: octetwise) == expected)
    }

    @Test(arguments: ["123456789\n", "123456789\r\n", "1234567890", "1\n1234567890123456789\n2\n"])
    func `A longer one is an error, however it comes, and ends the reading`(text: String) throws {
        let whole = channel()
        #expect(throws: LineDecoder.LineTooLong.self) { try whole.writeInbound(ByteBuffer(string: text)) }
        let octetwise = channel()
        #expect(throws: LineDecoder.LineTooLong.self) {
            for octet in text.utf8 { try octetwise.writeInbound(ByteBuffer(bytes: [octet])) }
        }
        let before = text.hasPrefix("1\n") ? ["1"] : []
        #expect(try lines(of: whole) == before)
        #expect(try lines(of: octetwise) == before)
        _ = try? whole.writeInbound(ByteBuffer(string: "\nlater\n"))
        #expect(try lines(of: whole) == [])
        _ = try? whole.finish()
        _ = try? octetwise.finish()
    }

    @Test func `What has no end is no line`() throws {
        let channel = channel()
        try channel.writeInbound(ByteBuffer(string: "a\nb"))
        #expect(try channel.finish(acceptAlreadyClosed: true).hasLeftOvers)
        #expect(try lines(of: channel) == ["a"])
    }
}

import NIOCore
import NIOEmbedded
import Shim6Control
import Shim6Wire
import Testing

@testable import Shim6Console

/// Lines that no program of ours sends.
@Suite struct HostileLineTests {
    private static let requests = [
        #"{"version":1,"id":1,"command":"context","arguments":{"tag":"123456789abc"}}"#,
        #"{"version":1,"id":18446744073709551615,"command":"set","arguments":{"send-timeout":1e308}}"#,
        #"{"version":1,"id":1,"command":"rank","arguments":{"pairs":[{"source":"::1","destination":"::2"}]}}"#,
        #"{"version":1,"id":1,"command":"fork","arguments":{"tag":"1","flows":[{"protocol":6,"source-port":65535}]}}"#,
        #"{"version":1,"id":1,"command":"establish","arguments":{"local":"2001:db8::1","peer":"2001:db8::2"}}"#,
    ]

    @Test(arguments: requests)
    func `A request cut or changed anywhere is read or refused`(request: String) {
        let octets = Array(request.utf8)
        for index in octets.indices {
            _ = try? Request(line: octets[..<index])
            for value in #""{}[],:-9e\"#.utf8 + [0, 0x80, 0xff] {
                var changed = octets
                changed[index] = value
                _ = try? Request(line: changed)
            }
        }
        let deep = String(repeating: "[", count: 30_000)
        #expect(throws: RequestError.self) { try Request(line: Array("{\"version\":\(deep)".utf8)) }
    }

    @Test(arguments: [
        "set tsend nan", "set tsend 1e999", "set tsend -0", "cat -0", "cat +1", "rm 1234567890123", "\0\u{301}",
    ])
    func `A line of the console is understood or answered`(line: String) {
        switch ConsoleCommand(line) {
        case .wrong, .setSendTimeout, .show(.one): break
        case let command: Issue.record("\(command)")
        }
    }

    @Test func `Telnet commands may be cut anywhere`() throws {
        let octets: [UInt8] = [255, 250, 1, 255, 255, 2, 255, 240, 255, 251, 1, 255, 255, 108, 255, 249, 13, 0, 10]
        for cut in octets.indices {
            let channel = EmbeddedChannel(handler: TelnetFilter())
            for part in [octets[..<cut], octets[cut...]] where !part.isEmpty {
                try channel.writeInbound(ByteBuffer(bytes: part))
            }
            var text = ByteBuffer()
            while var read = try channel.readInbound(as: ByteBuffer.self) { text.writeBuffer(&read) }
            #expect(Array(text.readableBytesView) == [255, 108, 13, 10])
            _ = try? channel.finish()
        }
    }
}

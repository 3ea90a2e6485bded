import ControlFixtures
import Shim6Control
import Testing

/// Reports for people, on terminals of any width.
@Suite struct TableTests {
    private static let contexts = Response.contexts(
        ContextList(contexts: [Fixtures.established, Fixtures.negotiating]))

    @Test func `On a wide terminal and in a file a context is one line`() {
        #expect(Self.contexts.text(style: .plain).split(separator: "\n").count == 3)
        #expect(Self.contexts.text(style: .terminal(columns: 300)).split(separator: "\n").count == 3)
    }

    @Test func `On a narrow terminal the columns stand below each other, and none is lost`() {
        let text = Self.contexts.text(style: .terminal(columns: 80))
        let lines = text.split(separator: "\n")
        #expect(lines.allSatisfy { $0.replacing(/\u{1B}\[\d+m/, with: "").count <= 80 }, "\(text)")
        for word in ["4a3b2c1d0e0f", "ESTABLISHED", "operational", "2001:db8:b1::1", "I1-SENT", "2001:db8::5"] {
            #expect(text.contains(word))
        }
        // What there is not is left out.
        #expect(!text.contains(" -\n"))
    }

    @Test func `A nonce is written with all its digits everywhere`() {
        var event = Fixtures.switched
        event.nonce = 0x2a
        #expect(event.text.contains("nonce 0000002a"))
    }
}

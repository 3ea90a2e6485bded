import Configuration
import Testing

/// Files that an editor, a disk or somebody's script has spoilt.
@Suite struct HostileFileTests {
    @Test func `The file of all defaults is read or refused wherever one octet of it is another`() {
        let text = Array(Configuration.defaultsText.utf8)
        var refused = 0
        // Each place once with one of the values, so that all of them are met in all kinds of places.
        let values = Array("\"[]{}=.,-#'\\\n90e".utf8)
        for index in stride(from: 0, to: text.count, by: 3) {
            var changed = text
            changed[index] = values[index / 3 % values.count]
            do throws(ConfigurationError) {
                _ = try Configuration.parse(String(decoding: changed, as: UTF8.self), file: "changed")
            } catch {
                refused += 1
                #expect(!error.problems.isEmpty)
            }
        }
        #expect(refused > 0)
    }
}

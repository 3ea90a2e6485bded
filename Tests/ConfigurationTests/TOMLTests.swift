import Shim6Wire
import Testing

@testable import Configuration

/// The reader of TOML 1.0, by the specification's own examples and their neighbours.
@Suite struct TOMLTests {
    /// A document as one line: members in the order of their names.
    private func flat(_ node: Node) -> String {
        switch node.value {
        case .text(let text): "\"\(text.unicodeScalars.map { $0.escaped(asASCII: true) }.joined())\""
        case .integer(let integer): String(integer)
        case .number(let number): "\(number)"
        case .flag(let flag): String(flag)
        case .time: "time"
        case .list(let nodes): "[\(nodes.map(flat).joined(separator: ","))]"
        case .table(let members):
            "{\(members.sorted { $0.key < $1.key }.map { "\($0.key):\(flat($0.value))" }.joined(separator: ","))}"
        }
    }

    @Test(arguments: [
        ("", "{}"), ("\u{FEFF}a = 1", "{a:1}"), ("# only\r\n\r\n\t # a comment", "{}"),
        ("a = 1 # one\r\nb=2\nc  =  3", "{a:1,b:2,c:3}"),
        ("1-a_B = 1\n\"x y\" = 2\n'\\' = 3\n\"\" = 4", "{:4,1-a_B:1,\\:3,x y:2}"),
        ("a.b = 1\na . \"c\" .d= 2", "{a:{b:1,c:{d:2}}}"), ("3.14 = 1", "{3:{14:1}}"),
        // Strings.
        (#"a = "\b\t\n\f\r\"\\\u00E9\U0001F600""#, #"{a:"\u{08}\t\n\u{0C}\r\"\\\u{00E9}\u{0001F600}"}"#),
        (#"a = 'C:\n"x"'"#, #"{a:"C:\\n\"x\""}"#), ("a = \"\"\nb = ''", #"{a:"",b:""}"#),
        ("a = \"\"\"\nx\r\ny\"\"\"", #"{a:"x\ny"}"#), ("a = \"\"\"\"\"\"\nb=''''''", #"{a:"",b:""}"#),
        ("a = \"\"\"\"x\"\" \"\"\"\"\"", #"{a:"\"x\"\" \"\""}"#), ("a = ''''x'''''", #"{a:"\'x\'\'"}"#),
        ("a = \"\"\"x \\\n\n   y\\  \r\n\"\"\"", #"{a:"x y"}"#), ("a = '''\n\\u\n'''", #"{a:"\\u\n"}"#),
        // Numbers.
        ("a = [0, +0, -0, 1_000, -17, 0xDEAD_beef, 0o755, 0b1_01]", "{a:[0,0,0,1000,-17,3735928559,493,5]}"),
        ("a = [9223372036854775807, -9223372036854775808]", "{a:[9223372036854775807,-9223372036854775808]}"),
        ("a = [1.5, -0.0, 5e+2, 1E-1, 6.6e3, 1_0.0_1, inf, -inf]", "{a:[1.5,-0.0,500.0,0.1,6600.0,10.01,inf,-inf]}"),
        ("a = [nan, +nan, -nan]", "{a:[nan,nan,nan]}"), ("a = [true,false,]", "{a:[true,false]}"),
        (
            "a = [1979-05-27, 1979-05-27T07:32:00Z, 1979-05-27 07:32:00.5-07:00, 07:32:00, 1979-05-27t07:32:00]",
            "{a:[time,time,time,time,time]}"
        ),
        // Lists and inline tables.
        ("a = [ # one\n 1, # two\n\n [\"x\", {b = 1}] ]\nc = []", "{a:[1,[\"x\",{b:1}]],c:[]}"),
        ("a = { b.c = 1, b.d = 2, e = {} }", "{a:{b:{c:1,d:2},e:{}}}"),
        // Tables.
        ("[a]\nb=1\n[ c . d ]\ne=2\n[c]\nf=3", "{a:{b:1},c:{d:{e:2},f:3}}"),
        ("[[a]]\nb=1\n[a.c]\nd=2\n[[a]]\n[[a.e]]\n[[a.e]]\nf=3", "{a:[{b:1,c:{d:2}},{e:[{},{f:3}]}]}"),
        ("[a]\nb.c=1\n[a.b.d]\ne=1", "{a:{b:{c:1,d:{e:1}}}}"), ("[a]\n[a.b]\n[[a.c]]", "{a:{b:{},c:[{}]}}"),
    ])
    func `A valid document is read`(text: String, expected: String) throws {
        #expect(flat(try TOMLReader.document(text)) == expected)
    }

    @Test(arguments: [
        ("a", 1, 2, "the file ends where \"=\" should be"), ("a =", 1, 4, "the file ends where a value should be"),
        ("a = 1\n b = \r\nc = 2", 2, 6, "the line ends where a value should be"),
        ("= 1", 1, 1, "there is \"=\" where a key should be"), ("a. = 1", 1, 4, "there is \"=\" where a key should be"),
        ("a b = 1", 1, 3, "there is \"b\" where \"=\" should be"),
        ("é = 1", 1, 1, "there is \"é\" where a key should be"),
        ("a = 1 b = 2", 1, 7, "there is \"b\" where the line should end"),
        ("\"\"\"a\"\"\" = 1", 1, 1, "a key cannot be a string of several lines"),
        ("a = 1\r", 1, 6, "the control character U+D is not allowed"),
        ("# \u{7}", 1, 3, "the control character U+7 is not allowed"),
        ("a = 1\n\0", 2, 1, "a NUL character is not allowed"),
        // Headers.
        ("[a", 1, 3, "the file ends where the header should end"), ("[]", 1, 2, "there is \"]\" where a key should be"),
        ("[[a]", 1, 5, "the file ends where the header should end"),
        ("[[a] ]", 1, 5, "there is \" \" where the header should end"),
        ("[ [a]]", 1, 3, "there is \"[\" where a key should be"),
        ("[a] b=1", 1, 5, "there is \"b\" where the line should end"),
        // What is there already.
        ("a = 1\nb = 1\n\"a\" = 2", 3, 1, "\"a\" is there already"),
        ("[a]\n[b]\n [a]", 3, 3, "\"a\" is a table already"),
        ("a = 1\n[a]", 2, 2, "\"a\" is a value already"),
        ("a = 1\n[a.b]", 2, 2, "\"a\" is a value and has no tables in it"),
        ("a = 1\na.b = 2", 2, 1, "\"a\" is a value already"), ("a.b = 1\n[a]", 2, 2, "\"a\" is a table already"),
        ("[a.b]\n[a]\nb.c = 1", 3, 1, "\"b\" is a table already"),
        ("[a.b.c]\n[a]\nb.d = 1", 3, 1, "\"b\" is a table already"),
        ("a = {}\na.b = 1", 2, 1, "\"a\" is a value already"),
        ("a = {}\n[a.b]", 2, 2, "\"a\" is a value and has no tables in it"),
        ("a = { b = 1, b = 2 }", 1, 14, "\"b\" is there already"), ("a = []\n[[a]]", 2, 3, "\"a\" is a value already"),
        ("[a]\n[[a]]", 2, 3, "\"a\" is a table already"), ("[[a]]\n[a]", 2, 2, "\"a\" is a list of tables already"),
        ("[a.b]\n[[a]]", 2, 3, "\"a\" is a table already"),
        ("[[a]]\n[b]\na.c=1\n[[b.a]]", 4, 5, "\"a\" is a table already"),
        // Strings.
        ("a = \"x\nb = 1", 1, 5, "the string does not end on its line"), ("\na = 'x", 2, 5, "the string has no end"),
        ("a = \"\"\"\n\n\"\"", 1, 5, "the string has no end"),
        ("a = \"\u{1}\"", 1, 6, "the control character U+1 is not allowed"),
        ("a = \"\\x\"", 1, 6, "there is no such escape: a backslash is written \\\\, or the string in '...'"),
        ("a = \"\\ \n\"", 1, 6, "there is no such escape: a backslash is written \\\\, or the string in '...'"),
        ("a = \"\\uD800\"", 1, 6, "the escape needs 4 hexadecimal digits that name a character"),
        ("a = \"\\u12\"", 1, 6, "the escape needs 4 hexadecimal digits that name a character"),
        ("a = \"\\U00110000\"", 1, 6, "the escape needs 8 hexadecimal digits that name a character"),
        ("a = \"\"\"x\"\"\"\"\"\"", 1, 14, "there is \"\"\" where the line should end"),
        // Words.
        ("a = yes", 1, 5, "\"yes\" is no value: a string has quotes"),
        ("a = True", 1, 5, "\"True\" is no value: a string has quotes"),
        ("a = 2001:db8::1", 1, 5, "\"2001:db8::1\" is no number"),
        ("a = /run", 1, 5, "there is \"/\" where a value should be"),
        ("a = 9223372036854775808", 1, 5, "\"9223372036854775808\" is too large"),
        ("a = 0x1_0000_0000_0000_0000", 1, 5, "\"0x1_0000_0000_0000_0000\" is too large"),
        // Lists and inline tables.
        ("a = [1", 1, 7, "the file ends where a list should go on with \",\" or end with \"]\""),
        ("a = [1\n2]", 2, 1, "there is \"2\" where a list should go on with \",\" or end with \"]\""),
        ("a = [,]", 1, 6, "there is \",\" where a value should be"),
        ("a = {b=1,}", 1, 10, "there is \"}\" where a key should be"),
        ("a = {b=1\n}", 1, 9, "the line ends where a table should go on with \",\" or end with \"}\""),
        ("a = {\n}", 1, 6, "the line ends where a key should be"),
    ])
    func `What is not TOML is refused with its place`(text: String, line: Int, column: Int, reason: String) {
        let error = #expect(throws: TOMLError.self) { try TOMLReader.document(text) }
        #expect(error == TOMLError(place: Place(line: line, column: column), reason: reason))
    }

    @Test(arguments: [
        "01", "-01", "+", "-", "1_", "_1", "1__0", "1.", ".1", "1.e1", "1e", "1e_1", "1_e1", "1._1", "0x", "0x_1",
        "0xG", "-0x1",
        "0o8", "0b2", "0X1", "1e1.5", "0x1p3", "infinity", "1979-05-27T07:32", "1979-5-27", "07:32", "1979-05-27T",
        "--1",
    ])
    func `What is no number is refused`(word: String) {
        #expect(throws: TOMLError.self, "\(word)") { try TOMLReader.document("a = \(word)") }
    }

    @Test func `Every key knows its place`() throws {
        let document = try TOMLReader.document(
            """
            a = "
            """ + "\u{1F600}" + """
                " # one
                 b.c = [ 1,
                  { d = 2 } ]
                [[e]]
                [[e]]
                  f = '''

                '''
                g = 1
                [h.i]
                """)
        func place(_ path: String...) -> [Int] {
            let place = document.place(of: path)
            return [place.line, place.column]
        }
        #expect(place() == [1, 1] && place("a") == [1, 1] && place("a", "none") == [1, 1])
        #expect(place("b") == [2, 2] && place("b", "c") == [2, 2] && place("b", "c", "0") == [2, 10])
        #expect(
            place("b", "c", "1") == [3, 3] && place("b", "c", "1", "d") == [3, 5] && place("b", "c", "2") == [2, 2])
        #expect(place("e") == [4, 3] && place("e", "0") == [4, 3] && place("e", "1") == [5, 3])
        #expect(place("e", "1", "f") == [6, 3] && place("e", "1", "g") == [9, 1])
        #expect(place("h") == [10, 2] && place("h", "i") == [10, 4] && place("none") == [1, 1])
    }

    @Test(arguments: [
        ("a = ", "[", "]"), ("a = ", "{a=", "}"), ("", "a.", "a = 1"), ("[", "a.", "a]"), ("a = ", "[{a=", "}]"),
        ("a = ", "{a.a.a.a=[", "]}"),
    ])
    func `Nesting without end is refused, and as deep as is allowed is read`(start: String, open: String, close: String)
    {
        let deep = start + String(repeating: open, count: 100_000)
        let error = #expect(throws: TOMLError.self) { try TOMLReader.document(deep) }
        #expect(error?.reason == "there are too many tables and lists inside each other")
        let times = 10
        let closing = close.hasPrefix("a") ? close : "1" + String(repeating: close, count: times)
        #expect(throws: Never.self) {
            try TOMLReader.document(start + String(repeating: open, count: times) + closing)
        }
    }

    @Test func `A long file of small tables is read`() throws {
        let document = try TOMLReader.document(String(repeating: "[[a]]\n", count: 30_000))
        guard case .table(let members) = document.value, case .list(let tables) = members["a"]?.value else {
            Issue.record("no list")
            return
        }
        #expect(tables.count == 30_000)
    }

    /// Documents cut, changed and joined at random: each is read, or refused at a place inside it.
    @Test func `No text stops the reader`() {
        let parts = [
            "a", "b.c", "\"k\"", "''", "=", " = ", "[", "]", "[[", "]]", "{", "}", ",", "\n", "\r\n", "\r", " ", "\t",
            "#", "\"", "'",
            "\"\"\"", "'''", "\\", "\\u", "\\U0010", "00e9", "1", "-", "+", "0x", "_", ".", "1e9", "inf", "nan", "true",
            "1979-05-27",
            "07:32:00", "T", "Z", "é", "\u{1F600}", "\u{301}", "\0", "\u{7F}", "\u{FEFF}", "uplink", "reap", "[reap]\n",
            "[[uplink]]\n",
            "interface = \"eth0\"\n", "send-timeout = 15\n", "99999999999999999999", "prefixes = [\"2001:db8::/64\"]\n",
        ]
        var random = Splitmix(state: 6140)
        var valid = 0
        for _ in 0..<100_000 {
            let text = (0..<Int.random(in: 1...12, using: &random)).map { _ in
                parts[Int.random(in: 0..<parts.count, using: &random)]
            }.joined()
            do throws(TOMLError) {
                _ = try TOMLReader.document(text)
                valid += 1
            } catch {
                let lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
                let isInside =
                    (1...lines.count).contains(error.place.line)
                    && (1...lines[error.place.line - 1].count + 1).contains(error.place.column)
                #expect(isInside, "\(text.debugDescription): \(error)")
            }
        }
        #expect(valid > 1000 && valid < 99_000)
    }

    @Test func `The printed defaults with anything changed are read or refused with a line`() {
        let text = Array(Configuration.defaultsText.utf8)
        var random = Splitmix(state: 114)
        for _ in 0..<200 {
            var changed = text
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let index = Int.random(in: changed.indices, using: &random)
                changed[index] = "\"'\\[]{}=,.#\n0a ".utf8.randomElement(using: &random) ?? 0
            }
            do throws(ConfigurationError) {
                _ = try Configuration.parse(String(decoding: changed, as: UTF8.self), file: "x")
            } catch {
                #expect(error.problems.allSatisfy { $0.contains(/^x:[0-9]+: ./) })
            }
        }
    }
}

private struct Splitmix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

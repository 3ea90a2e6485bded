/// The words of a Swift source, as far as finding attributes, types and functions needs them. Comments are left out.
struct Lexer {
    enum Token: Equatable {
        case word(String)
        /// The text between the quotes, escapes as they stand.
        case string(String)
        case sign(Character)
    }

    private let text: [UInt8]
    private var position = 0

    private init(_ text: String) { self.text = Array(text.utf8) }

    static func tokens(of text: String) -> [Token] {
        var lexer = Lexer(text)
        var tokens: [Token] = []
        while let token = lexer.next() { tokens.append(token) }
        return tokens
    }

    private mutating func next() -> Token? {
        while position < text.count {
            if starts("//") {
                while position < text.count, text[position] != UInt8(ascii: "\n") { position += 1 }
            } else if starts("/*") {
                skipComment()
            } else if let hashes = quoteFollows() {
                return .string(string(hashes))
            } else if text[position] == UInt8(ascii: "`"),
                let end = text[(position + 1)...].firstIndex(of: UInt8(ascii: "`"))
            {
                defer { position = end + 1 }
                return .word(part(position + 1..<end))
            } else if Self.isWord(text[position]) {
                let start = position
                while position < text.count, Self.isWord(text[position]) { position += 1 }
                return .word(part(start..<position))
            } else {
                position += 1
                let sign = Character(Unicode.Scalar(text[position - 1]))
                if !sign.isWhitespace { return .sign(sign) }
            }
        }
        return nil
    }

    private func part(_ range: Range<Int>) -> String { String(decoding: text[range], as: UTF8.self) }

    private func starts(_ prefix: StaticString) -> Bool {
        prefix.withUTF8Buffer { text[position...].starts(with: $0) }
    }

    private static func isWord(_ octet: UInt8) -> Bool {
        switch octet {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 0x80...:
            true
        default: false
        }
    }

    private mutating func skipComment() {
        var depth = 0
        repeat {
            if starts("/*") {
                depth += 1
                position += 2
            } else if starts("*/") {
                depth -= 1
                position += 2
            } else {
                position += 1
            }
        } while depth > 0 && position < text.count
    }

    /// The number of hash signs before the quote of a string that begins here.
    private func quoteFollows() -> Int? {
        var end = position
        while end < text.count, text[end] == UInt8(ascii: "#") { end += 1 }
        return end < text.count && text[end] == UInt8(ascii: "\"") ? end - position : nil
    }

    private mutating func string(_ hashes: Int) -> String {
        position += hashes
        let isLong = starts("\"\"\"")
        let quotes = isLong ? 3 : 1
        position += quotes
        let start = position
        let end =
            Array(repeating: UInt8(ascii: "\""), count: quotes) + Array(repeating: UInt8(ascii: "#"), count: hashes)
        let escape = [UInt8(ascii: "\\")] + Array(repeating: UInt8(ascii: "#"), count: hashes)
        while position < text.count, !text[position...].starts(with: end) {
            guard text[position...].starts(with: escape) else {
                position += 1
                continue
            }
            position += escape.count
            if starts("(") { skipInterpolation() } else { position += 1 }
        }
        defer { position = min(position + end.count, text.count) }
        return part(start..<min(position, text.count))
    }

    private mutating func skipInterpolation() {
        var depth = 0
        repeat {
            switch next() {
            case .sign("("): depth += 1
            case .sign(")"): depth -= 1
            case nil: return
            default: break
            }
        } while depth > 0
    }
}

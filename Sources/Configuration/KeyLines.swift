/// On which line each key of a valid TOML document stands. (The TOML library tells lines only of syntax errors.)
///
/// A path names tables, keys and, in decimal, indices of arrays: `["uplink", "0", "prefixes", "1"]`.
struct KeyLines {
    private var lines: [[String]: Int] = [:]
    /// How many tables each array of tables has had so far.
    private var tables: [[String]: Int] = [:]
    private let text: [UInt8]
    private var position = 0
    private var line = 1

    init(of document: String) {
        text = Array(document.utf8)
        var table: [String] = []
        while skipToContent() {
            if take("[") {
                table = header()
                skipLine()
            } else {
                assignment(in: table)
            }
        }
    }

    /// The line of a key, or of the innermost thing around it that is known.
    subscript(path: [String]) -> Int {
        var path = path[...]
        while !path.isEmpty {
            if let line = lines[Array(path)] { return line }
            path.removeLast()
        }
        return 1
    }

    // MARK: Statements

    private mutating func header() -> [String] {
        let startsTable = take("[")
        let names = keyPath()
        var path: [String] = []
        for (index, name) in names.enumerated() {
            path.append(name)
            if startsTable && index == names.count - 1 {
                let number = tables[path, default: 0]
                tables[path] = number + 1
                note(path)
                path.append(String(number))
            } else if let count = tables[path] {
                path.append(String(count - 1))
            }
        }
        note(path)
        return path
    }

    private mutating func assignment(in table: [String]) {
        let start = position
        var path = table
        for name in keyPath() {
            path.append(name)
            note(path)
        }
        skipSpaces()
        if take("=") { value(at: path) }
        if position == start { position += 1 }
    }

    private mutating func value(at path: [String]) {
        skipSpaces()
        note(path)
        if take("[") {
            var index = 0
            while skipToContent(), !take("]") {
                let start = position
                value(at: path + [String(index)])
                index += 1
                _ = skipToContent() && take(",")
                if position == start { position += 1 }
            }
        } else if take("{") {
            while skipToContent(), !take("}") {
                assignment(in: path)
                _ = skipToContent() && take(",")
            }
        } else if peek == UInt8(ascii: "\"") || peek == UInt8(ascii: "'") {
            _ = string()
        } else {
            while let octet = peek, !",]}#\n".utf8.contains(octet) { position += 1 }
        }
    }

    private mutating func note(_ path: [String]) {
        if lines[path] == nil { lines[path] = line }
    }

    // MARK: Words

    /// A key with its dots.
    private mutating func keyPath() -> [String] {
        var names: [String] = []
        repeat {
            skipSpaces()
            if peek == UInt8(ascii: "\"") || peek == UInt8(ascii: "'") {
                names.append(string())
            } else {
                let start = position
                while let octet = peek, !" \t=.]}#\r\n".utf8.contains(octet) { position += 1 }
                names.append(String(decoding: text[start..<position], as: UTF8.self))
            }
            skipSpaces()
        } while take(".")
        return names
    }

    /// A string of any of the four kinds, without its quotes; escapes stay as they are.
    private mutating func string() -> String {
        guard let quote = peek else { return "" }
        let escapes = quote == UInt8(ascii: "\"")
        let isLong = text[position...].starts(with: [quote, quote, quote])
        position += isLong ? 3 : 1
        let start = position
        while let octet = peek {
            if octet == quote, !isLong || text[position...].starts(with: [quote, quote, quote]) {
                let content = text[start..<position]
                // A long string may end in up to two quotes of its own.
                repeat { position += 1 } while isLong && peek == quote
                return String(decoding: content, as: UTF8.self)
            }
            if octet == UInt8(ascii: "\n") { line += 1 }
            position = min(position + (escapes && octet == UInt8(ascii: "\\") ? 2 : 1), text.count)
        }
        return ""
    }

    // MARK: Octets

    private var peek: UInt8? { position < text.count ? text[position] : nil }

    private mutating func take(_ character: Character) -> Bool {
        guard let octet = peek, octet == character.asciiValue else { return false }
        position += 1
        return true
    }

    private mutating func skipSpaces() {
        while let octet = peek, octet == UInt8(ascii: " ") || octet == UInt8(ascii: "\t") { position += 1 }
    }

    private mutating func skipLine() {
        while let octet = peek, octet != UInt8(ascii: "\n") { position += 1 }
    }

    /// Skips spaces, line ends and comments. False at the end of the document.
    private mutating func skipToContent() -> Bool {
        while let octet = peek {
            switch octet {
            case UInt8(ascii: "\n"):
                line += 1
                position += 1
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"): position += 1
            case UInt8(ascii: "#"): skipLine()
            case _: return true
            }
        }
        return false
    }
}

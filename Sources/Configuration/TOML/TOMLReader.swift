/// Reads TOML 1.0. Total: any text gives a document or an error with its place.
struct TOMLReader {
    /// Tables and lists inside each other. It bounds the stack that reading a document takes, and freeing it.
    static let maximumDepth = 64

    /// The document. Its place is the first line.
    static func document(_ text: String) throws(TOMLError) -> Node {
        var reader = TOMLReader(text)
        return try reader.document()
    }

    private let text: [Unicode.Scalar]
    private var position = 0
    private var line = 1
    private var lineStart = 0
    /// Tables and lists around the position.
    private var depth = 0

    private init(_ text: String) {
        self.text = Array(text.unicodeScalars)
        // A byte order mark is no part of the text.
        if self.text.first == "\u{FEFF}" { (position, lineStart) = (1, 1) }
    }

    // MARK: Statements

    private mutating func document() throws(TOMLError) -> Node {
        let root = TableTree(.header, at: Place(line: 1, column: 1))
        var table = root
        while true {
            try skipToContent()
            guard peek != nil else { return root.node }
            if take("[") {
                let isElement = take("[")
                depth = 0
                let keys = try keyPath()
                depth = keys.count
                guard take("]"), !isElement || take("]") else { throw unexpected("where the header should end") }
                table = try root.open(keys, isElement: isElement)
            } else {
                try assignment(in: table)
            }
            try endLine()
        }
    }

    private mutating func assignment(in table: TableTree) throws(TOMLError) {
        let outside = depth
        defer { depth = outside }
        let keys = try keyPath()
        depth += keys.count
        guard take("=") else { throw unexpected("where \"=\" should be") }
        skipSpaces()
        let value = try value()
        try table.set(keys, to: Node(value: value, place: keys[0].place))
    }

    /// One part at least, and the spaces around.
    private mutating func keyPath() throws(TOMLError) -> [TOMLKey] {
        var keys: [TOMLKey] = []
        repeat {
            skipSpaces()
            let place = place
            guard depth + keys.count < Self.maximumDepth else { throw tooDeep }
            keys.append(TOMLKey(name: try keyPart(), place: place))
            skipSpaces()
        } while take(".")
        return keys
    }

    private mutating func keyPart() throws(TOMLError) -> String {
        if peek == "\"" || peek == "'" {
            guard !isNext("\"\"\""), !isNext("'''") else { throw error("a key cannot be a string of several lines") }
            return try string()
        }
        let name = word { $0.isLetterOrDigit || $0 == "_" || $0 == "-" }
        guard !name.isEmpty else { throw unexpected("where a key should be") }
        return name
    }

    // MARK: Values

    private mutating func value() throws(TOMLError) -> Value {
        switch peek {
        case "\"", "'": return .text(try string())
        case "[": return .list(try list())
        case "{": return try inlineTable().value
        case let scalar? where scalar.isLetterOrDigit || scalar == "+" || scalar == "-": return try self.scalar()
        case _: throw unexpected("where a value should be")
        }
    }

    private mutating func scalar() throws(TOMLError) -> Value {
        let place = place
        var word = word { $0.isLetterOrDigit || "+-._:".unicodeScalars.contains($0) }
        // A date and a time may have a space between them.
        if word.utf8.count == 10, peek == " ", next?.isDigit == true, TOMLScalar.isTime(word) {
            position += 1
            word += " " + self.word { $0.isLetterOrDigit || "+-._:".unicodeScalars.contains($0) }
        }
        switch TOMLScalar.read(word) {
        case .success(let value): return value
        case .failure(let problem): throw TOMLError(place: place, reason: "\"\(word.prefix(60))\" \(problem.reason)")
        }
    }

    private mutating func list() throws(TOMLError) -> [Node] {
        try descend()
        defer { depth -= 1 }
        position += 1
        var elements: [Node] = []
        while true {
            try skipToContent()
            if take("]") { return elements }
            let place = place
            elements.append(Node(value: try value(), place: place))
            try skipToContent()
            if take("]") { return elements }
            guard take(",") else { throw unexpected("where a list should go on with \",\" or end with \"]\"") }
        }
    }

    private mutating func inlineTable() throws(TOMLError) -> Node {
        try descend()
        defer { depth -= 1 }
        let table = TableTree(.header, at: place)
        position += 1
        skipSpaces()
        if take("}") { return table.node }
        while true {
            try assignment(in: table)
            skipSpaces()
            if take("}") { return table.node }
            guard take(",") else { throw unexpected("where a table should go on with \",\" or end with \"}\"") }
        }
    }

    private mutating func descend() throws(TOMLError) {
        guard depth < Self.maximumDepth else { throw tooDeep }
        depth += 1
    }

    private var tooDeep: TOMLError { error("there are too many tables and lists inside each other") }

    // MARK: Strings

    /// A string of any of the four kinds.
    private mutating func string() throws(TOMLError) -> String {
        let start = place
        let quote = text[position]
        let isLong = next == quote && after(2) == quote
        position += isLong ? 3 : 1
        // A line end right after the opening quotes is no part of it.
        if isLong { takeLineEnd() }
        var content = String.UnicodeScalarView()
        while let scalar = peek {
            if scalar == quote {
                guard isLong else {
                    position += 1
                    return String(content)
                }
                let quotes = text[position...].prefix(6).prefix { $0 == quote }.count
                // Up to two quotes more than the three that end it are part of it.
                guard quotes < 3 else {
                    position += min(quotes, 5)
                    content.append(contentsOf: repeatElement(quote, count: min(quotes, 5) - 3))
                    return String(content)
                }
                content.append(scalar)
                position += 1
            } else if scalar == "\\", quote == "\"" {
                if let character = try escape(isLong: isLong) { content.append(character) }
            } else if scalar == "\n" || (scalar == "\r" && next == "\n") {
                guard isLong else { throw TOMLError(place: start, reason: "the string does not end on its line") }
                takeLineEnd()
                content.append("\n")
            } else {
                guard !scalar.isForbidden else { throw unexpected("in a string") }
                content.append(scalar)
                position += 1
            }
        }
        throw TOMLError(place: start, reason: "the string has no end")
    }

    /// What an escape stands for; nil for a line end, which goes away with all white space around.
    private mutating func escape(isLong: Bool) throws(TOMLError) -> Unicode.Scalar? {
        let start = place
        position += 1
        let letter = peek
        switch letter {
        case "u", "U":
            position += 1
            let length = letter == "u" ? 4 : 8
            let digits = text[position...].prefix(length)
            guard digits.count == length, digits.allSatisfy(\.isHexadecimalDigit),
                let code = UInt32(String(String.UnicodeScalarView(digits)), radix: 16),
                let scalar = Unicode.Scalar(code)
            else {
                throw TOMLError(
                    place: start, reason: "the escape needs \(length) hexadecimal digits that name a character")
            }
            position += length
            return scalar
        case " ", "\t", "\r", "\n":
            guard isLong else { break }
            skipSpaces()
            guard takeLineEnd() else { break }
            repeat { skipSpaces() } while takeLineEnd()
            return nil
        case let letter?:
            guard let scalar = Self.escapes[letter] else { break }
            position += 1
            return scalar
        case nil: break
        }
        throw TOMLError(
            place: start, reason: "there is no such escape: a backslash is written \\\\, or the string in '...'")
    }

    private static let escapes: [Unicode.Scalar: Unicode.Scalar] = [
        "b": "\u{8}", "t": "\t", "n": "\n", "f": "\u{C}", "r": "\r", "\"": "\"", "\\": "\\",
    ]

    // MARK: Characters

    private var peek: Unicode.Scalar? { after(0) }
    private var next: Unicode.Scalar? { after(1) }
    private var place: Place { Place(line: line, column: position - lineStart + 1) }

    private func after(_ count: Int) -> Unicode.Scalar? {
        position + count < text.count ? text[position + count] : nil
    }

    private func isNext(_ string: String) -> Bool { text[position...].starts(with: string.unicodeScalars) }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard peek == scalar else { return false }
        position += 1
        return true
    }

    private mutating func word(_ belongs: (Unicode.Scalar) -> Bool) -> String {
        let start = position
        while let scalar = peek, belongs(scalar) { position += 1 }
        return String(String.UnicodeScalarView(text[start..<position]))
    }

    /// LF or CR LF.
    @discardableResult
    private mutating func takeLineEnd() -> Bool {
        guard peek == "\n" || (peek == "\r" && next == "\n") else { return false }
        position += peek == "\r" ? 2 : 1
        line += 1
        lineStart = position
        return true
    }

    private mutating func skipSpaces() {
        while let scalar = peek, scalar == " " || scalar == "\t" { position += 1 }
    }

    /// Skips a comment, if there is one, but not the end of its line.
    private mutating func skipComment() throws(TOMLError) {
        guard take("#") else { return }
        while let scalar = peek, scalar != "\n", !(scalar == "\r" && next == "\n") {
            guard !scalar.isForbidden else { throw unexpected("in a comment") }
            position += 1
        }
    }

    /// Skips spaces, line ends and comments.
    private mutating func skipToContent() throws(TOMLError) {
        repeat {
            skipSpaces()
            try skipComment()
        } while takeLineEnd()
    }

    private mutating func endLine() throws(TOMLError) {
        skipSpaces()
        try skipComment()
        guard takeLineEnd() || peek == nil else { throw unexpected("where the line should end") }
    }

    private func error(_ reason: String) -> TOMLError { TOMLError(place: place, reason: reason) }

    private func unexpected(_ place: String) -> TOMLError {
        switch peek {
        case nil: error("the file ends \(place)")
        case "\n": error("the line ends \(place)")
        case "\r" where next == "\n": error("the line ends \(place)")
        case "\0": error("a NUL character is not allowed")
        case let scalar? where scalar.isForbidden:
            error("the control character U+\(String(scalar.value, radix: 16, uppercase: true)) is not allowed")
        case let scalar?: error("there is \"\(scalar)\" \(place)")
        }
    }
}

extension Unicode.Scalar {
    fileprivate var isLetterOrDigit: Bool { isASCII && properties.isAlphabetic || isDigit }
    fileprivate var isDigit: Bool { ("0"..."9").contains(self) }
    fileprivate var isHexadecimalDigit: Bool { isASCII && properties.isASCIIHexDigit }
    /// Control characters, which stand nowhere but for tabs and line ends.
    fileprivate var isForbidden: Bool { value < 0x20 && self != "\t" || value == 0x7F }
}

/// A value of a TOML document.
indirect enum Value {
    case text(String)
    case integer(Int)
    case number(Double)
    case flag(Bool)
    /// Dates and times, which no key takes.
    case time
    case list([Node])
    case table([String: Node])

    /// What it is, for messages.
    var kind: String {
        switch self {
        case .text: "a string"
        case .integer: "an integer"
        case .number: "a decimal number"
        case .flag: "a boolean"
        case .time: "a date or time"
        case .list: "a list"
        case .table: "a table"
        }
    }
}

/// A value and where it stands: its key, or the value itself in a list.
struct Node {
    var value: Value
    var place: Place

    /// The place of what a path names, or of the innermost thing around it that is there. A path names keys and, in
    /// decimal, indices of lists: `["uplink", "0", "prefixes", "1"]`.
    func place(of path: [String]) -> Place {
        var node = self
        for name in path {
            switch node.value {
            case .table(let members):
                guard let member = members[name] else { return node.place }
                node = member
            case .list(let elements):
                guard let index = Int(name), elements.indices.contains(index) else { return node.place }
                node = elements[index]
            case .text, .integer, .number, .flag, .time: return node.place
            }
        }
        return node.place
    }
}

/// A place in a text. Lines and columns count from 1, columns in characters (Unicode scalars).
struct Place: Hashable {
    var line: Int
    var column: Int
}

/// Why a text is not TOML, and where.
struct TOMLError: Error, Hashable {
    var place: Place
    var reason: String
}

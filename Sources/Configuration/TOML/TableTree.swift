/// The tables of a document or of an inline table while it is read, and the rules of TOML 1.0 for what may be defined once more.
final class TableTree {
    /// How a table came to be, which says who may add to it.
    enum Origin {
        /// By its own header, or the document itself.
        case header
        /// By the header of a table inside it: its own may follow.
        case passed
        /// By a key with dots: keys with the same dots may follow, its own header may not.
        case dotted
    }

    private enum Member {
        case value(Node)
        case table(TableTree)
        /// `[[name]]`, and where the first stands.
        case tables(Elements, Place)

        var kind: String {
            switch self {
            case .value: "a value"
            case .table: "a table"
            case .tables: "a list of tables"
            }
        }
    }

    /// The tables of one `[[name]]`.
    private final class Elements {
        var tables: [TableTree]

        init(_ first: TableTree) { tables = [first] }
    }

    private var members: [String: Member] = [:]
    private var origin: Origin
    private let place: Place

    init(_ origin: Origin, at place: Place) {
        self.origin = origin
        self.place = place
    }

    /// The table of a header `[keys]`, or a new one of `[[keys]]`.
    func open(_ keys: [TOMLKey], isElement: Bool) throws(TOMLError) -> TableTree {
        var table = self
        for key in keys.dropLast() { table = try table.passed(by: key) }
        guard let last = keys.last else { return self }
        return try isElement ? table.element(last) : table.opened(last)
    }

    /// Sets the value of a key, which may have dots.
    func set(_ keys: [TOMLKey], to node: Node) throws(TOMLError) {
        var table = self
        for key in keys.dropLast() { table = try table.dotted(key) }
        guard let last = keys.last else { return }
        guard table.members[last.name] == nil else { throw last.error("is there already") }
        table.members[last.name] = .value(node)
    }

    /// All that was read.
    var node: Node {
        Node(
            value: .table(
                members.mapValues { member in
                    switch member {
                    case .value(let node): node
                    case .table(let table): table.node
                    case .tables(let elements, let place): Node(value: .list(elements.tables.map(\.node)), place: place)
                    }
                }), place: place)
    }

    private func passed(by key: TOMLKey) throws(TOMLError) -> TableTree {
        switch members[key.name] {
        case nil: return add(key, .passed)
        case .table(let table): return table
        case .tables(let elements, _): return elements.tables[elements.tables.count - 1]
        case .value: throw key.error("is a value and has no tables in it")
        }
    }

    private func opened(_ key: TOMLKey) throws(TOMLError) -> TableTree {
        switch members[key.name] {
        case nil: return add(key, .header)
        case .table(let table) where table.origin == .passed:
            table.origin = .header
            return table
        case let member?: throw key.error("is \(member.kind) already")
        }
    }

    private func element(_ key: TOMLKey) throws(TOMLError) -> TableTree {
        let table = TableTree(.header, at: key.place)
        switch members[key.name] {
        case nil: members[key.name] = .tables(Elements(table), key.place)
        case .tables(let elements, _): elements.tables.append(table)
        case let member?: throw key.error("is \(member.kind) already")
        }
        return table
    }

    private func dotted(_ key: TOMLKey) throws(TOMLError) -> TableTree {
        switch members[key.name] {
        case nil: return add(key, .dotted)
        case .table(let table) where table.origin == .dotted: return table
        case let member?: throw key.error("is \(member.kind) already")
        }
    }

    private func add(_ key: TOMLKey, _ origin: Origin) -> TableTree {
        let table = TableTree(origin, at: key.place)
        members[key.name] = .table(table)
        return table
    }
}

/// A key, or one part of a key with dots.
struct TOMLKey {
    var name: String
    var place: Place

    func error(_ what: String) -> TOMLError { TOMLError(place: place, reason: "\"\(name)\" \(what)") }
}

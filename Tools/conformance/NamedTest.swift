/// Where a test stands: rules about packets and hosts are shown only where there are packets and hosts.
enum Ring: String {
    case unit, simulation, host, guest

    /// The ring of a folder of `Tests`.
    init(folder: String) {
        switch folder {
        case "SimulationTests": self = .simulation
        case "HostTests": self = .host
        case "GuestTests": self = .guest
        default: self = .unit
        }
    }
}

/// A test that names requirements.
struct NamedTest {
    /// Such as `Shim6CoreTests/ResponderTests.noState`.
    var name: String
    /// What a run of the tests calls it.
    var title: String
    var ring: Ring
    var requirements: [String]
}

/// Finds the tests of one source that name requirements.
struct TestScanner {
    private let tokens: [Lexer.Token]
    private let folder: String
    private var position = 0
    private var depth = 0
    private var types: [(name: String, depth: Int)] = []
    private(set) var tests: [NamedTest] = []
    /// How often requirements are named elsewhere than on a test.
    private(set) var strays = 0

    init(source: String, folder: String) {
        tokens = Lexer.tokens(of: source)
        self.folder = folder
        while position < tokens.count { step() }
    }

    private mutating func step() {
        if follows(.sign("@"), .word("Test")) {
            test()
        } else if follows(.sign("."), .word("requirement"), .sign("(")) {
            strays += 1
            position += 3
        } else if let type = typeName() {
            types.append((type, depth))
            position += 2
        } else {
            if tokens[position] == .sign("{") { depth += 1 }
            if tokens[position] == .sign("}") {
                depth -= 1
                while let type = types.last, type.depth >= depth { types.removeLast() }
            }
            position += 1
        }
    }

    private func follows(_ wanted: Lexer.Token...) -> Bool { tokens[position...].starts(with: wanted) }

    private func typeName() -> String? {
        guard case .word(let kind) = tokens[position],
            ["struct", "class", "enum", "actor", "extension"].contains(kind),
            position + 1 < tokens.count, case .word(let name) = tokens[position + 1], name != "func", name != "var"
        else { return nil }
        return name
    }

    private mutating func test() {
        position += 2
        var requirements: [String] = []
        var isDisabled = false
        var title: String?
        if follows(.sign("(")) {
            if position + 1 < tokens.count, case .string(let text) = tokens[position + 1] { title = text }
            var depth = 0
            var isNaming = false
            repeat {
                if follows(.sign("."), .word("requirement"), .sign("(")) { isNaming = true }
                if follows(.sign("."), .word("disabled")) { isDisabled = true }
                switch tokens[position] {
                case .sign("("): depth += 1
                case .sign(")"):
                    depth -= 1
                    isNaming = false
                case .string(let text): if isNaming { requirements.append(text) }
                default: break
                }
                position += 1
            } while depth > 0 && position < tokens.count
        }
        while position < tokens.count, tokens[position] != .word("func") { position += 1 }
        guard !requirements.isEmpty, !isDisabled else { return }
        guard case .word(let function)? = tokens[position...].dropFirst().first else { return }
        let name = (types.map(\.name) + [function]).joined(separator: ".")
        tests.append(
            NamedTest(
                name: "\(folder)/\(name)", title: title ?? function, ring: Ring(folder: folder),
                requirements: requirements))
    }
}

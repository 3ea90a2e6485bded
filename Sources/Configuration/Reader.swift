import Glibc

/// What is wrong with a configuration file: every problem that was found, one line each.
public struct ConfigurationError: Error, Equatable, CustomStringConvertible {
    /// `FILE:LINE: what is wrong`, in the order of the lines.
    public var problems: [String]

    public var description: String { problems.joined(separator: "\n") }
}

extension Configuration {
    /// Reads a configuration file. `warnings` name what is allowed but not recommended, in the form of problems.
    public static func load(
        contentsOf file: String
    ) throws(ConfigurationError) -> (configuration: Configuration, warnings: [String]) {
        guard let text = String(validating: try octets(of: file), as: UTF8.self) else {
            throw ConfigurationError(problems: ["\(file.printable): is not UTF-8"])
        }
        return try parse(text, file: file.printable)
    }

    /// How long a pipe may say nothing, milliseconds.
    private static let patience: Int32 = 5000

    private static func octets(of file: String) throws(ConfigurationError) -> [UInt8] {
        let limit = 1 << 20
        let failure = {
            ConfigurationError(problems: ["\(file.printable): cannot be read: \(String(cString: strerror(errno)))"])
        }
        let descriptor = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw failure() }
        defer { close(descriptor) }
        // Nobody may ever write to a FIFO; what a shell makes of <(...) has a writer.
        var writer = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        var status = stat()
        if fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFIFO, poll(&writer, 1, patience) == 0 {
            throw ConfigurationError(problems: ["\(file.printable): is a pipe into which nobody writes"])
        }
        var octets: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while octets.count <= limit {
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EAGAIN, poll(&writer, 1, patience) > 0 { continue }
            guard count >= 0 else { throw failure() }
            if count == 0 { return octets }
            octets += chunk[..<count]
        }
        throw ConfigurationError(problems: ["\(file.printable): is longer than \(limit) octets"])
    }

    /// Reads the text of a configuration file; `file` is its name in messages.
    public static func parse(
        _ text: String, file: String
    ) throws(ConfigurationError) -> (configuration: Configuration, warnings: [String]) {
        let document: Node
        do throws(TOMLError) {
            document = try TOMLReader.document(text)
        } catch {
            let problem = "\(file):\(error.place.line): \(error.reason) (column \(error.place.column))"
            throw ConfigurationError(problems: [problem])
        }
        var reader = Reader(document)
        let configuration = reader.configuration()
        let recommendations = reader.problems.isEmpty ? reader.check(configuration) : []
        guard reader.problems.isEmpty else {
            throw ConfigurationError(problems: reader.problems.inOrder(of: file))
        }
        return (configuration, recommendations.inOrder(of: file))
    }
}

extension String {
    /// Without anything that would break a line, or move a terminal's cursor.
    var printable: String {
        String(String.UnicodeScalarView(unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7f ? "?" : $0 }))
    }
}

/// A line of the file and what is to be said of it.
struct Remark {
    var line: Int
    var message: String
}

extension [Remark] {
    fileprivate func inOrder(of file: String) -> [String] {
        enumerated().sorted { ($0.element.line, $0.offset) < ($1.element.line, $1.offset) }
            .map { "\(file):\($0.element.line): \($0.element.message)" }
    }
}

/// Turns a document into a configuration and collects what is wrong with it.
struct Reader {
    let document: Node
    private(set) var problems: [Remark] = []

    init(_ document: Node) {
        self.document = document
    }

    func remark(_ path: [String], _ message: String) -> Remark {
        Remark(line: document.place(of: path).line, message: message)
    }

    mutating func refuse(_ path: [String], _ message: String) {
        problems.append(remark(path, message))
    }

    fileprivate mutating func configuration() -> Configuration {
        var configuration = Configuration()
        guard case .table(var members) = document.value else { return configuration }
        let uplinks = members.removeValue(forKey: "uplink")
        var sections: [(Declaration.Section, Node)] = []
        for section in Declaration.sections {
            if let node = members.removeValue(forKey: section.name) { sections.append((section, node)) }
        }
        read(
            members, at: [], into: &configuration, keys: Declaration.topLevel, place: "at the top level",
            alsoKnown: ["uplink"] + Declaration.sections.map(\.name))
        for (section, node) in sections {
            guard case .table(let members) = node.value else {
                refuse([section.name], "\(section.name) must be a section [\(section.name)], not \(node.value.kind)")
                continue
            }
            let place = "in [\(section.name)]"
            read(members, at: [section.name], into: &configuration, keys: section.keys, place: place)
        }
        if let uplinks { configuration.uplinks = readUplinks(uplinks) }
        return configuration
    }

    private mutating func readUplinks(_ node: Node) -> [Configuration.Uplink] {
        guard case .list(let tables) = node.value else {
            refuse(["uplink"], "uplink must be written [[uplink]], once for each uplink")
            return []
        }
        return tables.enumerated().map { index, table in
            var uplink = Configuration.Uplink()
            let path = ["uplink", String(index)]
            if case .table(let members) = table.value {
                read(members, at: path, into: &uplink, keys: Declaration.uplink, place: "in [[uplink]]")
            } else {
                refuse(path, "uplink must be a list of tables, not of \(table.value.kind)")
            }
            return uplink
        }
    }

    private mutating func read<Root>(
        _ members: [String: Node], at path: [String], into root: inout Root, keys: [Key<Root>], place: String,
        alsoKnown: [String] = []
    ) {
        var unknown = members
        for key in keys {
            guard let node = unknown.removeValue(forKey: key.name) else {
                if key.required { refuse(path, "\(key.name) is missing \(place)") }
                continue
            }
            do {
                try key.read(node.value, &root)
            } catch {
                refuse(path + [key.name] + error.path, "\(key.name) \(error.message)")
            }
        }
        for name in unknown.keys.sorted() {
            let nearest = nearestName(to: name, among: keys.map(\.name) + alsoKnown)
            refuse(
                path + [name], "unknown key \"\(name)\" \(place)\(nearest.map { "; did you mean \"\($0)\"?" } ?? "")")
        }
    }
}

import CIndexStore
import Foundation

/// Who uses whom, by the compiler's index of a debug build: the modules of the package, and the files of one of them.
///
///     graph INDEX-STORE LIBINDEXSTORE MODULE [MOST]
///
/// Fails if more than MOST pairs of files of MODULE call each other both ways. A call is that of a function, method,
/// initializer or computed property; reading a stored property is none.
@main struct Graph {
    /// A use of a symbol in a file.
    private struct Use: Hashable {
        var file: String
        var usr: String
        var isCall: Bool
    }

    private var moduleOfFile: [String: String] = [:]
    private var fileOfSymbol: [String: String] = [:]
    /// Made by the compiler: accessors of stored properties, memberwise initializers.
    private var implicit: Set<String> = []
    private var uses: Set<Use> = []

    static func main() {
        let arguments = CommandLine.arguments
        guard arguments.count == 4 || arguments.count == 5 && Int(arguments[4]) != nil else {
            print("usage: graph INDEX-STORE LIBINDEXSTORE MODULE [MOST]")
            exit(64)
        }
        var graph = Graph()
        let failure = withUnsafeMutablePointer(to: &graph) { graph in
            cix_read(arguments[2], arguments[1], graph) { context, occurrence in
                guard let context, let occurrence else { return }
                context.assumingMemoryBound(to: Graph.self).pointee.note(occurrence.pointee)
            }
        }
        if let failure {
            print("graph: \(String(cString: failure))")
            exit(1)
        }
        let most = arguments.count == 5 ? Int(arguments[4]) : nil
        exit(graph.tell(of: arguments[3], most: most) ? 0 : 1)
    }

    private mutating func note(_ occurrence: cix_occurrence) {
        let file = String(cString: occurrence.file)
        // Of this package, and still there.
        guard file.contains("/Sources/"), !file.contains("/checkouts/"), FileManager.default.fileExists(atPath: file)
        else {
            return
        }
        moduleOfFile[file] = String(cString: occurrence.module)
        let octets = UnsafeRawBufferPointer(start: occurrence.usr, count: occurrence.usr_length)
        let usr = String(decoding: octets, as: UTF8.self)
        if occurrence.roles & UInt64(CIX_DEFINITION) != 0 {
            fileOfSymbol[usr] = file
            if occurrence.roles & UInt64(CIX_IMPLICIT) != 0 { implicit.insert(usr) }
        } else {
            uses.insert(Use(file: file, usr: usr, isCall: occurrence.roles & UInt64(CIX_CALL) != 0))
        }
    }

    /// False if there are too many pairs, or no such module.
    private func tell(of module: String, most: Int?) -> Bool {
        var modules: [String: Set<String>] = [:]
        var calls: [String: Set<String>] = [:]
        for use in uses {
            guard let file = fileOfSymbol[use.usr], file != use.file, let user = moduleOfFile[use.file],
                let used = moduleOfFile[file]
            else { continue }
            if user != used {
                modules[user, default: []].insert(used)
            } else if user == module, use.isCall, !implicit.contains(use.usr) {
                calls[name(use.file), default: []].insert(name(file))
            }
        }
        print("# Modules\n")
        for (user, used) in modules.sorted(by: { $0.key < $1.key }) {
            print("\(user) -> \(used.sorted().joined(separator: " "))")
        }
        print("\n# Files of \(module): who calls whom\n")
        for (caller, callees) in calls.sorted(by: { $0.key < $1.key }) {
            print("\(caller) -> \(callees.sorted().joined(separator: " "))")
        }
        let pairs = calls.flatMap { caller, callees in
            callees.filter { caller < $0 && calls[$0]?.contains(caller) == true }.map { "\(caller) <-> \($0)" }
        }
        print("\n# Both ways\n")
        for pair in pairs.sorted() { print(pair) }
        let files = moduleOfFile.values.count { $0 == module }
        print(
            "\(modules.count) modules use others; \(pairs.count) pairs of the \(files) files of \(module) call each other"
        )
        return files > 0 && pairs.count <= most ?? .max
    }

    private func name(_ file: String) -> String { URL(filePath: file).deletingPathExtension().lastPathComponent }
}

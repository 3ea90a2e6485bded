import Foundation
import Shim6Control

/// `shim6ctl events --follow` of one host, read as it comes.
public final class EventFeed {
    public let host: String
    private let program: Program
    private let handle: FileHandle
    private var rest: [UInt8] = []

    public init(_ laboratory: Laboratory, _ daemon: Daemon) throws {
        host = daemon.host
        let file = "\(daemon.host)-events-\(Clock.now.nanoseconds).json"
        program = try laboratory.start(
            [try Executable.control.path, "events", "--follow", "--json", "--socket", daemon.socket],
            in: daemon.namespace, log: file, errors: file + ".log")
        guard let handle = FileHandle(forReadingAtPath: laboratory.path(file)) else {
            throw LabError("\(file) cannot be read")
        }
        self.handle = handle
    }

    deinit { try? handle.close() }

    public func stop() { program.end() }

    /// The events that have come since the last call.
    public func next() -> [EventRecord] {
        rest += (try? handle.readToEnd()).flatMap { $0 }.map(Array.init) ?? []
        guard let end = rest.lastIndex(of: UInt8(ascii: "\n")) else { return [] }
        let lines = rest[..<end].split(separator: UInt8(ascii: "\n"))
        rest.removeSubrange(...end)
        return lines.compactMap { try? ControlLine.decode(EventRecord.self, from: $0) }
    }
}

import Foundation

/// A file served by a real web server and fetched by a real client.
public final class Download {
    private let laboratory: Laboratory
    private let source: String
    private let copy: String
    private let client: Program
    private let size: Int
    private let server: Program

    /// Starts a server of `size` random octets on host `server`, which sends `rate` octets a second, and curl on `client`.
    /// (A limit of curl's own shows as bursts and long pauses: it fills the receive buffer and stops reading.)
    public init(
        _ laboratory: Laboratory, from server: Namespace, _ address: String, to client: Namespace, _ local: String,
        size: Int, rate: Int
    ) throws {
        self.laboratory = laboratory
        self.size = size
        let root = laboratory.path("web")
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        source = root + "/file"
        copy = laboratory.path("downloaded")
        try Program.run(["head", "-c", "\(size)", "/dev/urandom"], output: source)
        let configuration = laboratory.path("lighttpd.conf")
        try """
        server.document-root = "\(root)"
        server.port = 8080
        server.bind = "[\(address)]"
        server.upload-dirs = ( "\(root)" )
        server.max-write-idle = 600
        connection.kbytes-per-second = \(rate / 1024)

        """.write(toFile: configuration, atomically: true, encoding: .utf8)
        let web = try laboratory.start(["lighttpd", "-D", "-f", configuration], in: server, log: "lighttpd.log")
        self.server = web
        try laboratory.wait(until: "the web server") {
            guard web.isRunning else { throw LabError("lighttpd: \(web.text)") }
            return try server.run("ss", "-6Htln", "sport", "=", ":8080").contains("]:8080")
        }
        self.client = try laboratory.start(
            [
                "curl", "--silent", "--show-error", "--fail", "--interface", local,
                "--output", copy, "http://[\(address)]:8080/file",
            ], in: client, log: "curl.log")
    }

    /// How much has arrived.
    public var received: Int {
        let attributes = try? FileManager.default.attributesOfItem(atPath: copy)
        return (attributes?[.size] as? NSNumber)?.intValue ?? 0
    }

    public var isRunning: Bool { client.isRunning }

    /// Ends it before it is done and compares what has arrived with what was served; returns how many octets that are.
    ///
    /// - Throws: `LabError` if curl has ended by itself or the octets are not those that were served.
    public func cutShort() throws -> Int {
        guard isRunning else { throw LabError("curl has ended: \(client.text)") }
        client.end(with: SIGINT)
        let arrived = received
        let sums = try [source, copy].map { file in
            try Program.run(["sh", "-c", "head -c \(arrived) \(file) | sha256sum"])
        }
        guard sums[0] == sums[1] else { throw LabError("checksum \(sums[1]) instead of \(sums[0])") }
        return arrived
    }

    /// Waits for the end and compares the checksums.
    ///
    /// - Throws: `LabError` if curl fails or the octets are not those that were served.
    public func finish(upTo limit: Double) throws {
        let code = try laboratory.wait(for: "the download to end", upTo: limit, every: 0.1) { client.exitCode }
        guard code == 0 else { throw LabError("curl: exit code \(code): \(client.text)") }
        guard received == size else { throw LabError("\(received) of \(size) octets arrived") }
        let sums = try [source, copy].map { try Program.run(["sha256sum", $0]).prefix { $0 != " " } }
        guard sums[0] == sums[1] else { throw LabError("checksum \(sums[1]) instead of \(sums[0])") }
    }
}

import CGA
import FoundationEssentials
import Glibc
import Logging
import Shim6Wire

/// The files that keep a host's addresses the same over restarts: the private key, which only root may read, and the
/// parameters of each prefix.
struct IdentityFiles {
    let directory: String
    private static let suffix = ".cga"
    private static let limit = 65_536

    /// The key in `path`; made there if there is no such file.
    func privateKey(at path: String, bits: Int, log: Logger) throws(StartFailure) -> PrivateKey {
        if access(path, F_OK) == 0 { return try Self.privateKey(at: path) }
        do {
            let key = try PrivateKey.generate(bits: bits)
            try Self.write(try key.pem(), to: path, mode: 0o600)
            log.notice("made a key of \(bits) bits", metadata: ["file": "\(path)"])
            return key
        } catch let failure as StartFailure {
            throw failure
        } catch {
            throw StartFailure("no key can be made: \(error)")
        }
    }

    /// Throws if others than its owner can read the file: then the key is no secret.
    static func privateKey(at path: String) throws(StartFailure) -> PrivateKey {
        let octets = try read(path, isSecret: true)
        do {
            return try PrivateKey(pem: octets)
        } catch {
            throw StartFailure("\(path): not a usable private key (\(error))", exitCode: 78)
        }
    }

    static func parameters(at path: String) throws(StartFailure) -> CGAParameters {
        let octets = try read(path, isSecret: false)
        do {
            return try CGAParameters(octets)
        } catch {
            throw StartFailure("\(path): not CGA parameters (\(error.rawValue))", exitCode: 78)
        }
    }

    /// The parameters that earlier runs made.
    func storedParameters() throws(StartFailure) -> [CGAParameters] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        var found: [CGAParameters] = []
        for name in names.sorted() where name.hasSuffix(Self.suffix) {
            found.append(try Self.parameters(at: "\(directory)/\(name)"))
        }
        return found
    }

    /// Keeps the parameters of the address in `prefix`, in place of those of an earlier one.
    func store(_ parameters: CGAParameters, prefix: IPv6Address) throws(StartFailure) {
        try Self.write(parameters.octets, to: path(of: prefix), mode: 0o644)
    }

    /// Forgets the parameters of the address in `prefix`.
    func remove(prefix: IPv6Address) { unlink(path(of: prefix)) }

    private func path(of prefix: IPv6Address) -> String { "\(directory)/\(prefix)\(Self.suffix)" }

    /// Puts another key in the place of the one in `path`, and takes away the parameters of the earlier one's addresses.
    func replace(key: PrivateKey, at path: String) throws(StartFailure) {
        do {
            try Self.write(try key.pem(), to: path, mode: 0o600)
        } catch {
            throw error as? StartFailure ?? StartFailure("no key can be made: \(error)")
        }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        for name in names where name.hasSuffix(Self.suffix) { unlink("\(directory)/\(name)") }
    }

    private static func read(_ path: String, isSecret: Bool) throws(StartFailure) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw StartFailure("\(path): \(String(cString: strerror(errno)))", exitCode: 78) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size <= limit else {
            throw StartFailure("\(path): not a regular file of at most \(limit) octets", exitCode: 78)
        }
        if isSecret, status.st_mode & 0o077 != 0 {
            throw StartFailure("\(path): others than its owner can read it: chmod 600 \(path)", exitCode: 78)
        }
        var octets = [UInt8](repeating: 0, count: Int(status.st_size))
        let count = Glibc.read(descriptor, &octets, octets.count)
        guard count == octets.count else { throw StartFailure("\(path): cannot be read", exitCode: 78) }
        return octets
    }

    /// A file is there whole or not at all, also if the power fails.
    private static func write(_ octets: [UInt8], to path: String, mode: mode_t) throws(StartFailure) {
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        let temporary = "\(path).new"
        func fail(_ what: String) -> StartFailure {
            StartFailure("\(what): \(String(cString: strerror(errno)))", exitCode: 73)
        }
        if mkdir(folder, 0o700) != 0, errno != EEXIST { throw fail(folder) }
        unlink(temporary)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
        guard descriptor >= 0 else { throw fail(temporary) }
        let written = Glibc.write(descriptor, octets, octets.count) == octets.count && fsync(descriptor) == 0
        close(descriptor)
        guard written, rename(temporary, path) == 0 else {
            let failure = fail(path)
            unlink(temporary)
            throw failure
        }
    }
}

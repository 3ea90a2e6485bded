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
    private static let badFile = StartFailure.Reason.configuration

    /// The key in `path`; made there if there is no such file.
    func privateKey(at path: String, bits: Int, log: Logger) throws(StartFailure) -> PrivateKey {
        if access(path, F_OK) == 0 || errno != ENOENT { return try Self.privateKey(at: path) }
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
            // Never made anew unasked: every address of the host comes from it.
            throw StartFailure(
                "\(path): not a usable private key (\(error)); with the file out of the way another key is made",
                .configuration)
        }
    }

    static func parameters(at path: String) throws(StartFailure) -> CGAParameters {
        let octets = try read(path, isSecret: false)
        do {
            return try CGAParameters(octets)
        } catch {
            throw StartFailure("\(path): not CGA parameters (\(error.rawValue))", .configuration)
        }
    }

    /// The parameters that earlier runs made. A file without any is put aside: those of a set are made again from one
    /// another, and other addresses take the place of the rest.
    func storedParameters(log: Logger) throws(StartFailure) -> [CGAParameters] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        var found: [CGAParameters] = []
        for name in names.sorted() where name.hasSuffix(Self.suffix) {
            let path = "\(directory)/\(name)"
            do {
                found.append(try Self.parameters(at: path))
            } catch {
                // What is wrong with the system and not with the file keeps the daemon from starting.
                guard error.reason == Self.badFile else { throw error }
                log.warning("\(error.message); kept as \(path).unusable")
                guard rename(path, "\(path).unusable") == 0 else {
                    throw StartFailure(
                        "\(path): cannot be put aside: \(String(cString: strerror(errno)))", .cannotCreate)
                }
            }
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
        // Nobody may ever write to a FIFO.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            // ENXIO: a socket or a device without driver.
            let reason = [ENOENT, ENXIO, ELOOP].contains(errno) ? badFile : .system
            throw StartFailure("\(path): \(String(cString: strerror(errno)))", reason)
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size <= limit else {
            throw StartFailure("\(path): not a regular file of at most \(limit) octets", badFile)
        }
        if isSecret, status.st_mode & 0o077 != 0 {
            throw StartFailure("\(path): others than its owner can read it: chmod 600 \(path)", .configuration)
        }
        var octets = [UInt8](repeating: 0, count: Int(status.st_size))
        let count = Glibc.read(descriptor, &octets, octets.count)
        guard count == octets.count else { throw StartFailure("\(path): cannot be read", .unreadable) }
        return octets
    }

    /// A file is there whole or not at all, also if the power fails.
    private static func write(_ octets: [UInt8], to path: String, mode: mode_t) throws(StartFailure) {
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        let temporary = "\(path).new"
        func fail(_ what: String) -> StartFailure {
            StartFailure("\(what): \(String(cString: strerror(errno)))", .cannotCreate)
        }
        if mkdir(folder, 0o700) != 0, errno != EEXIST { throw fail(folder) }
        // An earlier run may have been killed in the middle. What it was about to write was in use nowhere.
        if unlink(temporary) != 0, errno == EISDIR, rmdir(temporary) != 0 {
            throw fail("\(temporary): a directory is in the way")
        }
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

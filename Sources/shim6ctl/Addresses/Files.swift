import CGA
import FoundationEssentials
import Glibc

/// What the commands read and write.
enum Files {
    private static let limit = 1 << 20

    /// Octets of a regular file or a pipe, or of standard input for `-`.
    static func read(_ path: String) throws(ToolFailure) -> [UInt8] {
        let descriptor = path == "-" ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(path, EX_NOINPUT) }
        defer { close(descriptor) }
        var octets: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(descriptor, &piece, piece.count)
            guard count >= 0 else { throw failure(path, EX_IOERR) }
            guard count > 0 else { return octets }
            octets += piece.prefix(count)
            guard octets.count <= limit else { throw ToolFailure("\(path): longer than \(limit) octets") }
        }
    }

    /// Writes a file that is there whole or not at all.
    static func write(_ octets: [UInt8], to path: String, mode: mode_t = 0o644) throws(ToolFailure) {
        let temporary = "\(path).new"
        unlink(temporary)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
        guard descriptor >= 0 else { throw failure(temporary, EX_CANTCREAT) }
        let written = Glibc.write(descriptor, octets, octets.count) == octets.count && fsync(descriptor) == 0
        close(descriptor)
        guard written, rename(temporary, path) == 0 else { throw failure(path, EX_CANTCREAT) }
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// Octets of CGA parameters: hexadecimal digits, or a file with such digits or with the octets themselves.
    static func parameterOctets(_ argument: String) throws(ToolFailure) -> [UInt8] {
        if argument != "-", !exists(argument), let digits = Hexadecimal(text: argument.utf8) { return digits.octets }
        let octets = try read(argument)
        return Hexadecimal(text: octets)?.octets ?? octets
    }

    static func parameters(_ argument: String) throws(ToolFailure) -> CGAParameters {
        let octets = try parameterOctets(argument)
        do {
            return try CGAParameters(octets)
        } catch {
            throw ToolFailure("\(argument.prefix(60)): no CGA parameters: \(error.explanation)")
        }
    }

    /// A private key, PEM or DER, PKCS#8 or PKCS#1.
    static func privateKey(_ path: String) throws(ToolFailure) -> PrivateKey {
        let octets = try read(path)
        do {
            let isPEM = String(decoding: octets, as: UTF8.self).contains("-----BEGIN ")
            return try isPEM ? PrivateKey(pem: octets) : PrivateKey(der: octets)
        } catch {
            throw ToolFailure("\(path): \(error.explanation)")
        }
    }

    /// A new key, in a file that only its owner can read.
    static func makePrivateKey(_ path: String, bits: Int) throws(ToolFailure) -> PrivateKey {
        let key: PrivateKey
        let pem: [UInt8]
        do throws(PrivateKeyError) {
            key = try PrivateKey.generate(bits: bits)
            pem = try key.pem()
        } catch {
            throw ToolFailure("no key can be made: \(error.explanation)", exitCode: EX_SOFTWARE)
        }
        try write(pem, to: path, mode: 0o600)
        ToolFailure.tell("made a key of \(bits) bits: \(path)")
        return key
    }

    private static func failure(_ path: String, _ code: Int32) -> ToolFailure {
        ToolFailure("\(path): \(String(cString: strerror(errno)))", exitCode: code)
    }
}

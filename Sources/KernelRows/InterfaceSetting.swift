import Glibc

/// One of the kernel's settings under /proc/sys/net/ipv6/conf of an interface.
public enum InterfaceSetting: String, Sendable {
    case acceptRouterAdvertisements = "accept_ra"
    case disableIPv6 = "disable_ipv6"
    case duplicateAddressDetection = "accept_dad"

    private func path(_ interface: String) -> String { "/proc/sys/net/ipv6/conf/\(interface)/\(rawValue)" }

    /// Nil if there is no such interface.
    public func value(on interface: String) -> Int? {
        let descriptor = open(path(interface), O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var octets = [UInt8](repeating: 0, count: 32)
        let count = read(descriptor, &octets, octets.count)
        return Int(String(decoding: octets.prefix(max(0, count)).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
    }

    /// Throws `NetworkFailure` with the kernel's reason.
    public func set(_ value: Int, on interface: String) throws(NetworkFailure) {
        let path = path(interface)
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw NetworkFailure("cannot set \(path)", code: errno) }
        defer { close(descriptor) }
        let text = "\(value)\n"
        guard write(descriptor, text, text.utf8.count) == text.utf8.count else {
            throw NetworkFailure("cannot set \(path)", code: errno)
        }
    }
}

/// A change of the host's network that the kernel refused.
public struct NetworkFailure: Error, CustomStringConvertible {
    public var what: String
    public var code: Int32

    public init(_ what: String, code: Int32) {
        self.what = what
        self.code = code
    }

    public var description: String { "\(what): \(String(cString: strerror(code)))" }
}

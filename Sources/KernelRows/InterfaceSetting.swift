import Glibc

/// One of the kernel's settings under /proc/sys/net/ipv6/conf of an interface.
public enum InterfaceSetting: String {
    case acceptRouterAdvertisements = "accept_ra"
    case disableIPv6 = "disable_ipv6"
    case duplicateAddressDetection = "accept_dad"

    /// Throws `NetworkFailure` with the kernel's reason.
    public func set(_ value: Int, on interface: String) throws(NetworkFailure) {
        let path = "/proc/sys/net/ipv6/conf/\(interface)/\(rawValue)"
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

import Glibc

/// The kernel refused a request.
public struct KernelError: Error, Hashable {
    /// The errno.
    public let number: Int32
    /// What was asked for, for people.
    public let request: String

    public init(number: Int32, request: String) {
        self.number = number
        self.request = request
    }
}

extension KernelError: CustomStringConvertible {
    public var description: String { "\(request): \(String(cString: strerror(number)))" }
}

/// Passes on a result that is not negative and throws the errno that a negative one stands for.
@discardableResult
func checked(_ result: Int32, _ request: @autoclosure () -> String) throws(KernelError) -> Int32 {
    guard result >= 0 else { throw KernelError(number: -result, request: request()) }
    return result
}

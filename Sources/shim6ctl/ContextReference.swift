import ArgumentParser
import Glibc
import Shim6Control
import Shim6Wire

/// A context by its local tag, or by its peer.
enum ContextReference: ExpressibleByArgument {
    case tag(ContextTag)
    /// An address, or a name that stands for some.
    case peer(String)

    init?(argument: String) {
        if let tag = ContextTag(argument) {
            self = .tag(tag)
        } else if !argument.isEmpty, argument != "*" {
            self = .peer(argument)
        } else {
            return nil
        }
    }

    static let help: ArgumentHelp = "The context's local tag, hexadecimal, or an address or name of its peer."

    /// - Throws: `ExitCode` after it has said why, `ControlClientError`.
    func tag(_ client: ControlClient) throws -> ContextTag {
        switch self {
        case .tag(let tag): return tag
        case .peer(let peer):
            let addresses = Self.addresses(of: peer)
            guard !addresses.isEmpty else { throw Self.failure("\(peer) is no tag and no host with an IPv6 address") }
            guard case .contexts(let list) = try client.send(.contexts) else { throw ControlClientError.closed }
            let found = list.contexts.filter { context in
                let ends = [context.ulids.peer, context.outgoing?.destination, context.lastIncoming?.source]
                return ends.contains { $0.map(addresses.contains) ?? false }
            }
            guard let first = found.first else { throw Self.failure("there is no context with \(peer)") }
            guard found.count == 1 else {
                let tags = found.map(\.tag.description).joined(separator: ", ")
                throw Self.failure("there are several contexts with \(peer), name one by its tag: \(tags)")
            }
            return first.tag
        }
    }

    private static func failure(_ reason: String) -> ExitCode {
        ToolFailure.tell("shim6ctl: \(reason)")
        return ExitCode(EX_DATAERR)
    }

    private static func addresses(of peer: String) -> Set<IPv6Address> {
        if let address = IPv6Address(peer) { return [address] }
        var hints = addrinfo()
        hints.ai_family = AF_INET6
        hints.ai_socktype = Int32(SOCK_DGRAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(peer, nil, &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var addresses: Set<IPv6Address> = []
        var next = list
        while let entry = next?.pointee {
            entry.ai_addr.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { address in
                withUnsafeBytes(of: address.pointee.sin6_addr) { octets in
                    if let address = IPv6Address(octets: octets) { addresses.insert(address) }
                }
            }
            next = entry.ai_next
        }
        return addresses
    }
}

import Netlink
import Shim6Core
import Shim6Wire

// The states and policies of the `xfrm` data path.
extension Marks {
    // MARK: Outgoing

    /// Puts the locators in: looked up by the ULIDs.
    func outgoingStates(_ ulids: ULIDPair, _ locators: LocatorPair) -> [RehomingState] {
        [
            RehomingState(
                source: ulids.local, destination: ulids.peer, header: .routing, careOf: locators.destination,
                request: request),
            RehomingState(
                source: ulids.local, destination: ulids.peer, header: .destinationOptions, careOf: locators.source,
                request: request),
        ]
    }

    func outgoingPolicy(_ ulids: ULIDPair, isRehomed: Bool) -> RehomingPolicy {
        var policy = RehomingPolicy(
            source: IPv6Prefix(ulids.local, length: 128), destination: IPv6Prefix(ulids.peer, length: 128),
            direction: .outgoing, priority: context)
        if isRehomed {
            policy.templates = [RehomingState.Header.routing, .destinationOptions].map {
                RehomingPolicy.Template(
                    source: ulids.local, destination: ulids.peer, header: $0, request: request)
            }
        }
        return policy
    }

    // MARK: Incoming

    /// Puts the peer's ULID back as source, from whatever locator.
    func incomingSource(_ ulids: ULIDPair) -> RehomingState {
        RehomingState(
            source: ulids.peer, destination: ulids.local, header: .destinationOptions, careOf: unspecified,
            request: request)
    }

    /// Puts a ULID of this host back as destination, at whatever locator. One for all its contexts.
    func incomingDestination(_ ulid: IPv6Address) -> RehomingState {
        RehomingState(
            source: unspecified, destination: ulid, header: .routing, careOf: unspecified, request: request,
            isWildcard: true)
    }

    // MARK: What is not of a context

    /// Shim6 itself, and what neighbours and multicast routers say to each other, travel as they are: next header 140 and
    /// the ICMPv6 types of RFC 2710, 3810 and 4861.
    var exemptions: [RehomingPolicy] {
        var shim6 = RehomingPolicy(source: nil, destination: nil, direction: .outgoing, priority: exempt)
        shim6.nextHeader = NextHeader.shim6
        let types: [UInt8] = Array(130...137) + [143]
        return [shim6]
            + types.map { type in
                var policy = RehomingPolicy(source: nil, destination: nil, direction: .outgoing, priority: exempt)
                policy.nextHeader = NextHeader.icmpv6
                policy.icmpType = type
                return policy
            }
    }

    /// Lets ICMPv6 pass without a word: the daemon's own questions must not look like sessions.
    var messagesPolicy: RehomingPolicy {
        var policy = RehomingPolicy(source: nil, destination: nil, direction: .outgoing, priority: messages)
        policy.nextHeader = NextHeader.icmpv6
        return policy
    }

    /// Lets everything pass, and makes the kernel tell of each new session.
    var watchPolicy: RehomingPolicy {
        var policy = RehomingPolicy(source: nil, destination: nil, direction: .outgoing, priority: watch)
        policy.templates = [
            RehomingPolicy.Template(
                source: unspecified, destination: unspecified, header: .destinationOptions, request: request,
                isOptional: true)
        ]
        return policy
    }

    /// Let everything of two addresses pass, and show when they were used.
    func candidatePolicies(_ ulids: ULIDPair) -> [RehomingPolicy] {
        let (local, peer) = (IPv6Prefix(ulids.local, length: 128), IPv6Prefix(ulids.peer, length: 128))
        return [
            RehomingPolicy(source: local, destination: peer, direction: .outgoing, priority: candidate),
            RehomingPolicy(source: peer, destination: local, direction: .incoming, priority: candidate),
        ]
    }
}

private let unspecified = IPv6Address(high: 0, low: 0)

import CNetlinkFuzz
import Configuration
import Shim6Control

/// Something that reads what others have written.
public enum FuzzTarget: String, CaseIterable, Sendable {
    /// Requests on the control socket.
    case requests
    /// What a daemon, or somebody in its place, answers to shim6ctl.
    case replies
    /// The configuration file.
    case configuration
    /// What the kernel tells of links, addresses, routes, filters, policies, states and sockets.
    case netlink

    /// Hands many inputs over. A trap, or a broken property, is a find. `isUnder` gets each input before it is used.
    public func run(_ count: Int, seed: UInt64, isUnder: ([UInt8]) -> Void = { _ in }) {
        let check = check
        var inputs = inputs(seed: seed)
        for _ in 0..<count {
            let input = inputs.next()
            isUnder(input)
            check(input)
        }
    }

    private func inputs(seed: UInt64) -> Inputs {
        switch self {
        case .requests: Inputs(samples: Samples.requests, marks: Samples.json, seed: seed)
        case .replies: Inputs(samples: Samples.replies, marks: Samples.json, seed: seed)
        case .configuration: Inputs(samples: Samples.configurations, marks: Samples.toml, seed: seed)
        case .netlink: Inputs(samples: Samples.messages, marks: Samples.netlink, seed: seed)
        }
    }

    private var check: ([UInt8]) -> Void {
        switch self {
        case .requests: Checks.request
        case .replies: Checks.reply
        case .configuration: Checks.configuration
        case .netlink: Checks.netlink
        }
    }
}

/// What has to hold of every input.
private enum Checks {
    /// What is accepted means the same after it is written; what is refused is refused in one line.
    static func request(_ octets: [UInt8]) {
        do throws(RequestError) {
            let request = try Request(line: octets)
            guard let line = try? ControlLine.encode(request) else { return }
            precondition((try? Request(line: line)) == request, "a request changes when it is written")
        } catch {
            precondition(!error.error.message.isEmpty, "a refusal without a word")
        }
    }

    static func reply(_ octets: [UInt8]) {
        guard let reply = try? ControlLine.decode(Reply.self, from: octets) else { return }
        if case .success(let response) = reply.outcome { _ = response.text(style: .plain) }
        guard let line = try? ControlLine.encode(reply) else { return }
        precondition((try? ControlLine.decode(Reply.self, from: line)) != nil, "a reply cannot be read again")
    }

    static func configuration(_ octets: [UInt8]) {
        do throws(ConfigurationError) {
            _ = try Configuration.parse(String(decoding: octets, as: UTF8.self), file: "f")
        } catch {
            precondition(!error.problems.isEmpty, "a refusal without a word")
            for problem in error.problems {
                precondition(problem.hasPrefix("f:") && !problem.contains("\n"), "not one line: \(problem)")
            }
        }
    }

    /// The first octets are the message's type.
    static func netlink(_ octets: [UInt8]) {
        guard octets.count >= 2 else { return }
        let made = octets.dropFirst(2).withUnsafeBufferPointer {
            netlink_fuzz(UInt16(octets[0]) | UInt16(octets[1] & 1) << 8, $0.baseAddress, $0.count)
        }
        precondition(made >= 0, "no memory")
    }
}

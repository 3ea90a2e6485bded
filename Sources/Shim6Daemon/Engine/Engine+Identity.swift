import Shim6Control

// What an operator wants changed of the identity.
extension Engine {
    func renewIdentity(
        withNewKey: Bool, _ continuation: CheckedContinuation<Result<Response, CommandError>, Never>
    ) {
        guard identities.makesAddresses else {
            let message = "the identity was brought along: change private-key and parameters in the configuration"
            return continuation.resume(returning: .failure(CommandError(.conflict, message)))
        }
        let prefixes = uplinks.uplinks.flatMap(\.prefixes).map(\.prefix)
        guard !prefixes.isEmpty, identities.renew(over: prefixes, withNewKey: withNewKey) else {
            let message = prefixes.isEmpty ? "no uplink has a prefix" : "addresses are being made already"
            return continuation.resume(returning: .failure(CommandError(.conflict, message)))
        }
        identityCommands.append(continuation)
    }

    func finishIdentity(_ result: Result<IdentityJob.Product, any Error>) {
        var failure: CommandError?
        do {
            try identities.finish(result)
            try refresh()
        } catch {
            let message = (error as? StartFailure)?.message ?? "\(error)"
            log.error("\(message)")
            failure = CommandError(.internal, message)
        }
        for continuation in identityCommands {
            if let failure {
                continuation.resume(returning: .failure(failure))
            } else {
                carryOut(.identity(.show)) { continuation.resume(returning: $0) }
            }
        }
        identityCommands = []
    }
}

/// The daemon as its console and its control socket see it.
public protocol CommandHandler: Sendable {
    /// Carries out one command. Permission has been checked. May be called from several tasks at once.
    func handle(_ command: Command) async -> Result<Response, CommandError>
}

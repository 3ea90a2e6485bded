import CGA
import Configuration
import Glibc
import Logging
import Netlink
import Shim6Console
import Shim6Control

/// From a configuration file to a running daemon. Everything that can fail without touching the host comes first.
enum Start {
    /// A stream that whoever started the daemon has closed would become the first socket that is opened, and the log would
    /// go there.
    static func openStandardStreams() {
        for stream in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(stream, F_GETFD) < 0 {
            // The lowest descriptor that is free is this one.
            _ = open("/dev/null", O_RDWR)
        }
    }

    static func configuration(from file: String) throws(StartFailure) -> (Configuration, [String]) {
        do {
            let loaded = try Configuration.load(contentsOf: file)
            loaded.warnings.forEach(tell)
            return loaded
        } catch {
            throw StartFailure(error.description, .configuration)
        }
    }

    /// Writes a line to standard error.
    static func tell(_ line: String) {
        let text = "\(line)\n"
        _ = write(STDERR_FILENO, text, text.utf8.count)
    }

    static func printDefaults() { print(Configuration.defaultsText, terminator: "") }

    static func run(_ loaded: (Configuration, [String])) throws(StartFailure) {
        var (configuration, warnings) = loaded
        EventLoop.blockSignals()
        LoggingSystem.bootstrap { LimitedLogHandler(StreamLogHandler.standardError(label: $0)) }
        var log = Logger(label: "shim6d")
        log.logLevel = Logger.Level(rawValue: configuration.logLevel.rawValue) ?? .info
        guard !configuration.uplinks.isEmpty else {
            throw StartFailure("the configuration names no [[uplink]]", .configuration)
        }
        try requireCapabilities()
        try requireCryptography()
        try requireDescriptors(configuration.limits)
        let lock = try InstanceLock()
        let dataPath = try LoadedDataPath(configuration)
        // Before the first other thread, which would keep what it inherits. The socket file may get another group.
        dropCapabilities(keeping: needed.union(.changeOwner), log)
        let mailbox = Mailbox<Mail>()
        let post = CommandPost(mailbox)
        let interfaces = try listen(configuration, post)
        if let failure = interfaces.consoleFailure {
            warnings.append("\(failure): there is no console")
            log.warning("\(failure): there is no console")
        }
        let engine: Engine
        do {
            engine = try Engine(
                configuration, warnings: warnings, identities: Identities(configuration.identity, log: log),
                dataPath: dataPath, mailbox: mailbox, interfaces: interfaces, log: log)
        } catch {
            post.close()
            interfaces.stop()
            throw error as? StartFailure ?? StartFailure("\(error)")
        }
        dropCapabilities(keeping: needed, log)
        if let obstacle = engine.dataPath.traits.obstacle {
            log.warning("no data path, so no session survives the failure of its uplink: \(obstacle)")
        }
        log.notice(
            "ready",
            metadata: [
                "version": "\(Version.text)", "socket": "\(configuration.control.socket)",
                "driver": "\(engine.dataPath.traits.name)",
            ])
        ServiceManager.notify("READY=1")
        engine.run()
        post.close()
        engine.refuseCommands()
        interfaces.stop()
        withExtendedLifetime(lock) {}
    }

    /// Leaves nothing of any run behind but the key and the parameters of the addresses.
    static func flush(configuration file: String) throws(StartFailure) {
        try requireCapabilities()
        let lock = try InstanceLock()
        do {
            try Leftovers.removeAll(RouteSocket())
            let configuration = (try? Configuration.load(contentsOf: file).configuration) ?? Configuration()
            try OperatorInterfaces.removeStaleSocketFile(configuration.control.socket)
        } catch {
            throw StartFailure("\(error)")
        }
        withExtendedLifetime(lock) {}
    }

    private static func listen(
        _ configuration: Configuration, _ post: CommandPost
    ) throws(StartFailure) -> OperatorInterfaces {
        do {
            return try OperatorInterfaces(configuration: configuration, handler: post)
        } catch {
            throw StartFailure(error.description, error.reason)
        }
    }

    /// For every client at once and all that the daemon has open by itself: whoever runs out of them fails in the middle.
    private static func requireDescriptors(_ limits: Configuration.Limits) throws(StartFailure) {
        let needed = rlim_t(128 + limits.maxControlClients + limits.maxConsoleClients)
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0, limit.rlim_cur < needed else {
            return
        }
        let old = limit.rlim_cur
        limit = rlimit(rlim_cur: needed, rlim_max: max(needed, limit.rlim_max))
        guard setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            throw StartFailure(
                "only \(old) files may be open at a time and \(needed) are needed: raise the limit (ulimit -n, LimitNOFILE)"
            )
        }
    }

    /// Peers decide when these algorithms are used first; that is too late to find out that there are none.
    private static func requireCryptography() throws(StartFailure) {
        let missing = Libcrypto.missing()
        guard missing.isEmpty else {
            throw StartFailure(
                "libcrypto offers no \(missing.joined(separator: ", ")): its default provider is needed, see OPENSSL_CONF",
                .unavailable)
        }
    }

    private static let needed: Capabilities = [.networkAdministration, .rawSockets]

    private static func requireCapabilities() throws(StartFailure) {
        guard let have = try? Capabilities.effective() else { throw StartFailure("cannot read the capabilities") }
        guard have.isSuperset(of: needed) else {
            throw StartFailure("CAP_NET_ADMIN and CAP_NET_RAW are needed: run it as root", .noPermission)
        }
    }

    /// What is open stays open; programs that are loaded can still be attached, and tables changed.
    private static func dropCapabilities(keeping kept: Capabilities, _ log: Logger) {
        do {
            try Capabilities.keepOnly(kept.intersection(Capabilities.effective()))
        } catch {
            log.warning("\(error)")
        }
    }
}

extension ListenError {
    fileprivate var reason: StartFailure.Reason {
        switch self {
        case .socketInUse: .inUse
        case .unknownGroup: .configuration
        case .notASocket, .system: .cannotCreate
        }
    }
}

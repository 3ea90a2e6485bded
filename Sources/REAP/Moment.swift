import Shim6Wire

/// What a machine handles one event with, and what it answers.
struct Moment {
    /// As the stamps will be once the commands are carried out.
    private(set) var activity: Activity
    let paths: SharedPaths
    var random: RandomSource
    let now: Instant
    private(set) var commands = StampCommands()
    var effects: [REAPEffect] = []

    init(activity: Activity, paths: SharedPaths, random: RandomSource, now: Instant) {
        self.activity = activity
        self.paths = paths
        self.random = random
        self.now = now
    }

    /// Tells the Send Timer and the Keepalive Timer what to do, each once an event; nil for nothing.
    mutating func tell(send: TimerCommand? = nil, keepalive: TimerCommand? = nil) {
        if let send {
            assert(commands.send == nil)
            activity.sendStart = send.applied(to: activity.sendStart, at: now)
            commands.send = send
        }
        if let keepalive {
            assert(commands.keepalive == nil)
            activity.keepStart = keepalive.applied(to: activity.keepStart, at: now)
            commands.keepalive = keepalive
        }
    }

    mutating func requestReports(incoming: Bool, outgoing: Bool) {
        commands.reportsIncoming = incoming
        commands.reportsOutgoing = outgoing
    }
}

import DataPath
import KernelRows
import Logging
import Netlink
import Shim6Core
import Shim6Wire

/// Carries out what the core wants done: sends messages, arms timers, keeps the data path's entries and idle policies.
final class Performer {
    private let dataPath: any DataPath
    private let uplinks: Uplinks
    private let idleWatch: IdleWatch
    private let timers: TimerThread
    private let sockets: PacketSockets
    private let counters: EngineCounters
    private let log: Logger
    /// For what concerns one context.
    private let contextLog: Logger

    init(
        dataPath: any DataPath, uplinks: Uplinks, idleWatch: IdleWatch, timers: TimerThread, sockets: PacketSockets,
        counters: EngineCounters, log: Logger, contextLog: Logger
    ) {
        self.dataPath = dataPath
        self.uplinks = uplinks
        self.idleWatch = idleWatch
        self.timers = timers
        self.sockets = sockets
        self.counters = counters
        self.log = log
        self.contextLog = contextLog
    }

    /// Effects have to come in the order in which the core gives them. What is asked or published is none of this.
    func perform(_ effect: Effect) {
        switch effect {
        case .send(let octets, let source, let destination):
            send(octets, over: LocatorPair(source: source, destination: destination))
        case .arm(let timer, let deadline): timers.arm(timer, at: deadline)
        case .cancel(let timer): timers.cancel(timer)
        case .install(let entry): change(entry, dataPath.install)
        case .remove(let entry): change(entry, dataPath.remove)
        case .forget(let ulids): dataPath.forget(ulids)
        case .resume(let tag, let start):
            if uplinks.obstacle == nil { dataPath.resume(tag, unansweredSince: start) }
        case .watchIdle(let tag, let ulids, let seconds):
            idleWatch.watch(tag, ulids, seconds: seconds, at: .monotonicNow)
        case .unwatchIdle(let tag, _): idleWatch.unwatch(tag)
        case .askUse, .publish: break
        }
    }

    /// Sends what stands behind the IPv6 header by the uplink of the source.
    func send(_ octets: [UInt8], over pair: LocatorPair) {
        guard uplinks.obstacle == nil else {
            counters.keptFromLeaving += 1
            return
        }
        // Without the interface the packet could take the route of a rehomed pair.
        guard let interface = uplinks.uplink(of: pair.source)?.link?.index else {
            counters.sendErrors += 1
            return
        }
        do {
            try sockets.send(octets, over: pair, interface: interface)
        } catch {
            counters.sendErrors += 1
            log.debug("\(error)")
        }
    }

    /// Tells this host something.
    func tell(_ message: LocalMessage) {
        do {
            try sockets.send(message)
            counters.localErrors += 1
        } catch {
            counters.sendErrors += 1
        }
    }

    private func change(_ entry: DataPathEntry, _ change: (DataPathEntry) throws -> Void) {
        do {
            try change(entry)
        } catch {
            counters.dataPathErrors += 1
            contextLog.error("\(error)", metadata: ["tag": "\(entry.localTag)"])
        }
    }
}

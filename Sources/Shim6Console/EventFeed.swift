import NIOCore
import Shim6Control
import Synchronization

/// Takes events from any thread and hands them to the followers on the event loop; keeps the recent ones.
final class EventFeed: Sendable {
    /// Events that wait for the event loop. More than this and the newest are lost, and counted.
    static let maximumWaiting = 4096

    private struct Waiting {
        var events: [EventRecord] = []
        var lost = 0
    }

    /// Of the event loop alone.
    private struct Readers {
        var recent: CircularBuffer<EventRecord> = CircularBuffer()
        var followers: [ObjectIdentifier: ControlConnection] = [:]
    }

    private let waiting = Mutex(Waiting())
    private let readers: NIOLoopBoundBox<Readers>
    private let loop: any EventLoop
    private let keep: Int

    /// Keeps the last `keep` events.
    init(keep: Int, on loop: any EventLoop) {
        self.keep = keep
        self.loop = loop
        readers = .makeBoxSendingValue(Readers(), eventLoop: loop)
    }

    func broadcast(_ event: EventRecord) {
        let first = waiting.withLock { waiting in
            guard waiting.events.count < EventFeed.maximumWaiting else {
                waiting.lost += 1
                return false
            }
            waiting.events.append(event)
            return waiting.events.count == 1
        }
        if first { loop.execute { self.deliver() } }
    }

    // MARK: On the event loop

    var recent: [EventRecord] { Array(readers.value.recent) }

    func add(_ follower: ControlConnection) {
        readers.value.followers[ObjectIdentifier(follower)] = follower
    }

    func remove(_ follower: ControlConnection) {
        readers.value.followers[ObjectIdentifier(follower)] = nil
    }

    private func deliver() {
        var (events, lost) = waiting.withLock { waiting in
            defer { waiting = Waiting() }
            return (waiting.events, waiting.lost)
        }
        if lost > 0, let last = events.last {
            events.append(EventRecord(at: last.at, kind: .lost, detail: "\(lost) events came too fast"))
        }
        for event in events {
            if readers.value.recent.count == keep { readers.value.recent.removeFirst() }
            readers.value.recent.append(event)
        }
        guard !readers.value.followers.isEmpty else { return }
        var octets = ByteBuffer()
        for event in events {
            guard let line = try? ControlLine.encode(EventLine(event: event)) else { continue }
            octets.writeBytes(line)
            octets.writeInteger(UInt8(ascii: "\n"))
        }
        for follower in readers.value.followers.values { follower.stream(octets) }
    }
}

import Foundation
import Synchronization

/// Turns SIGINT, SIGTERM and SIGHUP into an error thrown wherever the lab waits, so that everything is taken down along
/// the usual way.
public struct Interruption: Error, CustomStringConvertible {
    public let signal: Int32
    public var description: String { "interrupted by signal \(signal)" }

    private static let received = Atomic<Int32>(0)

    /// Has the signals noted from now on. Each later one is noted too and does nothing more.
    public static func catchSignals() {
        // A reader that goes away is no reason to leave everything standing.
        Glibc.signal(SIGPIPE, SIG_IGN)
        for number in [SIGINT, SIGTERM, SIGHUP] {
            Glibc.signal(number) { Interruption.received.store($0, ordering: .relaxed) }
        }
    }

    /// Throws if a signal has come.
    public static func check() throws {
        let signal = received.load(ordering: .relaxed)
        if signal != 0 { throw Interruption(signal: signal) }
    }

    /// Whether a signal has come.
    public static var isPending: Bool { received.load(ordering: .relaxed) != 0 }
}

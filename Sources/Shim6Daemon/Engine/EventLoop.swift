import CLinux
import Glibc

/// Waits until one of a few descriptors is readable, or a signal asks the process to end.
struct EventLoop: ~Copyable {
    private let signals: Int32
    private var polled: [pollfd]

    /// SIGTERM, SIGINT and SIGHUP must be blocked in every thread: see `blockSignals`.
    init(descriptors: [Int32]) {
        var set = Self.endSignals
        let descriptor = signalfd(-1, &set, Int32(SFD_CLOEXEC | SFD_NONBLOCK))
        precondition(descriptor >= 0, "no signalfd: \(errno)")
        signals = descriptor
        polled = ([descriptor] + descriptors).map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    }

    deinit { close(signals) }

    /// To be called before the first other thread is made, since threads inherit it. A peer that closes its end of a
    /// socket is no reason to end.
    static func blockSignals() {
        var set = endSignals
        pthread_sigmask(SIG_BLOCK, &set, nil)
        signal(SIGPIPE, SIG_IGN)
    }

    /// Waits at most `milliseconds`. Returns the signal that asked for the end, if one did.
    mutating func wait(milliseconds: Int32) -> Int32? {
        poll(&polled, nfds_t(polled.count), milliseconds)
        var information = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        return read(signals, &information, size) == size ? Int32(information.ssi_signo) : nil
    }

    private static var endSignals: sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in [SIGTERM, SIGINT] { sigaddset(&set, signal) }
        if !isHangUpIgnored { sigaddset(&set, SIGHUP) }
        return set
    }

    /// As nohup has it: the end of the terminal is then no reason to end.
    private static var isHangUpIgnored: Bool {
        var action = sigaction()
        guard sigaction(SIGHUP, nil, &action) == 0 else { return false }
        let ignoring = 1  // SIG_IGN
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == ignoring
    }
}

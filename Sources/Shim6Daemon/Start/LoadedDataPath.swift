import BPFDataPath
import Configuration
import DataPath
import Glibc
import KernelRows
import Logging
import Netlink
import Shim6Core
import Shim6Wire
import XFRMDataPath

/// The data path that the configuration asks for, loaded while the daemon may still do that; nothing is changed yet.
enum LoadedDataPath {
    case bpf(KernelProgram)
    case xfrm(XFRMTables, HeedingSocket)
    case none(why: String)

    /// Throws `StartFailure` if the one that is asked for by name cannot be had.
    init(_ configuration: Configuration) throws(StartFailure) {
        switch configuration.dataPath.driver {
        case .bpf: self = .bpf(try Self.bpf(configuration))
        case .xfrm: self = try Self.xfrm(configuration)
        case .none: self = .none(why: "the configuration asks for none")
        case .auto:
            do {
                self = .bpf(try Self.bpf(configuration))
            } catch let refusal {
                do {
                    self = try Self.xfrm(configuration)
                } catch {
                    let why = "\(refusal.message); \(error.message); see shim6ctl doctor"
                    self = .none(why: why)
                }
            }
        }
    }

    private static func bpf(_ configuration: Configuration) throws(StartFailure) -> KernelProgram {
        var sizes = KernelProgram.Sizes()
        sizes.contexts = UInt32(clamping: configuration.host.maximumContexts)
        sizes.keptPackets = UInt32(clamping: configuration.dataPath.limits.keptPackets)
        do {
            let program = try KernelProgram(sizes: sizes)
            program.settings = KernelProgramSettings(configuration.dataPath.limits)
            return program
        } catch {
            throw StartFailure(error.description)
        }
    }

    /// XFRM counts no octets of sessions: this long stands for `trigger-octets`.
    private static let worthwhile = Duration.seconds(3)

    private static func xfrm(_ configuration: Configuration) throws(StartFailure) -> LoadedDataPath {
        let reap = configuration.hostConfiguration.reap
        guard reap.quick == nil, reap.sendTimeout >= XFRMDataPath.leastSendTimeout else {
            throw StartFailure(
                "the xfrm data path sees traffic once a second, which is too seldom for the fast profile and for any Send "
                    + "Timeout below 1 s: set driver = \"bpf\", or the timers of RFC 5534", .configuration)
        }
        do {
            try XFRMTables.probe(marks: XFRMDataPath.marks)
        } catch {
            // Some failures say nothing of what the kernel can do.
            let isLack = [EPERM, ENOMEM, ENOBUFS, EMFILE, ENFILE].contains(error.number)
            throw StartFailure(
                isLack
                    ? "XFRM could not be tried: \(error)"
                    : "the kernel makes no XFRM states that rehome (CONFIG_IPV6_MIP6): \(error)")
        }
        do {
            let age = configuration.dataPath.limits.triggerOctets == 0 ? .zero : worthwhile
            let tables = try XFRMTables(
                marks: XFRMDataPath.marks, contexts: UInt32(clamping: configuration.host.maximumContexts),
                triggerAge: min(configuration.dataPath.limits.triggerAge, age))
            return .xfrm(tables, try HeedingSocket(nextHeader: NextHeader.experimental))
        } catch {
            throw StartFailure("the xfrm data path could not be made: \(error)")
        }
    }

    func made(
        _ configuration: Configuration, socket: RouteSocket, rows: OwnRows, log: Logger
    ) throws -> any DataPath {
        switch self {
        case .bpf(let program):
            try BPFDataPath(program, socket: socket, rows: rows, log: log)
        case .xfrm(let tables, let heeding):
            XFRMDataPath(tables, heeding: heeding, socket: socket, rows: rows, log: log)
        case .none(let why):
            NoDataPath(contexts: UInt32(clamping: configuration.host.maximumContexts), why: why)
        }
    }
}

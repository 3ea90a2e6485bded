import Configuration
import Netlink
import Shim6Wire
import XFRMDataPath

/// Tries everything on this host that shim6d depends on, and tells what to type where something is amiss. Packets are
/// sent and received; what is made for that goes with this process at the latest.
///
/// - Parameters:
///   - file: the daemon's configuration.
///   - peers: addresses of hosts with Shim6, to and from which the paths are tried. Without any nothing goes further
///     than the first router.
///   - daemonRuns: whether shim6d runs here, so that what it makes should be there.
///   - priority: the mark of the daemon's XFRM policies.
public func examineHost(
    configuration file: String, peers: [IPv6Address] = [], daemonRuns: Bool, priority: UInt32 = 6140
) -> [Finding] {
    var findings = KernelChecks.all(marks: Marks(context: priority))
    do throws(ConfigurationError) {
        let (configuration, warnings) = try Configuration.load(contentsOf: file)
        findings.append(Finding("configuration", .ok, file))
        findings += warnings.map { Finding("configuration", .warning, $0) }
        findings += examineUplinks(configuration, peers: peers, daemonRuns: daemonRuns)
    } catch {
        findings.append(Finding("configuration", .failure, "\(error)", advice: ["shim6d --check --config \(file)"]))
    }
    return findings + ManagerChecks().all()
}

private func examineUplinks(_ configuration: Configuration, peers: [IPv6Address], daemonRuns: Bool) -> [Finding] {
    let checks: UplinkChecks
    do throws(KernelError) {
        checks = try UplinkChecks(daemonRuns: daemonRuns)
    } catch {
        return [Finding("uplinks", .unknown, "\(error)")]
    }
    do throws(KernelError) {
        return checks.all(configuration) + (try ProbeChecks(configuration, checks, peers: peers).all())
    } catch {
        return checks.all(configuration) + [
            Finding("probes", .unknown, "nothing could be sent: \(error)", advice: ["run it as root"])
        ]
    }
}

import Configuration
import Netlink
import XFRMDataPath

/// Looks at everything on this host that shim6d depends on, and tells what to type where something is amiss. It changes
/// nothing that lasts.
///
/// - Parameters:
///   - file: the daemon's configuration.
///   - priority: the mark of the daemon's XFRM policies.
public func examineHost(configuration file: String, priority: UInt32 = 6140) -> [Finding] {
    var findings = KernelChecks.all(marks: Marks(context: priority))
    do throws(ConfigurationError) {
        let (configuration, warnings) = try Configuration.load(contentsOf: file)
        findings.append(Finding("configuration", .ok, file))
        findings += warnings.map { Finding("configuration", .warning, $0) }
        findings += examineUplinks(configuration)
    } catch {
        findings.append(Finding("configuration", .failure, "\(error)", advice: ["shim6d --check --config \(file)"]))
    }
    if let firewall = FirewallChecks.ofThisHost() {
        findings += firewall.all()
    } else {
        findings.append(Finding("packet filters", .unknown, "neither nft nor ip6tables-legacy-save can be asked"))
    }
    return findings + ManagerChecks().all()
}

private func examineUplinks(_ configuration: Configuration) -> [Finding] {
    do throws(KernelError) {
        return try UplinkChecks().all(configuration)
    } catch {
        return [Finding("uplinks", .unknown, "\(error)")]
    }
}

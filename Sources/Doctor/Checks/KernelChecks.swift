import BPFDataPath
import FoundationEssentials
import Glibc
import Netlink
import Shim6Wire
import XFRMDataPath

/// What the kernel and the caller's rights allow.
enum KernelChecks {
    static func all(marks: Marks) -> [Finding] {
        [capabilities(), lockdown(), bpf(), xfrm(marks), routing(), settings()]
    }

    static func capabilities(_ have: Capabilities? = try? Capabilities.effective()) -> Finding {
        guard let have else { return Finding("capabilities", .unknown, "they cannot be read") }
        let wanted: [(Capabilities, String)] = [
            (.networkAdministration, "CAP_NET_ADMIN"), (.rawSockets, "CAP_NET_RAW"), (.bpf, "CAP_BPF"),
            (.performanceMonitoring, "CAP_PERFMON"),
        ]
        // The right to administer the system includes what eBPF needs, and nothing of the network.
        let held = have.contains(.systemAdministration) ? have.union([.bpf, .performanceMonitoring]) : have
        let missing = wanted.filter { !held.contains($0.0) }.map(\.1)
        guard missing.isEmpty else {
            return Finding(
                "capabilities", .unknown,
                "\(missing.joined(separator: ", ")) missing here: what needs them cannot be tried (CAP_BPF and "
                    + "CAP_PERFMON: only eBPF)",
                advice: [
                    "run it as root, or in the service's unit:",
                    "AmbientCapabilities=\(wanted.map(\.1).joined(separator: " "))",
                ])
        }
        return Finding("capabilities", .ok, "\(wanted.map(\.1).joined(separator: ", ")) are there")
    }

    static func lockdown(_ text: String? = try? String(contentsOfFile: lockdownFile, encoding: .utf8)) -> Finding {
        guard let text else { return Finding("lockdown", .ok, "the kernel has none") }
        // "none [integrity] confidentiality": the brackets mark what is in force.
        guard text.contains("[confidentiality]") else {
            return Finding("lockdown", .ok, "it does not forbid eBPF programs of this kind")
        }
        return Finding(
            "lockdown", .warning, "\"confidentiality\" may keep eBPF programs from being loaded; XFRM works with it",
            advice: ["[data-path] driver = \"xfrm\"", "or boot with lockdown=integrity"])
    }

    private static let lockdownFile = "/sys/kernel/security/lockdown"

    static func bpf() -> Finding {
        var sizes = KernelProgram.Sizes()
        (sizes.contexts, sizes.locators, sizes.candidates, sizes.limiters, sizes.ring) = (16, 16, 16, 16, 4096)
        sizes.keptPackets = 16
        do {
            _ = try KernelProgram(sizes: sizes)
            return Finding("eBPF data path", .ok, "this kernel takes the program (driver = \"bpf\")")
        } catch {
            return Finding(
                "eBPF data path", .warning, "\(error)",
                advice: [
                    "needs Linux 6.1 with CONFIG_BPF_SYSCALL, CONFIG_NET_CLS_BPF, CONFIG_NET_SCH_INGRESS, CONFIG_VETH:",
                    "modprobe -a sch_ingress cls_bpf veth",
                    "without it: [data-path] driver = \"xfrm\"",
                ])
        }
    }

    static func xfrm(_ marks: Marks) -> Finding {
        do throws(KernelError) {
            try XFRMTables.probe(marks: marks)
            return Finding("XFRM data path", .ok, "this kernel makes states that rehome (driver = \"xfrm\")")
        } catch {
            return Finding(
                "XFRM data path", .warning, "\(error)",
                advice: [
                    "needs CONFIG_XFRM_USER, CONFIG_XFRM_SUB_POLICY and CONFIG_IPV6_MIP6:",
                    "modprobe -a xfrm_user mip6",
                    "grep -E 'XFRM_SUB_POLICY|IPV6_MIP6' /boot/config-$(uname -r)",
                ])
        }
    }

    /// Makes a route for one source, in a table that nothing leads to, and takes it away.
    static func routing() -> Finding {
        let nobody = IPv6Prefix(IPv6Address(high: 0x2001_0db8_6140_0000, low: 1), length: 128)
        let route = Route(
            to: nil, from: nobody, interface: nil, table: unusedTable, protocol: daemon, type: Route.unreachable)
        do throws(KernelError) {
            let socket = try RouteSocket()
            try socket.replace(route)
            try socket.delete(route)
            return Finding("routes per source", .ok, "this kernel makes them")
        } catch {
            guard error.number == EINVAL || error.number == EOPNOTSUPP else {
                return Finding("routes per source", .unknown, "\(error)")
            }
            return Finding(
                "routes per source", .failure, "this kernel makes none: \(error)",
                advice: ["use a distribution's kernel (CONFIG_IPV6_MULTIPLE_TABLES, CONFIG_IPV6_SUBTREES)"])
        }
    }

    private static let unusedTable: UInt32 = 6138
    /// The daemon's mark: so what a killed run leaves goes with the daemon's next start or `--flush`.
    private static let daemon: UInt8 = 114

    static func settings() -> Finding {
        var file = statvfs()
        guard statvfs("/proc/sys/net", &file) == 0 else { return Finding("/proc/sys", .unknown, "it is not there") }
        guard file.f_flag & UInt(ST_RDONLY) == 0 else {
            return Finding(
                "/proc/sys", .failure, "it is read-only here, and shim6d sets up its devices there",
                advice: ["mount -o remount,rw /proc/sys   # or in the container: --privileged"])
        }
        return Finding("/proc/sys", .ok, "it can be written to")
    }
}

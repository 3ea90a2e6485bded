import BPFDataPath
import FoundationEssentials
import Netlink
import XFRMDataPath

/// What the kernel and the caller's rights allow.
enum KernelChecks {
    static func all(marks: Marks) -> [Finding] {
        [capabilities(), lockdown(), bpf(), xfrm(marks), routing(KernelConfiguration.running())]
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
                "capabilities", .failure,
                "\(missing.joined(separator: ", ")) missing here; CAP_BPF and CAP_PERFMON only for eBPF",
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

    static func routing(_ configuration: KernelConfiguration?) -> Finding {
        guard let configuration else {
            return Finding("kernel options", .unknown, "there is no /boot/config-RELEASE to look at")
        }
        let missing = configuration.missing(["IPV6_MULTIPLE_TABLES", "IPV6_SUBTREES"])
        guard missing.isEmpty else {
            return Finding(
                "kernel options", .failure,
                "without \(missing.map { "CONFIG_\($0)" }.joined(separator: ", ")) there are no routes per source",
                advice: ["use a distribution's kernel"])
        }
        return Finding("kernel options", .ok, "routes per source can be made")
    }
}

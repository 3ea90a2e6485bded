import FoundationEssentials

/// Network managers that remove routes, rules and addresses that they did not make.
struct ManagerChecks {
    /// Where the files are; "" but in tests.
    var root = ""

    func all() -> [Finding] { [networkd(), networkManager()] }

    func networkd() -> Finding {
        guard exists("/run/systemd/netif/state") else {
            return Finding("systemd-networkd", .ok, "it does not run")
        }
        let files = ["/etc/systemd/networkd.conf"] + drops("/etc/systemd/networkd.conf.d")
        let settings = files.flatMap(lines)
        let missing = ["ManageForeignRoutes", "ManageForeignRoutingPolicyRules"].filter { key in
            let value = settings.last { $0.hasPrefix(key + "=") }?.dropFirst(key.count + 1)
            return !["no", "false", "0", "off"].contains(value ?? "")
        }
        guard missing.isEmpty else {
            return Finding(
                "systemd-networkd", .warning,
                "it removes routes and rules of others when it starts or reconfigures a link; shim6d puts them back",
                advice: [
                    "mkdir -p /etc/systemd/networkd.conf.d",
                    "printf '[Network]\\n\(missing.map { "\($0)=no\\n" }.joined())' "
                        + "> /etc/systemd/networkd.conf.d/shim6d.conf",
                    "systemctl restart systemd-networkd",
                ])
        }
        return Finding("systemd-networkd", .ok, "it leaves routes and rules of others alone")
    }

    func networkManager() -> Finding {
        guard exists("/run/NetworkManager") else { return Finding("NetworkManager", .ok, "it does not run") }
        let files = ["/etc/NetworkManager/NetworkManager.conf"] + drops("/etc/NetworkManager/conf.d")
        let isExempt = files.flatMap(lines).contains {
            $0.hasPrefix("unmanaged-devices=") && $0.contains("interface-name:shim0")
        }
        guard !isExempt else { return Finding("NetworkManager", .ok, "it leaves shim0 alone") }
        return Finding(
            "NetworkManager", .warning, "it may take hold of shim0, shim6d's own device",
            advice: [
                "mkdir -p /etc/NetworkManager/conf.d",
                "printf '[keyfile]\\nunmanaged-devices=interface-name:shim0;interface-name:shim0x\\n' "
                    + "> /etc/NetworkManager/conf.d/shim6d.conf",
                "nmcli general reload",
            ])
    }

    private func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: root + path) }

    private func drops(_ folder: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: root + folder)) ?? []
        return names.filter { $0.hasSuffix(".conf") }.sorted().map { "\(folder)/\($0)" }
    }

    private func lines(of path: String) -> [String] {
        let text = (try? String(contentsOfFile: root + path, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map { $0.filter { !$0.isWhitespace } }
    }
}

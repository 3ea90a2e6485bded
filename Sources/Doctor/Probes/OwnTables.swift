import Glibc
import Shim6Wire

/// Tables of nftables by which the kernel tells which rules this run's packets meet. They belong to one run of nft:
/// when its input ends, because this process does, the kernel removes them.
final class OwnTables {
    private let pipe: UnsafeMutablePointer<FILE>
    /// Packets that come in for a test are tracked in a zone of their own, where no connection is established.
    private static let zone = 6140

    /// Nil if there is no nftables that can do so.
    init?(signature: UInt16, interfaces: [String], peers: [IPv6Address]) {
        let name = "shim6-doctor-\(getpid())"
        guard Programs.has("nft"), let pipe = popen("exec nft -i >/dev/null 2>&1", "we") else { return nil }
        self.pipe = pipe
        // It may have refused and gone.
        let former = signal(SIGPIPE, SIG_IGN)
        let script = Self.script(
            name: name, signature: signature, interfaces: interfaces, peers: peers, tracks: Self.tracksConnections)
        fputs(script, pipe)
        fflush(pipe)
        signal(SIGPIPE, former)
        for _ in 0..<40 {
            if Programs.run("nft list chain inet \(name) output") { return }
            usleep(50_000)
        }
        return nil
    }

    deinit { pclose(pipe) }

    /// Whether there is a connection that this network namespace tracks.
    private static var tracksConnections: Bool {
        guard let file = fopen("/proc/sys/net/netfilter/nf_conntrack_count", "re") else { return false }
        defer { fclose(file) }
        let digit = fgetc(file)
        return digit > 0x30 && digit <= 0x39
    }

    /// The commands, one a line: what one of them needs that this kernel has not is left out with it.
    static func script(name: String, signature: UInt16, interfaces: [String], peers: [IPv6Address], tracks: Bool)
        -> String
    {
        let label = ProbePacket.flowLabel(signature: signature, isUnasked: false)
        let unasked = ProbePacket.flowLabel(signature: signature, isUnasked: true)
        var matches = ["ip6 flowlabel { \(label), \(unasked) }"]
        if !peers.isEmpty {
            // Answers have no label of ours.
            let list = peers.map(\.description).joined(separator: ", ")
            matches.append("ip6 saddr { \(list) } meta l4proto \(NextHeader.shim6) limit rate 20/second")
        }
        var lines = ["add table inet \(name) { flags owner; }", "add table netdev \(name) { flags owner; }"]
        func add(_ family: String, _ chain: String, _ hook: String) {
            lines.append("add chain \(family) \(name) \(chain) { type filter hook \(hook); }")
            lines += matches.map { "add rule \(family) \(name) \(chain) \($0) meta nftrace set 1" }
        }
        for (number, interface) in interfaces.enumerated() {
            for hook in ["ingress", "egress"] {
                add("netdev", "\(hook)\(number)", "\(hook) device \"\(interface)\" priority -500")
            }
        }
        add("inet", "prerouting", "prerouting priority -350")
        // Where nothing is tracked the rule would begin it, for every packet of the host.
        if tracks { lines.append("add rule inet \(name) prerouting ip6 flowlabel \(unasked) ct zone set \(zone)") }
        // The last one: when its chain is there, all are.
        add("inet", "output", "output priority -350")
        return lines.joined(separator: "\n") + "\n"
    }
}

import Configuration
import Foundation
import Netlink
import Shim6Wire
import Testing

@testable import Doctor

@Suite struct HostChecksTests {
    /// A file tree for one test.
    private func withRoot(_ files: [String: String], _ body: (ManagerChecks) throws -> Void) throws {
        let root = NSTemporaryDirectory() + "doctor-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: root) }
        for (path, text) in files {
            let url = URL(fileURLWithPath: root + path)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: url)
        }
        try body(ManagerChecks(root: root))
    }

    @Test func `systemd-networkd has to leave foreign routes and rules alone`() throws {
        let running = ["/run/systemd/netif/state": ""]
        try withRoot([:]) { #expect($0.networkd().verdict == .ok) }
        try withRoot(running) { checks in
            let finding = checks.networkd()
            #expect(finding.verdict == .warning)
            #expect(
                finding.advice.contains { $0.contains("ManageForeignRoutes=no\\nManageForeignRoutingPolicyRules=no") })
        }
        let half = running.merging(["/etc/systemd/networkd.conf": "[Network]\nManageForeignRoutes = no\n"]) { $1 }
        try withRoot(half) { checks in
            let finding = checks.networkd()
            #expect(finding.verdict == .warning)
            #expect(finding.advice.contains { !$0.contains("ManageForeignRoutes=") && $0.contains("PolicyRules=no") })
        }
        let drop = "[Network]\nManageForeignRoutingPolicyRules=no\n"
        let whole = half.merging(["/etc/systemd/networkd.conf.d/shim6d.conf": drop]) { $1 }
        try withRoot(whole) { #expect($0.networkd().verdict == .ok) }
    }

    @Test func `NetworkManager has to leave shim0 alone`() throws {
        let running = ["/run/NetworkManager/state": ""]
        try withRoot(running) { #expect($0.networkManager().verdict == .warning) }
        let drop = "[keyfile]\nunmanaged-devices=interface-name:shim0;interface-name:shim0x\n"
        let exempt = running.merging(["/etc/NetworkManager/conf.d/shim6d.conf": drop]) { $1 }
        try withRoot(exempt) { #expect($0.networkManager().verdict == .ok) }
    }

    @Test func `Each capability that is missing is named`() {
        let network: Capabilities = [.networkAdministration, .rawSockets]
        let programs: Capabilities = [.bpf, .performanceMonitoring]
        #expect(KernelChecks.capabilities(network.union(programs)).verdict == .ok)
        #expect(KernelChecks.capabilities(network.union(.systemAdministration)).verdict == .ok)
        let cases: [(Capabilities, String)] = [
            (network, "CAP_BPF, CAP_PERFMON missing"), (network.union(.bpf), "CAP_PERFMON missing"),
            (programs.union(.rawSockets), "CAP_NET_ADMIN missing"),
            (programs.union(.networkAdministration), "CAP_NET_RAW missing"),
            (.systemAdministration, "CAP_NET_ADMIN, CAP_NET_RAW missing"),
        ]
        for (have, text) in cases {
            let finding = KernelChecks.capabilities(have)
            #expect(finding.verdict == .failure)
            #expect(finding.explanation.hasPrefix(text), "\(finding.explanation)")
        }
        #expect(KernelChecks.capabilities(nil).verdict == .unknown)
    }

    @Test func `Lockdown matters when it is for confidentiality`() {
        #expect(KernelChecks.lockdown("[none] integrity confidentiality").verdict == .ok)
        #expect(KernelChecks.lockdown("none [integrity] confidentiality").verdict == .ok)
        #expect(KernelChecks.lockdown("none integrity [confidentiality]").verdict == .warning)
        #expect(KernelChecks.lockdown(nil).verdict == .ok)
    }

    @Test func `Kernel options are built in, modules, or missing`() {
        let configuration = KernelConfiguration(
            "# a\nCONFIG_IPV6_SUBTREES=y\nCONFIG_IPV6_MIP6=m\n# CONFIG_NET is not set\n")
        #expect(configuration.missing(["IPV6_SUBTREES", "IPV6_MIP6", "NET"]) == ["NET"])
        #expect(KernelChecks.routing(configuration).verdict == .failure)
        let whole = KernelConfiguration("CONFIG_IPV6_SUBTREES=y\nCONFIG_IPV6_MULTIPLE_TABLES=y\n")
        #expect(KernelChecks.routing(whole).verdict == .ok)
        #expect(KernelChecks.routing(nil).verdict == .unknown)
    }

    @Test
    func
        `An uplink that is not there is a failure, and routes per source are looked for where they are the operator's`()
        throws
    {
        var configuration = Configuration()
        var uplink = Configuration.Uplink()
        uplink.interface = "eth7"
        uplink.prefixes = [try #require(IPv6Prefix("2001:db8:a1::/64"))]
        configuration.uplinks = [uplink, uplink]
        let none = UplinkChecks(links: [], routes: [], rules: [])
        #expect(none.all(configuration).map(\.verdict) == [.failure, .failure])
        configuration.manageRoutes = false
        #expect(
            none.all(configuration).count { $0.check == "routes from 2001:db8:a1::/64" && $0.verdict == .failure } == 2)
        let rule = Rule(priority: 10, from: uplink.prefixes[0], table: 200, protocol: 0)
        let route = Route(to: nil, interface: 3, table: 200, metric: 1024, protocol: 0)
        let made = UplinkChecks(links: [], routes: [route], rules: [rule])
        #expect(made.all(configuration).count { $0.verdict == .ok } == 2)
    }

    @Test func `Advice is printed under its finding`() {
        let findings = [Finding("a", .ok, "fine"), Finding("b", .failure, "broken", advice: ["mend b"])]
        #expect(findings.text == "[ok]      a: fine\n[FAILED]  b: broken\n             mend b\n")
    }
}

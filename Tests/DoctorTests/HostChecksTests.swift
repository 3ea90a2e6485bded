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
            #expect(finding.verdict == .unknown)
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

    private static let prefix = IPv6Prefix(IPv6Address(high: 0x2001_0db8_00a1_0000, low: 0), length: 64)

    private func uplink(_ name: String) -> Configuration.Uplink {
        var uplink = Configuration.Uplink()
        uplink.interface = name
        uplink.prefixes = [Self.prefix].compactMap(\.self)
        return uplink
    }

    @Test func `An uplink that is not there is a failure`() {
        var configuration = Configuration()
        configuration.uplinks = [uplink("eth7"), uplink("eth8")]
        #expect(UplinkChecks().all(configuration).map(\.verdict) == [.failure, .failure])
        configuration.uplinks.removeLast()
        #expect(UplinkChecks().all(configuration).map(\.verdict) == [.failure, .warning])
        #expect(UplinkChecks().all(Configuration()).map(\.verdict) == [.failure])
    }

    @Test func `Findings are printed in 80 columns, advice under them`() {
        let findings = [Finding("a", .ok, "fine"), Finding("b", .failure, "broken", advice: ["mend b"])]
        #expect(findings.text == "[ok]      a: fine\n[FAILED]  b: broken\n             mend b\n")
        let long = Array(repeating: "word", count: 40).joined(separator: " ")
        let lines = [Finding("a", .warning, long)].text.split(separator: "\n")
        #expect(lines.count == 3)
        #expect(lines.allSatisfy { $0.count <= 80 })
        #expect(lines.dropFirst().allSatisfy { $0.hasPrefix("          word") })
    }

    @Test func `The exit code tells failures, and else what could not be tried`() {
        let (ok, warning) = (Finding("a", .ok, ""), Finding("a", .warning, ""))
        let (failure, unknown) = (Finding("a", .failure, ""), Finding("a", .unknown, ""))
        #expect([ok, warning].exitCode == 0)
        #expect([ok, unknown, failure].exitCode == 1)
        #expect([unknown, ok].exitCode == 2)
    }
}

import Foundation
import Glibc
import Netlink
import Testing

/// Each on a thread of its own, since what a thread gives up is gone for good.
@Suite(.asRoot, .freshNamespace)
struct CapabilityTests {
    @Test func `Root that was not restricted may administrate the network`() throws {
        let set = try Capabilities.effective()
        #expect(set.isSuperset(of: [.networkAdministration, .rawSockets]))
    }

    @Test func `What is kept still works and the rest is gone for good`() throws {
        let network = try TestNetwork()
        let kept: Capabilities = [.rawSockets, .networkAdministration]
        try Capabilities.keepOnly(kept)
        #expect(try Capabilities.effective() == kept)
        try RouteSocket().addVethPair("shim0", "shim0x")
        _ = try RawSocket(nextHeader: 140)
        #expect(chown("/proc/self", 0, 0) != 0)
        #expect(refusal { try Capabilities.keepOnly([.rawSockets, .systemAdministration]) } == EPERM)
        #expect(try Capabilities.effective() == kept)
        let status = try network.run("cat /proc/self/status")
        #expect(status.contains("NoNewPrivs:\t1"))
        for name in ["CapPrm", "CapEff", "CapBnd"] { #expect(status.contains("\(name):\t0000000000003000")) }
        for name in ["CapInh", "CapAmb"] { #expect(status.contains("\(name):\t0000000000000000")) }
    }

    @Test func `Without the capability the network is not changed`() throws {
        _ = try TestNetwork()
        try Capabilities.keepOnly([])
        #expect(try Capabilities.effective() == [])
        #expect(refusal { try RouteSocket().addVethPair("shim0", "shim0x") } == EPERM)
        #expect(refusal { _ = try RawSocket(nextHeader: 140) } == EPERM)
        #expect(refusal { _ = try IdlePolicies(priority: 1).list() } == EPERM)
    }
}

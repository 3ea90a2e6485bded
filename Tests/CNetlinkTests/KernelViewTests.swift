import Foundation
import Glibc
import REAP
import Shim6Wire
import Testing

@testable import KernelRows
@testable import Netlink

/// The tables that follow the kernel's notifications, against dumps made at the same time.
@Suite(.asRoot, .freshNamespace)
struct KernelViewTests {
    let network: TestNetwork
    let socket: RouteSocket
    let view: KernelView

    init() throws {
        network = try TestNetwork()
        socket = try RouteSocket()
        view = try KernelView(socket: socket)
        try view.complete()
    }

    /// Dump without what time or the kernel's own work changes without a word.
    private struct Dump: Equatable {
        var links: Set<String>
        var addresses: Set<String>
        var routes: [String]
        var rules: [Rule]
        var neighbours: Set<String>

        init(
            _ links: [Link], _ addresses: [InterfaceAddress], _ routes: [Route], _ rules: [Rule], _ near: [Neighbour]
        ) {
            self.links = Set(links.map { "\($0.index) \($0.name) \($0.isUp) \($0.mtu)" })
            self.addresses = Set(
                addresses.map { row in
                    // That a tentative address is deprecated is not told, and of no use before it is there.
                    let flags = row.flags.contains(.tentative) ? row.flags.subtracting(.deprecated) : row.flags
                    return "\(row.address)/\(row.prefixLength) \(row.interface) \(flags.rawValue)"
                })
            self.routes = routes.map {
                "\($0.key) \($0.gateway?.description ?? "") \($0.interface ?? 0) \($0.type) \($0.protocol)"
            }.sorted()
            self.rules = rules
            neighbours = Set(near.filter { $0.state == .permanent }.map { "\($0.address) \($0.interface)" })
        }
    }

    private func dumped() throws -> Dump {
        Dump(
            try socket.links(), try socket.addresses(), try socket.routes(), try socket.rules(),
            try socket.neighbours())
    }

    private func seen() throws -> Dump {
        try view.catchUp()
        try view.complete()
        let tables = view.tables
        return Dump(
            tables.links, tables.addresses(at: .monotonicNow), tables.routes, tables.rules, tables.neighbours)
    }

    private func expectAgreement(after what: String) throws {
        let agrees = try eventually { try seen() == dumped() ? true : nil }
        guard agrees != true else { return }
        Issue.record("after \(what): the view has \(try seen()), the kernel \(try dumped())")
    }

    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func `Whatever happens to the tables, the view has what a dump tells`(seed: UInt64) throws {
        _ = try network.veth()
        try expectAgreement(after: "making links")
        var state = seed
        func pick(_ count: UInt64) -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % count
        }
        for _ in 0..<12 {
            var done: [String] = []
            for _ in 0...pick(8) {
                let (one, two) = (pick(3), pick(3))
                let verb = ["add", "replace", "del", "append", "change"][Int(pick(5))]
                let (toggle, device) = (["add", "del"][Int(pick(2))], ["a", "b"][Int(pick(2))])
                let command =
                    switch pick(8) {
                    case 0: "ip -6 addr \(toggle) 2001:db8:\(one)::1/64 dev \(device) nodad"
                    case 1: "ip -6 addr replace 2001:db8:\(one)::2/64 dev \(device) valid_lft 900 preferred_lft 9"
                    case 2, 3: "ip -6 route \(verb) 2001:db8:9\(one)::/48 via fe80::\(two + 1) dev \(device) metric 7"
                    case 4:
                        "ip -6 route \(verb) 2001:db8:9\(one)::/48 metric 7 nexthop via fe80::1 dev a "
                            + "nexthop via fe80::\(two + 2) dev \(device)"
                    case 5: "ip -6 rule \(toggle) from 2001:db8:\(one)::/64 lookup 9\(two) pref 9\(two)"
                    case 6: "ip -6 neigh \(toggle) fe80::\(one + 1) dev a lladdr 02:00:00:00:00:01 nud permanent"
                    default: "ip link set dev \(device) \(["up", "down", "mtu 1400", "mtu 1500"][Int(pick(4))])"
                    }
                done.append(command)
                _ = try? network.run(command)
            }
            try expectAgreement(after: done.joined(separator: "; "))
        }
        try network.run("ip link del dev a")
        try expectAgreement(after: "the end of the link")
    }

    @Test func `Addresses that come faster than they are heard of are all there`() throws {
        let link = try network.veth()
        let view = try KernelView(socket: socket, receiveBuffer: 16_384)
        try view.complete()
        let lines = (0..<500).map { "addr add 2001:db8:7::\(String($0 + 1, radix: 16))/64 dev a nodad\n" }.joined()
        let file = NSTemporaryDirectory() + "addresses.\(getpid()).\(UInt32.random(in: 0 ... .max))"
        try lines.write(toFile: file, atomically: true, encoding: .utf8)
        defer { unlink(file) }
        try network.run("ip -6 -batch \(file)")
        guard case .lost = try view.read() else {
            Issue.record("nothing was lost")
            return
        }
        try view.complete()
        #expect(view.tables.addresses(at: .monotonicNow).count { $0.interface == link } == 500)
    }
}

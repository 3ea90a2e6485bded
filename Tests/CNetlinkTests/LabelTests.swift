import Glibc
import Netlink
import Shim6Wire
import Testing

@Suite(.asRoot, .freshNamespace)
struct LabelTests {
    let network: TestNetwork
    let socket: RouteSocket

    init() throws {
        network = try TestNetwork()
        socket = try RouteSocket()
    }

    @Test func `A label is added once, listed and deleted, and others stay`() throws {
        let before = try socket.labels()
        #expect(before.contains(AddressLabel(nil, label: AddressLabel.everything)))
        let label = AddressLabel(try prefix("2001:db8:a1::/64"), label: 6_140)
        try socket.add(label)
        #expect(try network.run("ip addrlabel list").contains("2001:db8:a1::/64 label 6140"))
        #expect(refusal { try socket.add(AddressLabel(label.prefix, label: 7)) } == EEXIST)
        #expect(try Set(socket.labels()) == Set(before + [label]))
        try socket.delete(label)
        #expect(refusal { try socket.delete(label) } == ESRCH)
        #expect(try Set(socket.labels()) == Set(before))
    }

    @Test func `Of two addresses in a prefix the labelled one is the source of new sessions`() throws {
        let link = try network.veth()
        let (ours, other) = (try address("2001:db8:a1::10"), try address("2001:db8:a1::20"))
        for row in [ours, other] {
            try socket.add(InterfaceAddress(row, prefixLength: 64, interface: link, flags: .noDetection))
        }
        try network.run("ip -6 route add default via 2001:db8:a1::1 dev a")
        let chosen = { try network.run("ip -6 route get 2001:db8:b1::1") }
        let first = try chosen().contains("src 2001:db8:a1::10") ? ours : other
        let second = first == ours ? other : ours
        try socket.add(AddressLabel(try prefix("2001:db8:a1::/64"), label: 6_140))
        try socket.add(AddressLabel(IPv6Prefix(second, length: 128), label: AddressLabel.everything))
        #expect(try chosen().contains("src \(second) "))
    }

    @Test func `A neighbour that nobody sends to is looked for when asked`() throws {
        let link = try network.veth()
        try socket.add(
            InterfaceAddress(
                try address("2001:db8:a1::10"), prefixLength: 64, interface: link, flags: .noDetection))
        let gateway = try address("2001:db8:a1::1")
        #expect(try socket.neighbours().allSatisfy { $0.address != gateway })
        try socket.probe(gateway, interface: link)
        let states = try socket.neighbours().filter { $0.address == gateway }.map(\.state)
        #expect(states == [.incomplete])
        let given = try eventually {
            try socket.neighbours().contains { $0.address == gateway && $0.state == .failed } ? true : nil
        }
        #expect(given == true)
        try socket.probe(gateway, interface: link)
        #expect(try socket.neighbours().filter { $0.address == gateway }.map(\.state) == [.incomplete])
    }
}

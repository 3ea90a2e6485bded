import Foundation
import Glibc
import Lab
import Shim6Wire
import Steering
import Testing

extension HostTests {
    /// Firewalls go by interfaces. What they decide for a session must not depend on where its payload travels, and shim0
    /// is no interface that anybody has written a rule for.
    @Suite struct FirewallTests {
        private let pair: SteeredPair

        init() throws {
            pair = try SteeredPair()
        }

        private func filter(_ host: SteeredHost, _ chain: String) throws {
            try host.namespace.run("nft", "-f", "-", input: "table ip6 guard {\n\(chain)\n}\n")
        }

        /// What the counters in A's rules have seen.
        private func counted(_ host: SteeredHost, _ counter: String) throws -> Bool {
            try !host.namespace.run("nft", "list", "counter", "ip6", "guard", counter).contains("packets 0 ")
        }

        /// Every way in which the payload of the two directions can travel.
        private func everywhere(_ body: (Comment) throws -> Void) throws {
            let (a1, a2, b1, b2) = (pair.a1, pair.a2, pair.b1, pair.b2)
            try body("not moved")
            for (sent, received) in [
                ((a1, b2), (b2, a2)), ((a1, b1), (b2, a2)), ((a2, b2), (b1, a1)), ((a2, b2), (b2, a1)),
                ((a2, b1), (b1, a2)), ((a2, b2), (b2, a2)), ((a1, b2), (b1, a1)), ((a1, b1), (b1, a1)),
            ] {
                try pair.moveA(sent.0, sent.1)
                try pair.moveB(received.0, received.1)
                try body("A sends by \(sent), B by \(received)")
            }
        }

        @Test func `A port that is closed on the uplinks is closed to every peer`() throws {
            try filter(
                pair.a,
                """
                counter closed {}
                chain in {
                    type filter hook input priority filter;
                    iifname { "a1", "a2" } th dport 5401 counter name closed drop
                }
                """)
            func check(_ stage: Comment) throws {
                let sockets = try pair.datagramSockets(port: 5401)
                #expect(sockets.b.sendOnce([1, 2, 3]), stage)
                #expect(!sockets.a.isReadable(within: 300), stage)
                #expect(try counted(pair.a, "closed"), stage)
                try pair.a.namespace.run("nft", "reset", "counters", "table", "ip6", "guard")
            }
            try everywhere(check)
        }

        @Test func `Rules that let only the uplinks pass let sessions pass, in and out`() throws {
            for host in [pair.a, pair.b] {
                let names = host.uplinks.map { "\"\($0.device)\"" }.joined(separator: ", ")
                try filter(
                    host,
                    """
                    chain in {
                        type filter hook input priority filter; policy drop;
                        iifname { \(names) } accept
                    }
                    chain out {
                        type filter hook output priority filter; policy drop;
                        oifname { \(names) } accept
                    }
                    """)
            }
            let sockets = try pair.datagramSockets(port: 5402)
            let streams = try pair.streams(port: 5403)
            func check(_ stage: Comment) throws {
                for length in [100, 1452, 20_000] {
                    #expect(pair.deliver(3, of: length, from: sockets.a, to: sockets.b) == 3, stage)
                    #expect(pair.deliver(3, of: length, from: sockets.b, to: sockets.a) == 3, stage)
                }
                #expect(try pair.carry(200_000, from: streams.a, to: streams.b), stage)
                #expect(try pair.carry(200_000, from: streams.b, to: streams.a), stage)
            }
            try everywhere(check)
        }

        @Test func `Packets out leave by the uplink in use in the eyes of output rules, super-packets too`() throws {
            try filter(
                pair.a,
                """
                counter first {}
                counter second {}
                chain out {
                    type filter hook output priority filter;
                    oifname "a1" meta l4proto { tcp, udp } counter name first
                    oifname "a2" meta l4proto { tcp, udp } counter name second
                }
                """)
            let sockets = try pair.datagramSockets(port: 5404)
            let streams = try pair.streams(port: 5405)
            try pair.rehome()
            try pair.a.namespace.run("nft", "reset", "counters", "table", "ip6", "guard")
            #expect(pair.deliver(3, of: 1000, from: sockets.a, to: sockets.b) == 3)
            #expect(try pair.carry(2_000_000, from: streams.a, to: streams.b))
            #expect(try counted(pair.a, "second"))
            #expect(try !counted(pair.a, "first"))
            #expect(try pair.a.count(.rehomedSuperPackets) > 0)
        }

        @Test(arguments: ["fib saddr . iif oif missing", "fib saddr . mark . iif oif missing"])
        func `A strict reverse-path filter drops nothing, whatever way each direction goes`(missing: String) throws {
            for host in [pair.a, pair.b] {
                try filter(
                    host,
                    """
                    counter refused {}
                    chain early {
                        type filter hook prerouting priority raw;
                        \(missing) counter name refused drop
                    }
                    """)
            }
            let sockets = try pair.datagramSockets(port: 5406)
            let streams = try pair.streams(port: 5407)
            func check(_ stage: Comment) throws {
                #expect(pair.deliver(3, of: 1000, from: sockets.a, to: sockets.b) == 3, stage)
                #expect(pair.deliver(3, of: 1000, from: sockets.b, to: sockets.a) == 3, stage)
                #expect(try pair.carry(100_000, from: streams.b, to: streams.a), stage)
            }
            try everywhere(check)
            #expect(try !counted(pair.a, "refused") && !counted(pair.b, "refused"))
        }

        @Test func `A server that answers by the interface of the question is not led astray`() throws {
            let sockets = try pair.datagramSockets(port: 5408)
            let yes: Int32 = 1
            try sockets.a.set(Int32(IPPROTO_IPV6), IPV6_RECVPKTINFO, yes)
            try pair.rehome()
            #expect(sockets.b.sendOnce([1, 2, 3]))
            #expect(sockets.a.isReadable(within: 2000))
            var data = [UInt8](repeating: 0, count: 100)
            var control = [UInt8](repeating: 0, count: 256)
            let received = data.withUnsafeMutableBytes { data in
                control.withUnsafeMutableBytes { control in
                    var part = iovec(iov_base: data.baseAddress, iov_len: data.count)
                    return withUnsafeMutablePointer(to: &part) { part in
                        var message = msghdr()
                        message.msg_iov = part
                        message.msg_iovlen = 1
                        message.msg_control = control.baseAddress
                        message.msg_controllen = control.count
                        guard recvmsg(sockets.a.descriptor, &message, 0) == 3 else { return -1 }
                        // The same control data goes back: our address and the interface.
                        message.msg_iov.pointee.iov_len = 3
                        return sendmsg(sockets.a.descriptor, &message, 0)
                    }
                }
            }
            #expect(received == 3)
            #expect(sockets.b.isReadable(within: 2000) && sockets.b.receive() == [1, 2, 3])
        }
    }
}

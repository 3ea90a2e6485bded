import Lab
import Requirements
import Shim6Wire
import Steering
import Testing

extension HostTests {
    /// Where the payload header stands among extension headers on the wire, and that the receiver's stack takes it all.
    @Suite struct PlacementOnTheWireTests {
        private struct Header {
            var kind: UInt8
            /// Its first octet is set when it is put into a chain.
            var octets: [UInt8]

            static let hopByHop = Header(kind: 0, octets: [0, 0, 1, 4, 0, 0, 0, 0])
            static let options = Header(kind: 60, octets: [0, 0, 1, 4, 0, 0, 0, 0])
            /// Of a type for experiments, at its last stop.
            static let routing = Header(kind: 43, octets: [0, 2, 253, 0] + [UInt8](repeating: 7, count: 20))
        }

        @Test(
            .requirement("5533-11.1-03", "5533-4.6-01", "5533-5.2-03"),
            arguments: [
                ([0], []), ([0, 43], []), ([60, 43], []), ([0, 60, 43], [60]), ([43], [60]), ([], [60]), ([], [44]),
                ([0], [44]), ([43], [44, 60]),
            ] as [([UInt8], [UInt8])])
        func `It stands behind Hop-by-Hop and Routing and in front of Fragment and Destination Options`(
            before: [UInt8], behind: [UInt8]
        ) throws {
            let pair = try SteeredPair()
            try pair.moveA(pair.a2, pair.b2)
            let port: UInt16 = 5301
            let receiver = try pair.b.namespace.inside {
                let socket = try Socket(.datagram)
                try socket.bind(to: "\(pair.b1)", port: port)
                return socket
            }
            let capture = try Capture(pair.laboratory, in: pair.topology.internet, device: "b2", filter: "ip6")
            let data = (0..<600).map { UInt8(truncatingIfNeeded: $0 &* 11) }
            let packets = Self.packets(before + behind, Self.datagram(pair, port, data), pair)
            try pair.a.namespace.inject(packets)
            try #require(receiver.isReadable(within: 2000))
            #expect(receiver.receive() == data)
            try pair.laboratory.pass(seconds: 0.3)
            capture.stop()
            let seen = try capture.packets().filter { $0.source == pair.a2 && $0.destination == pair.b2 }
            #expect(seen.count == packets.count)
            for (packet, plain) in zip(seen, packets) {
                #expect(Self.kinds(packet.nextHeader, packet.payload).starts(with: before + [140] + behind))
                #expect(packet.payload.count == plain.count - 40 + 8)
            }
        }

        /// The chain of headers that stand in front of UDP.
        private static func kinds(_ first: UInt8, _ payload: [UInt8]) -> [UInt8] {
            var (kinds, at): ([UInt8], Int) = ([first], 0)
            while [0, 43, 44, 60, 140].contains(kinds[kinds.count - 1]), at + 8 <= payload.count {
                let isFirst = kinds.last != 44 || (payload[at + 2] == 0 && payload[at + 3] & 0xf8 == 0)
                let length = kinds.last == 44 ? 8 : (Int(payload[at + 1]) + 1) * 8
                kinds.append(payload[at])
                guard isFirst else { break }
                at += length
            }
            return kinds
        }

        private static func datagram(_ pair: SteeredPair, _ port: UInt16, _ data: [UInt8]) -> [UInt8] {
            let length = UInt16(data.count + 8)
            var datagram = [UInt8(port >> 8), UInt8(port & 0xff), UInt8(port >> 8), UInt8(port & 0xff)]
            datagram += [UInt8(length >> 8), UInt8(length & 0xff), 0, 0] + data
            let sum = ~UInt16(truncatingIfNeeded: RehomedTrafficTests.sum(pair.a1, pair.b1, 17, datagram))
            datagram[6] = UInt8(sum >> 8)
            datagram[7] = UInt8(sum & 0xff)
            return datagram
        }

        /// One packet between the ULIDs, or two if there is a Fragment header among `kinds`.
        private static func packets(_ kinds: [UInt8], _ datagram: [UInt8], _ pair: SteeredPair) -> [[UInt8]] {
            let split = kinds.firstIndex(of: 44) ?? kinds.count
            let behind = chain(Array(kinds.dropFirst(split + 1)), 17) + datagram
            guard split < kinds.count else {
                return [packet(kinds, chain(kinds, 17) + datagram, pair)]
            }
            let middle = 256
            let next = split + 1 < kinds.count ? kinds[split + 1] : 17
            return [(0, behind[..<middle]), (middle, behind[middle...])].map { offset, part in
                let place = UInt16(offset) | (offset == 0 ? 1 : 0)
                let fragment = [next, 0, UInt8(place >> 8), UInt8(place & 0xff), 0xca, 0xfe, 0xba, 0xbe] + part
                return packet(kinds, chain(Array(kinds[..<split]), 44) + fragment, pair)
            }
        }

        private static func packet(_ kinds: [UInt8], _ payload: [UInt8], _ pair: SteeredPair) -> [UInt8] {
            Injector.packet(from: pair.a1, to: pair.b1, payload, nextHeader: kinds.first ?? 17)
        }

        private static func chain(_ kinds: [UInt8], _ last: UInt8) -> [UInt8] {
            let headers = [Header.hopByHop, .options, .routing]
            return kinds.enumerated().flatMap { index, kind in
                let header = headers.first { $0.kind == kind }?.octets ?? []
                return [index + 1 < kinds.count ? kinds[index + 1] : last] + header.dropFirst()
            }
        }
    }
}

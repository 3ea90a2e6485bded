import ArgumentParser
import Lab

extension XFRM {
    struct Switch: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Payload moves under running traffic: nothing is lost.")
        private static let moves = [("a2", "b2"), ("a1", "b2"), ("a2", "b1"), ("a1", "b1"), ("a2", "b2")]

        func run() throws {
            try XFRM.trial { laboratory, story in
                let pair = try RehomedPair(laboratory)
                let (a, b) = (pair.a.namespace, pair.b.namespace)
                let (local, peer) = (pair.address("a1").description, pair.address("b1").description)
                let stream = try laboratory.stream(from: b, peer, to: a, local)
                let echo = try laboratory.echo(from: a, local, to: b, peer, rate: 100)
                try laboratory.pass(seconds: 2)
                let capture = try Capture(
                    laboratory, in: pair.topology.internet, device: "a2", filter: "ip6 proto 43", length: 128)
                let before = try [a, b].map { try $0.counter("TcpRetransSegs") }
                for (own, other) in Self.moves {
                    try pair.move(own, other)
                    story.say("payload moves to \(own), \(other)")
                    try laboratory.pass(seconds: 1)
                }
                let after = try [a, b].map { try $0.counter("TcpRetransSegs") }
                let tcp = try stream.stop()
                let record = try echo.stop()
                let packets = try capture.packets().compactMap(\.homeAddresses)
                story.expect("rehomed packets of both directions were on a2", Set(packets).count == 2)
                story.expect("TCP has sent nothing twice", before == after, otherwise: "\(before) \(after)")
                story.expect("TCP has gone on (\(tcp.octets) octets)", tcp.octets > 2_000_000)
                story.expect(
                    "none of \(record.sent.count) UDP packets was lost",
                    record.losses.isEmpty && record.sent.count > 300,
                    otherwise: "\(record.losses.count) were")
            }
        }
    }

    struct Sizes: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Packets of every size pass over a rehomed pair.")

        func run() throws {
            try XFRM.trial { laboratory, story in
                let pair = try RehomedPair(laboratory)
                let (a, b) = (pair.a.namespace, pair.b.namespace)
                let ends = ["--local", pair.address("a1").description, "--peer", pair.address("b1").description]
                try pair.move("a2", "b2")
                try laboratory.serveDatagrams(in: b, on: ends[3])
                for size in [1, 10, 1200, 1356, 1357, 1404, 1405, 1452, 4000, 20_000] {
                    let tally = try laboratory.bulk(["datagrams", "--size", "\(size)", "--count", "5"] + ends, in: a)
                    story.expect(
                        "UDP datagrams of \(size) octets come back whole", tally.sent == 5 && tally.intact == 5,
                        otherwise: "\(tally.intact) of \(tally.sent)")
                }
                try laboratory.serveBursts(in: b, on: ends[3])
                let tally = try laboratory.bulk(["bursts", "--size", "500000", "--count", "4"] + ends, in: a)
                story.expect("TCP bursts come back whole", tally.sent == 4 && tally.intact == 4, otherwise: "\(tally)")
            }
        }
    }
}

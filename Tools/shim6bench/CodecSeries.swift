import CGA
import Shim6Wire

/// Octets to values and back, without anything that is done with them.
struct CodecSeries {
    private let keepalive: [UInt8]
    private let i1: [UInt8]
    private let i2: [UInt8]
    private let payload: [UInt8]
    private let operations = 200_000

    init() throws {
        let tag = ContextTag(truncating: 0x1234_5678_9abc)
        keepalive = try ControlMessage.keepalive(Keepalive(receiverTag: tag)).encoded()
        i1 = try ControlMessage.i1(I1(initiatorTag: tag, initiatorNonce: 7)).encoded()
        payload = PayloadHeader(nextHeader: 17, tag: tag).encoded
        let keys = try KeyedAddresses(bits: 1024)
        i2 = try Peer(1, keys).i2(to: Responder(keys))
    }

    var series: Series {
        let header = "control header read and checked"
        let i1 = "I1 read"
        let i2 = "I2 with 4 CGA locators read"
        return Series(
            title: "Codec",
            cases: [
                Series.Case(name: header, blocksAllowed: 0) { try read(keepalive, &$0) { $0.contextTag?.rawValue } },
                Series.Case(name: i1, blocksAllowed: 0) { watch in
                    try read(self.i1, &watch) { view in
                        guard case .i1(let message) = try ControlMessage(view) else { return nil }
                        return message.initiatorTag.rawValue
                    }
                },
                Series.Case(name: "I1 written into new octets", blocksAllowed: 1, run: written),
                Series.Case(name: "payload header read", blocksAllowed: 0, run: payloadRead),
                Series.Case(name: "payload header written into new octets", blocksAllowed: 1, run: payloadWritten),
                Series.Case(name: i2) { watch in
                    try read(self.i2, &watch) { view in
                        guard case .i2(let message) = try ControlMessage(view) else { return nil }
                        return message.options.locatorList.map { UInt64($0.locators.count) }
                    }
                },
            ],
            ratios: [(i2, i1)])
    }

    private func read(
        _ octets: [UInt8], _ watch: inout Stopwatch, _ field: (MessageView) throws -> UInt64?
    ) throws {
        var sum: UInt64 = 0
        try watch.measure(operations) {
            for _ in 0..<operations { sum &+= try field(MessageView(octets)) ?? 0 }
        }
        try expect(sum != 0, "fields")
    }

    private func written(_ watch: inout Stopwatch) throws {
        var octets = 0
        try watch.measure(operations) {
            for number in 0..<operations {
                let i1 = I1(initiatorTag: ContextTag(truncating: UInt64(number)), initiatorNonce: UInt32(number))
                octets += try ControlMessage.i1(i1).encoded().count
            }
        }
        try expect(octets == operations * i1.count, "I1s")
    }

    private func payloadRead(_ watch: inout Stopwatch) throws {
        var sum: UInt64 = 0
        try watch.measure(operations) {
            for _ in 0..<operations { sum &+= try PayloadHeader(payload).tag.rawValue }
        }
        try expect(sum != 0, "tags")
    }

    private func payloadWritten(_ watch: inout Stopwatch) throws {
        var octets = 0
        watch.measure(operations) {
            for number in 0..<operations {
                let tag = ContextTag(truncating: UInt64(number))
                octets += PayloadHeader(nextHeader: 17, tag: tag).encoded.count
            }
        }
        try expect(octets == operations * PayloadHeader.length, "headers")
    }
}

import Shim6Core
import Shim6Wire
import Testing

/// Agreement on the form of rehomed payload (`PayloadForms`).
@Suite struct PayloadFormTests {
    private static func host(accepts: PayloadForms, sends: [PayloadForms]) -> HostConfiguration {
        var configuration = HostConfiguration()
        configuration.acceptedForms = accepts
        configuration.sentForms = sends
        return configuration
    }

    private static let rfc = HostConfiguration()
    private static let onlyHomeAddress = host(accepts: .homeAddress, sends: [.homeAddress])
    private static let both = host(accepts: [.payloadHeader, .homeAddress], sends: [.payloadHeader])

    /// Two hosts with an established context whose ULIDs then fail.
    private func failed(_ a: HostConfiguration, _ b: HostConfiguration) -> Pair {
        let pair = Pair(configuration: a, configurationB: b)
        pair.establish()
        let ulids = LocatorPair(source: .a1, destination: .b1)
        pair.isCut = { $0 == ulids || $0 == LocatorPair(source: .b1, destination: .a1) }
        pair.run(for: .seconds(40), every: .milliseconds(500)) {
            pair.payload(from: .a)
            pair.payload(from: .b)
        }
        return pair
    }

    private func entry(_ node: Node) throws -> DataPathEntry { try #require(node.entries.values.first) }

    @Test func `A host that accepts what RFC 5533 says announces nothing`() throws {
        let pair = Pair()
        pair.establish()
        #expect(!pair.log.isEmpty)
        for sent in pair.log { #expect(try MessageView(sent.packet.octets).option(.payloadForms) == nil) }
    }

    @Test func `I2, R2 and Update Request announce other forms`() throws {
        let pair = Pair(configuration: Self.both)
        pair.establish()
        pair.announce([.a1], by: .a)
        for type in [MessageType.i2, .r2, .updateRequest] {
            let packet = try #require(pair.last(type), "no \(type)")
            let option = try #require(try MessageView(packet.octets).option(.payloadForms), "\(type)")
            #expect(Array(option.contents) == OptionType.discriminator + [0, 3, 0, 0])
        }
    }

    @Test func `I2bis announces them too, so that a recovered context keeps its form`() throws {
        let pair = Pair(configuration: Self.onlyHomeAddress)
        pair.establish()
        let lost = try #require(pair.b.context?.localTag)
        pair.post(.remove(lost), to: .b)
        pair.clearLog()
        try pair.forge(.keepalive(Keepalive(receiverTag: lost)), from: .a1, to: .b1, side: .b)
        pair.run(for: .milliseconds(100))
        let packet = try #require(pair.last(.i2bis))
        let option = try #require(try MessageView(packet.octets).option(.payloadForms))
        #expect(Array(option.contents) == OptionType.discriminator + [0, 2, 0, 0])
        #expect(try entry(pair.b).form == .homeAddress)
        #expect(pair.b.context?.unsuitableForms == nil)
    }

    @Test func `Two hosts that accept the form that the other sends are rehomed in it`() throws {
        let pair = failed(Self.onlyHomeAddress, Self.onlyHomeAddress)
        for node in [pair.a, pair.b] {
            let entry = try entry(node)
            #expect(entry.isRehomed && entry.form == .homeAddress)
            #expect(node.context?.unsuitableForms == nil)
        }
    }

    @Test func `Towards a peer that accepts no form of ours payload stays with the ULIDs, and that can be asked for`()
        throws
    {
        let pair = failed(Self.rfc, Self.onlyHomeAddress)
        for (node, accepted) in [(pair.a, PayloadForms.homeAddress), (pair.b, .payloadHeader)] {
            let entry = try entry(node)
            #expect(!entry.isRehomed && entry.form == nil)
            #expect(node.context?.unsuitableForms == accepted)
            #expect(node.context?.outgoing == LocatorPair(source: entry.ulids.local, destination: entry.ulids.peer))
            #expect(node.context?.isRehomed == false)
        }
    }

    @Test func `The two directions agree each for itself`() throws {
        let pair = failed(Self.both, Self.onlyHomeAddress)
        #expect(try entry(pair.a).form == nil)
        let back = try entry(pair.b)
        #expect(back.isRehomed && back.form == .homeAddress)
    }

    @Test func `An Update Request can change what a peer accepts`() throws {
        let pair = Pair(configuration: Self.rfc, configurationB: Self.both)
        pair.establish()
        #expect(try entry(pair.a).form == .payloadHeader)
        let context = try #require(pair.a.context)
        var options = LocatorOptions()
        options.payloadForms = .homeAddress
        let request = UpdateRequest(receiverTag: context.localTag, requestNonce: 77, options: options)
        try pair.forge(.updateRequest(request), from: .b1, to: .a1, side: .a)
        #expect(try entry(pair.a).form == nil)
        #expect(pair.a.context?.unsuitableForms == .homeAddress)
    }

    @Test func `Nothing is forked where no payload header would tell the contexts apart`() throws {
        for (own, peer) in [(Self.onlyHomeAddress, Self.both), (Self.both, Self.onlyHomeAddress)] {
            let pair = Pair(configuration: own, configurationB: peer)
            pair.establish()
            let tag = try #require(pair.a.context?.localTag)
            let flows = [Flow(protocolNumber: 17, destinationPort: 5000)]
            #expect(pair.a.host.refusal(ofFork: tag, flows) == .noPayloadHeader)
            pair.post(.fork(tag, flows), to: .a)
            #expect(pair.a.host.contexts.count == 1)
        }
    }
}

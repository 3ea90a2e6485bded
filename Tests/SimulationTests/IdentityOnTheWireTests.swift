import CGA
import Requirements
import Shim6Core
import Shim6Wire
import Simulation
import Testing

/// CGA and HBA (RFC 3972, RFC 5535), seen on the network between two whole hosts with real keys.
@Suite struct IdentityOnTheWireTests {
    private static func isWithin(_ needle: [UInt8], _ octets: [UInt8]) -> Bool {
        octets.indices.contains { octets[$0...].starts(with: needle) }
    }

    @Test("The type tag is signed and never sent", .requirement("3972-6-03", "3972-6-05"))
    func typeTag() throws {
        let run = ScriptedRun(quiet: .exact, keys: try Keys(), until: 5)
        let tag = Array("J0VbHXWK6UAoPjmH".utf8)
        #expect([0, 1].allSatisfy { run.context($0)?.state == .established })
        let i2 = try #require(run.sent(.i2).first?.i2)
        let list = try #require(i2.options.locatorList)
        let parameters = try CGAParameters(try #require(i2.options.cgaParameters))
        var signed = tag
        signed += [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: list.generation >> $0) }
        signed += list.locators.flatMap { $0.locator.octets }
        let signature = try #require(i2.options.cgaSignature)
        try PublicKey(subjectPublicKeyInfo: parameters.publicKey).verify(signature, over: signed)
        #expect(throws: CGAError.signature) {
            try PublicKey(subjectPublicKeyInfo: parameters.publicKey)
                .verify(signature, over: Array(signed.dropFirst(16)))
        }
        for message in run.messages { #expect(!Self.isWithin(tag, message.octets)) }
    }

    @Test(
        "An HBA set is verified against the ULID's parameters by hashes alone, without a signature",
        .requirement("5535-8-01", "5535-8-02", "5535-8-03"))
    func sets() throws {
        let run = ScriptedRun(
            keys: try Keys(sets: true), until: 60, .cut(at: 20, link(0, 0)) + [(10, .mode(flow: 0, .requests))])
        for options in [try #require(run.sent(.i2).first?.i2).options, try #require(run.sent(.r2).first?.r2).options] {
            #expect(options.locatorList?.locators.count == 2)
            #expect(options.locatorList?.locators.allSatisfy { $0.method == VerificationMethod.hba.rawValue } == true)
            #expect(options.cgaSignature == nil)
            let parameters = try CGAParameters(try #require(options.cgaParameters))
            try parameters.verify(members: options.locatorList?.locators.map(\.locator) ?? [])
        }
        for host in 0...1 {
            #expect(run.context(host)?.peerLocators.map(\.method) == [.hba, .hba])
            // Once for the list, however many packets went over its locators afterwards.
            #expect(run.world.counters(of: host)?.verifications == 1)
        }
        #expect(run.payload(since: 50).contains { $0.hasTag })
    }

    @Test(
        "A locator outside of the set comes with an Update signed by the key of the ULID, beside the members",
        .requirement("5535-4-06", "5535-8.1-01", "5535-8.1-02"))
    func lateLocator() throws {
        let run = ScriptedRun(keys: try Keys(sets: true), until: 30, [(10, .renumber(host: 0, link: 1))])
        let update = try #require(run.sent(.updateRequest, from: 0).first?.updateRequest)
        #expect(
            update.options.locatorList?.locators.map(\.method)
                == [VerificationMethod.hba.rawValue, VerificationMethod.cga.rawValue])
        #expect(update.options.cgaSignature != nil)
        #expect(run.sent(.updateAcknowledgement, from: 1).count == 1)
        #expect(run.context(1)?.peerLocators.map(\.method) == [.hba, .cga])
        #expect(run.context(1)?.peerLocators.map(\.address) == run.context(0)?.localLocators.map(\.address))
    }

    @Test(
        "A locator that its hash proves gets no payload before a Probe has shown that the peer is there",
        .requirement("5535-11.1-01"))
    func probedFirst() throws {
        let run = ScriptedRun(
            keys: try Keys(sets: true), until: 60, .cut(at: 20, link(0, 0)) + [(10, .mode(flow: 0, .requests))])
        for host in 0...1 {
            let peers = try #require(run.context(host)).peerLocators
            let other = try #require(peers.last?.address)
            #expect(peers.last?.method == .hba)
            let payload = try #require(run.payload(since: 0).first { $0.host == host && $0.destination == other })
            let answered = run.reachability(since: 20, from: 1 - host).first {
                $0.source == other && $0.probe?.received.contains { $0.destination == other } == true
            }
            #expect(try #require(answered).seconds < payload.seconds)
        }
    }
}

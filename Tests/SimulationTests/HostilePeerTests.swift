import REAP
import Requirements
import Shim6Core
import Shim6Wire
import Simulation
import Testing

/// What brought LinShim6 0.9.1 down or astray, tried on a whole host.
@Suite struct HostilePeerTests {
    @Test("A peer who asks properly gets a context: the attacks below fail for what is wrong with them")
    func honest() throws {
        let attack = Attack { stranger in Attack.exchange(stranger) { _ in stranger.options([stranger.address]) } }
        #expect(attack.context?.state == .established)
        let keys = try Keys()
        let proven = Attack(keys: keys) { stranger in
            Attack.exchange(stranger) { _ in stranger.options([stranger.address]) }
        }
        #expect(proven.context?.state == .established)
    }

    @Test(
        "Who uses a tag that another peer's context has by now is told so, and gets a tag of its own",
        .requirement("5533-C.3-01"))
    func threeParties() throws {
        let attack = Attack { stranger in
            [
                (
                    10,
                    .forge { sent in
                        Attack.message(from: stranger, sent) { victim in
                            guard let tag = victim.i1?.initiatorTag else { return nil }
                            let report = ProbeReport(source: stranger.address, destination: victim.source, nonce: 5)
                            return .probe(Probe(receiverTag: tag, state: .exploring, sent: [report]))
                        }
                    }
                ),
                (
                    10.1,
                    .forge { sent in
                        let r1bis = sent.messages.sent(.r1bis, from: 0).last { $0.destination == stranger.address }
                        return Attack.message(from: stranger, sent) { _ in
                            r1bis?.r1bis.map {
                                .i2bis(
                                    I2bis(
                                        initiatorTag: Attack.tag, initiatorNonce: 6, responderNonce: $0.responderNonce,
                                        packetTag: $0.packetTag, responderValidator: $0.responderValidator,
                                        options: stranger.options([stranger.address])))
                            }
                        }
                    }
                ),
            ]
        }
        let contexts = attack.run.world.contexts(of: 0)
        #expect(contexts.count == 2 && contexts.allSatisfy { $0.state == .established })
        let shared = try #require(contexts.first { $0.ulids.peer != stranger(attack) })
        let own = try #require(attack.context)
        #expect(own.localTag != shared.localTag && own.peerTag == Attack.tag)
        let r2 = attack.run.sent(.r2, from: 0).last { $0.destination == stranger(attack) }?.r2
        #expect(r2?.responderTag == own.localTag)
        // The context that has the tag is as it was.
        #expect(shared.reachability == .operational && shared.counters.explorations == 0)
    }

    private func stranger(_ attack: Attack) -> IPv6Address { attack.stranger.address }

    @Test(
        "The ULID pair of a confused context gets a new one by the normal exchange, with tags that are new",
        .requirement("5533-7.6-04", "5533-7.15-06"))
    func replacedAfterConfusion() throws {
        let other = Stranger(prefix: 0x2001_0db8_0bad_0002)
        let fresh = ContextTag(truncating: 0x7777_7777)
        let attack = Attack { stranger in
            Attack.exchange(stranger, at: 10) { _ in stranger.options([stranger.address, other.address]) }
                // The same host uses the tag for its other ULID.
                + Attack.exchange(other, at: 11) { _ in other.options([other.address, stranger.address]) }
                + Attack.exchange(stranger, at: 12, tag: fresh) { _ in
                    stranger.options([stranger.address, other.address])
                }
        }
        let tags = attack.run.sent(.r2, from: 0).compactMap(\.r2?.responderTag)
        #expect(tags.count >= 3 && Set(tags).count == tags.count)
        let contexts = attack.run.world.contexts(of: 0)
        #expect(contexts.count == 3 && contexts.allSatisfy { $0.state == .established })
        #expect(attack.context?.peerTag == fresh)
        #expect(contexts.first { $0.ulids.peer == other.address }?.peerTag == Attack.tag)
    }

    @Test(
        "A peer's Probe with made-up reports moves no payload, neither to a third party nor to himself",
        .requirement("5533-16-03", "5533-7.2-04", "5534-8-03"), arguments: ProbeState.allCases)
    func madeUpReports(state: ProbeState) {
        let victim = Stranger().address
        let run = ScriptedRun(
            .exact, until: 60,
            [
                (
                    20,
                    .forge { sent in
                        guard let own = sent.messages.sent(.i1, from: 0).first ?? sent.messages.sent(.i2).first,
                            let tag = sent.messages.sent(.r2).last?.r2?.responderTag
                        else { return nil }
                        let here = ProbeReport(source: own.source, destination: own.destination, nonce: 1)
                        let there = [victim, IPv6Address(high: own.destination.high, low: 99)].map {
                            ProbeReport(source: own.destination, destination: $0, nonce: 2)
                        }
                        return own.replaced(
                            by: .probe(Probe(receiverTag: tag, state: state, sent: [here], received: there)))
                    }
                )
            ])
        let known = run.world.addresses(of: 0).union(run.world.addresses(of: 1))
        #expect(run.world.record.allSatisfy { known.contains($0.destination) })
        #expect(run.payload(since: 20).allSatisfy { $0.links == [0, 0] })
        #expect(run.world.contexts(of: 0).first?.counters.switches == 0)
        #expect(run.world.contexts(of: 1).first?.counters.switches == 0)
    }

    /// 25 octets of Modifier, Subnet Prefix and Collision Count, and what is wrong behind them.
    private static let malformedParameters: [[UInt8]] = [
        [], [0], Array(repeating: 0, count: 24), Array(repeating: 0, count: 25),
        // Lengths of the DER sequence: with the sign bit set, of five octets, indefinite, beyond the end.
        Array(repeating: 0, count: 25) + [0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
        Array(repeating: 0, count: 25) + [0x30, 0x84, 0x80, 0x00, 0x00, 0x00],
        Array(repeating: 0, count: 25) + [0x30, 0x85, 0, 0, 0, 0, 1, 0],
        Array(repeating: 0, count: 25) + [0x30, 0x80, 0, 0], Array(repeating: 0, count: 25) + [0x30, 0x82, 0x04, 0x00],
        // A Multi-Prefix extension with fewer than 4 octets of data, and one that goes beyond the end.
        Array(repeating: 0, count: 25) + [0x30, 0, 0x00, 0x12, 0x00, 0x03, 0x80, 0, 0],
        Array(repeating: 0, count: 25) + [0x30, 0, 0x00, 0x12, 0x00, 0x00],
        Array(repeating: 0, count: 25) + [0x30, 0, 0x00, 0x12, 0xff, 0xff, 0x80, 0, 0, 0],
    ]

    @Test(
        "An I2 with a malformed parameter data structure is dropped and counted, by either method",
        arguments: malformedParameters.indices, [VerificationMethod.cga, .hba])
    func malformed(index: Int, method: VerificationMethod) throws {
        let attack = Attack(keys: try Keys()) { stranger in
            Attack.exchange(stranger) { _ in
                var options = stranger.options([stranger.address])
                options.cgaParameters = Self.malformedParameters[index]
                options.locatorList?.locators[0].method = method.rawValue
                return options
            }
        }
        #expect(attack.wasRepelled)
    }

    @Test("A thousand I2 with a validator that the host never gave out cost no cryptography")
    func garbageValidators() {
        let quiet = Attack { _ in [] }
        let attack = Attack { stranger in
            (0..<1000).map { number in
                (
                    10 + Double(number) / 100,
                    .forge { sent in
                        Attack.message(from: stranger, sent) { _ in
                            let validator = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 16)
                            let nonce = Attack.answer(to: stranger, sent)?.responderNonce
                            let r1 = R1(
                                initiatorNonce: 1, responderNonce: nonce ?? UInt32(number),
                                responderValidator: validator)
                            return .i2(Attack.i2(r1, Attack.tag, stranger.options([stranger.address])))
                        }
                    }
                )
            } + [(15, Attack.i1(stranger))]
        }
        #expect(attack.wasRepelled)
        #expect(attack.dropped == quiet.dropped + 1000)
        #expect(attack.verifications == quiet.verifications)
        #expect(attack.run.world.counters(of: 0)?.drops(.badValidator) ?? 0 > 400)
    }

    @Test("A list that says to have 255 entries and has two is dropped")
    func overstatedList() {
        let attack = Attack { stranger in
            Attack.exchange(stranger) { victim in
                stranger.options([stranger.address, victim.source])
            } change: { octets in
                // Generation 1, two entries, both CGA.
                guard
                    let start = octets.indices.dropLast(7).first(where: {
                        Array(octets[$0..<$0 + 7]) == [0, 0, 0, 1, 2, 2, 2]
                    })
                else { return }
                octets[start + 4] = 255
                octets.rightChecksum()
            }
        }
        #expect(attack.wasRepelled)
    }

    @Test("Of the longest list that a message carries no more locators are kept than the limit")
    func longestList() {
        let limit = HostConfiguration().maximumLocators
        let attack = Attack { stranger in
            Attack.exchange(stranger) { _ in
                stranger.options(
                    [stranger.address] + (1...63).map { IPv6Address(high: stranger.address.high, low: $0) })
            }
        }
        #expect(attack.context?.state == .established)
        #expect(attack.context?.peerLocators.count == limit)
    }

    @Test("Locators that nobody could be reached at are left out, and repeated ones are one")
    func unusableLocators() {
        let attack = Attack { stranger in
            Attack.exchange(stranger) { _ in
                stranger.options([
                    IPv6Address(high: 0xff02 << 48, low: 1), IPv6Address(high: 0, low: 1), IPv6Address(high: 0, low: 0),
                    IPv6Address(high: 0xfe80 << 48, low: 1), stranger.address, stranger.address,
                ])
            }
        }
        #expect(attack.context?.peerLocators.map(\.address) == [attack.stranger.address])
    }

    @Test(
        "A peer who gives one tag to two contexts loses the first, and nobody else loses anything",
        .requirement("5533-C.2-01", "5533-7.15-05"))
    func confusionBait() {
        let second = Stranger(prefix: 0x2001_0db8_0bad_0002)
        let attack = Attack(until: 40) { first in
            let both = [first.address, second.address]
            return Attack.exchange(first) { _ in first.options(both) }
                + Attack.exchange(second, at: 12) { _ in second.options(both) }
                + Attack.exchange(first, at: 14) { _ in first.options(generation: 2, both) }
        }
        let peers = attack.run.world.contexts(of: 0).filter { $0.peerTag == Attack.tag }.map(\.ulids.peer)
        #expect(attack.run.world.failure == nil)
        #expect(peers == [attack.stranger.address])
        #expect(attack.run.world.contexts(of: 0).count == 2)
        #expect(attack.run.world.dataPath(of: 0).count == 2)
        #expect(attack.run.context(1)?.state == .established)
    }

    @Test(
        "Bait with the tag of somebody else's context, from other locators, takes nothing from him",
        .requirement("5533-7.15-04"))
    func foreignTag() {
        let attack = Attack { stranger in
            [
                (9.9, Attack.i1(stranger)),
                (
                    10,
                    .forge { sent in
                        guard let tag = sent.messages.sent(.r2, from: 1).last?.r2?.responderTag else { return nil }
                        return Attack.message(from: stranger, sent) { _ in
                            .i1(I1(initiatorTag: tag, initiatorNonce: 9))
                        }
                    }
                ),
                (
                    10.1,
                    .forge { sent in
                        guard let tag = sent.messages.sent(.r2, from: 1).last?.r2?.responderTag,
                            let r1 = Attack.answer(to: stranger, sent)
                        else { return nil }
                        return Attack.message(from: stranger, sent) { _ in
                            .i2(Attack.i2(r1, tag, stranger.options([stranger.address])))
                        }
                    }
                ),
            ]
        }
        let contexts = attack.run.world.contexts(of: 0)
        #expect(contexts.count == 2 && contexts.allSatisfy { $0.state == .established })
        #expect(Set(contexts.map(\.peerTag)).count == 1)
    }

    @Test("However an I2 is cut short, it makes no context")
    func cutShort() {
        let attack = Attack { stranger in
            [(10, Attack.i1(stranger))]
                + (0..<400).map { length in
                    (
                        10.1 + Double(length) / 1000,
                        .forge { sent in
                            let whole = Attack.message(from: stranger, sent) { victim in
                                Attack.answer(to: stranger, sent).map { r1 in
                                    let locators = [stranger.address, victim.source, victim.destination]
                                    return .i2(Attack.i2(r1, Attack.tag, stranger.options(locators)))
                                }
                            }
                            guard var message = whole, length / 2 < message.octets.count else { return nil }
                            message.octets.removeLast(message.octets.count - length / 2)
                            if length % 2 == 1, length > 2 * 56 {
                                // The header goes with it, after the validator: without any list it would be a good I2.
                                message.octets[1] = UInt8(length / 2 / 8 - 1)
                                message.octets.rightChecksum()
                            }
                            return message
                        }
                    )
                }
        }
        #expect(attack.wasRepelled)
        #expect(attack.dropped >= 150)
    }

    @Test("A flood of everything that needs no context leaves nothing, and an honest peer still gets his")
    func flood() {
        let attack = Attack(until: 60) { stranger in
            (0..<3000).map { number in
                (
                    10 + Double(number) / 100,
                    .forge { sent in
                        var message = Attack.message(from: stranger, sent) { victim in
                            Self.unauthenticated(number, victim)
                        }
                        message?.source = IPv6Address(high: 0x2001_0db8_0bad_0000, low: UInt64(number) + 1)
                        return message
                    }
                )
            } + Attack.exchange(stranger, at: 41) { _ in stranger.options([stranger.address]) }
        }
        #expect(attack.context?.state == .established)
        #expect(attack.run.world.contexts(of: 0).count == 2)
        #expect(attack.verifications == 2)
        #expect(attack.dropped > 2500)
    }

    /// A message that anybody can make.
    private static func unauthenticated(_ number: Int, _ victim: ScriptedRun.Message) -> ControlMessage {
        let word = UInt32(number) &* 2_654_435_761
        let tag = ContextTag(truncating: UInt64(word) &* 0x1_0000_0001)
        let report = ProbeReport(source: victim.destination, destination: victim.source, nonce: word)
        let validator = [UInt8](repeating: UInt8(truncatingIfNeeded: word), count: 16)
        return switch number % 8 {
        case 0: .i1(I1(initiatorTag: tag, initiatorNonce: word))
        case 1: .r1(R1(initiatorNonce: word, responderNonce: word, responderValidator: validator))
        case 2:
            .i2(I2(initiatorTag: tag, initiatorNonce: word, responderNonce: word, responderValidator: validator))
        case 3: .r2(R2(responderTag: tag, initiatorNonce: word))
        case 4: .updateRequest(UpdateRequest(receiverTag: tag, requestNonce: word))
        case 5: .updateAcknowledgement(UpdateAcknowledgement(receiverTag: tag, requestNonce: word))
        case 6: .keepalive(Keepalive(receiverTag: tag))
        default: .probe(Probe(receiverTag: tag, state: .exploring, sent: [report]))
        }
    }

    @Test("An unknown option is passed over, unless it is critical", arguments: [false, true])
    func unknownOption(isCritical: Bool) {
        let attack = Attack { stranger in
            Attack.exchange(stranger) { _ in
                stranger.options([stranger.address])
            } change: { octets in
                octets += [0x0f, isCritical ? 0xf1 : 0xf0, 0, 4, 1, 2, 3, 4]
                octets[1] += 1
                octets.rightChecksum()
            }
        }
        #expect((attack.context?.state == .established) != isCritical)
    }

    @Test("A peer that does not speak Shim6 leaves nothing behind")
    func deafPeer() throws {
        let run = ScriptedRun(
            quiet: .exact, until: 400, .cut(at: 0, link(1, 0) + link(1, 1)))
        #expect(run.sent(.i1, from: 0).count == 5)
        #expect(try #require(run.messages.last).seconds < 200)
        #expect(run.world.contexts(of: 0).isEmpty && run.world.dataPath(of: 0).isEmpty)
        #expect(run.world.hasNoTimers(0))
    }

    @Test("The withdrawal of a locator is acknowledged and not repeated")
    func withdrawal() {
        let run = ScriptedRun(quiet: .exact, until: 300, [(10, .removeLocator(host: 0, link: 1))])
        #expect(run.sent(.updateRequest).count == 1 && run.sent(.updateAcknowledgement).count == 1)
        #expect(run.context(0)?.updatePending == false)
        #expect(run.context(1)?.peerLocators.count == 1)
    }

    @Test("A peer that has lost its contexts gives a new tag, which payload carries from then on")
    func restartedPeer() throws {
        let run = ScriptedRun(
            .exact, until: 90,
            [(10, .stop(host: 1, byCrash: true)), (10.5, .start(host: 1)), (11, .establish(host: 1, flow: 0))]
                + .cut(at: 20, link(0, 0)))
        let tag = try #require(run.context(1)?.localTag)
        #expect(run.context(0)?.peerTag == tag)
        #expect(run.world.dataPath(of: 0).map(\.peerTag) == [tag])
        #expect(run.payload(since: 60).contains { $0.host == 0 && $0.hasTag && !$0.isLost })
    }

    @Test("A lost context is recovered though somebody goes on making up Probes with its tag")
    func forgedWhileLost() throws {
        let forgeries: [(seconds: Double, action: Scenario.Action)] = (30..<120).map {
            (Double($0), .intrude(.taggedProbe, host: 0, flow: 0))
        }
        let run = ScriptedRun(
            .exact, until: 120, .cut(at: 10, link(0, 0)) + forgeries + [(45, .removeContext(host: 1, flow: 0))])
        let tag = try #require(run.context(1)?.localTag)
        #expect(run.context(0)?.peerTag == tag)
        #expect(run.context(0)?.state == .established)
        #expect(run.payload(since: 90).allSatisfy { !$0.isLost })
    }

    @Test("Each ULID proves its list with a key of its own, and one context's end leaves the other alone")
    func ulidsOfOneHost() throws {
        var scenario = Scenario(
            configuration: .exact,
            flows: [Scenario.Flow(links: [0, 0], interval: 1), Scenario.Flow(links: [1, 0], interval: 1)],
            actions: [
                (0, .mode(flow: 0, .bothWays)), (0, .mode(flow: 1, .bothWays)),
                (30, .removeContext(host: 0, flow: 0)), (32, .finish),
            ])
        scenario.usesCryptography = true
        let world = World(scenario, keys: try Keys())
        world.run()
        let contexts = world.contexts(of: 1)
        #expect(contexts.count == 2)
        #expect(contexts.allSatisfy { $0.peerLocators.count == 2 && $0.peerLocators.allSatisfy { $0.method == .cga } })
        // The removed one, if it is there again, is another.
        let left = try #require(world.contexts(of: 0).first { $0.createdAt < Instant(nanoseconds: 25_000_000_000) })
        #expect(left.state == .established)
        #expect(world.dataPath(of: 0).contains { $0.localTag == left.localTag && $0.inbound == .deliver })
    }
}

import REAP
import Requirements
import Shim6Wire
import Testing

@testable import Shim6Core

@Suite("Parts of the host")
struct BuildingBlockTests {
    @Test(
        "Waits double up to their maximum and spread over half to one and a half",
        .requirement("5533-14-12", "5533-10.2-03"))
    func backoff() {
        var random = RandomSource(Seeded(3))
        let backoff = Backoff(initial: .seconds(4), maximum: .seconds(120))
        for (number, nominal) in [(1, 4), (2, 8), (3, 16), (4, 32), (5, 64), (6, 120), (7, 120), (1_000_000, 120)] {
            let waits = (0..<200).map { _ in backoff.wait(before: number, random: &random) }
            #expect(waits.allSatisfy { $0 >= .seconds(nominal) / 2 && $0 <= .seconds(nominal) * 1.5 })
            #expect(waits.contains { $0 < .seconds(nominal) * 0.6 })
            #expect(waits.contains { $0 > .seconds(nominal) * 1.4 })
        }
    }

    @Test(
        "The constants have the RFC's values",
        .requirement("5533-14-01", "5533-14-02", "5533-14-03", "5533-14-04", "5533-14-05", "5533-14-06"))
    func constants() {
        let configuration = HostConfiguration()
        #expect(configuration.i1RetriesMax == 4)
        #expect(configuration.i1Timeout == .seconds(4))
        #expect(configuration.noR1HolddownTime == .seconds(60))
        #expect(configuration.icmpHolddownTime == .seconds(600))
        #expect(configuration.i2Timeout == .seconds(4))
        #expect(configuration.i2RetriesMax == 2)
    }

    @Test("The other constants have the RFC's values", .requirement("5533-14-09", "5533-14-10", "5533-14-11"))
    func moreConstants() {
        let configuration = HostConfiguration()
        #expect(configuration.validatorMinLifetime == .seconds(30))
        #expect(configuration.updateTimeout == .seconds(4))
        #expect(configuration.maxUpdateTimeout == .seconds(120))
    }

    @Test("A /48 gets half of the budget, also when time stands still or goes back; it fills as time goes by")
    func budget() {
        var budget = VerificationBudget(perSecond: 100)
        func taken(_ nanoseconds: UInt64, _ high: UInt64 = 0x2001_0db8_0001_0000) -> Int {
            (0..<200).count { number in
                let source = IPv6Address(high: high + UInt64(number) % 3, low: 1)
                return budget.take(for: source, at: Instant(nanoseconds: nanoseconds))
            }
        }
        #expect(taken(5_000_000_000) == 50)
        #expect(taken(5_000_000_000) == 0)
        #expect(taken(4_000_000_000) == 0)
        #expect((25...36).contains(taken(6_000_000_000)))
        #expect(taken(900_000_000_000) == 50)
        // Others of its /32 get half of what is left, and so on; then those elsewhere.
        #expect(taken(900_000_000_000, 0x2001_0db8_0002_0000) == 25)
        #expect(taken(900_000_000_000, 0x2001_0db8_0003_0000) == 0)
        #expect(taken(900_000_000_000, 0x2001_0db9_0003_0000) == 13)
    }

    @Test("A Responder Nonce lasts one period and the validators of two periods hold", .requirement("5533-7.10.1-01"))
    func periods() throws {
        var random = RandomSource(Seeded(1))
        var secrets = ResponderSecrets(lifetime: .seconds(30))
        let i1 = Offer(initiatorTag: ContextTag(truncating: 1), ulids: .atB, locators: .a1b1, forkedInstance: 0)
        let offer = ValidatedExchange.establishment(i1)
        let first = try secrets.challenge(offer, at: .seconds(100), random: &random)
        let same = try secrets.challenge(offer, at: .seconds(129), random: &random)
        #expect(first.nonce == same.nonce && first.validator == same.validator)
        let second = try secrets.challenge(offer, at: .seconds(130), random: &random)
        #expect(second.nonce == first.nonce &+ 1)
        #expect(second.validator != first.validator)
        #expect(secrets.check(offer, nonce: first.nonce, validator: first.validator, at: .seconds(159)) == .genuine)
        #expect(secrets.check(offer, nonce: first.nonce, validator: first.validator, at: .seconds(160)) == .stale)
        #expect(secrets.check(offer, nonce: second.nonce, validator: first.validator, at: .seconds(131)) == .forged)
        var other = i1
        other.forkedInstance = 1
        let forked = ValidatedExchange.establishment(other)
        #expect(secrets.check(forked, nonce: second.nonce, validator: second.validator, at: .seconds(131)) == .forged)
        _ = try secrets.challenge(offer, at: .seconds(400), random: &random)
        #expect(secrets.check(offer, nonce: second.nonce, validator: second.validator, at: .seconds(400)) == .stale)
    }

    @Test("A signature is made once for all contexts of a ULID, and anew when the locators change")
    func sharedSignature() {
        final class Counting: LocalIdentity {
            var signatures = 0
            func parameters(of ulid: IPv6Address) -> [UInt8]? { [1, 2, 3] }
            func signature(by ulid: IPv6Address, generation: UInt32, locators: [IPv6Address]) -> [UInt8]? {
                signatures += 1
                return [4, 5, 6]
            }
        }
        let identity = Counting()
        var random = RandomSource(Seeded(1))
        var lists = LocalLists(maximumLocators: 16)
        let locators = [IPv6Address.a1, .a2].map { LocalLocator(address: $0, method: .cga) }
        let hasChanged = [lists.replace(locators), lists.replace(locators)]
        #expect(hasChanged == [true, false])
        let first = lists.list(for: .a1, identity: identity, random: &random)
        let again = lists.list(for: .a1, identity: identity, random: &random)
        #expect(again == first)
        #expect(identity.signatures == 1)
        let other = lists.list(for: .a2, identity: identity, random: &random)
        #expect(identity.signatures == 2)
        #expect(other.announcement?.generation != first.announcement?.generation)
        _ = lists.replace(locators.reversed())
        let later = lists.list(for: .a1, identity: identity, random: &random)
        #expect(later != first)
        #expect(identity.signatures == 3)
    }

    @Test("Members of the ULID's HBA set are announced as HBA, the others as CGA, and only these are signed")
    func mixedList() {
        struct Hybrid: LocalIdentity {
            func parameters(of ulid: IPv6Address) -> [UInt8]? { [1] }
            func signature(by ulid: IPv6Address, generation: UInt32, locators: [IPv6Address]) -> [UInt8]? {
                locators.flatMap(\.octets)
            }
            func isInSet(_ locator: IPv6Address, of ulid: IPv6Address) -> Bool {
                ulid != .a3 && locator != .a3
            }
        }
        var random = RandomSource(Seeded(1))
        var lists = LocalLists(maximumLocators: 16)
        _ = lists.replace([IPv6Address.a1, .a2].map { LocalLocator(address: $0, method: .cga) })
        let members = lists.list(for: .a1, identity: Hybrid(), random: &random).announcement
        #expect(members?.locators.map(\.method) == [.hba, .hba])
        #expect(members?.signature == nil)
        _ = lists.replace([IPv6Address.a1, .a2, .a3].map { LocalLocator(address: $0, method: .cga) })
        let mixed = lists.list(for: .a1, identity: Hybrid(), random: &random).announcement
        #expect(mixed?.locators.map(\.method) == [.hba, .hba, .cga])
        #expect(mixed?.signature == IPv6Address.a3.octets)
        let outsider = lists.list(for: .a3, identity: Hybrid(), random: &random).announcement
        #expect(outsider?.locators.map(\.method) == [.cga, .cga, .cga])
    }

    @Test("A ULID whose key cannot sign announces no list that peers would refuse")
    func noSignature() {
        struct Dumb: LocalIdentity {
            func parameters(of ulid: IPv6Address) -> [UInt8]? { [1] }
            func signature(by ulid: IPv6Address, generation: UInt32, locators: [IPv6Address]) -> [UInt8]? { nil }
        }
        var random = RandomSource(Seeded(1))
        var lists = LocalLists(maximumLocators: 16)
        _ = lists.replace([LocalLocator(address: .a1, method: .cga)])
        let list = lists.list(for: .a1, identity: Dumb(), random: &random)
        #expect(list == LocalList(ulid: .a1))
    }

    @Test(
        "The longest list that fits beside key and signature is announced",
        .requirement("5533-5.1-04", "5533-5.1-05"),
        arguments: [(25 + 162, 128, 40), (25 + 294, 256, 30), (25 + 534, 512, 3)])
    func fits(parameters: Int, signature: Int, atLeast count: Int) throws {
        struct Sizes: LocalIdentity {
            var parameters: Int
            var signature: Int
            func parameters(of ulid: IPv6Address) -> [UInt8]? { [UInt8](repeating: 1, count: parameters) }
            func signature(by ulid: IPv6Address, generation: UInt32, locators: [IPv6Address]) -> [UInt8]? {
                [UInt8](repeating: UInt8(locators.count), count: signature)
            }
        }
        var random = RandomSource(Seeded(1))
        var lists = LocalLists(maximumLocators: 255)
        let many = (1...100).map { IPv6Address(high: 0x2001_0db8_00a2_0000, low: UInt64($0)) } + [.a1]
        _ = lists.replace(many.map { LocalLocator(address: $0, method: .cga) })
        let identity = Sizes(parameters: parameters, signature: signature)
        let announcement = lists.list(for: .a1, identity: identity, random: &random).announcement
        let locators = try #require(announcement).locators.map(\.address)
        #expect(locators == Array(many.prefix(locators.count - 1)) + [.a1])
        #expect(locators.count >= count)
        // Signed as it is sent, not as it was before it was shortened.
        #expect(announcement?.signature?.first == UInt8(locators.count))
    }
}

import Foundation
import Shim6Wire
import Testing

@Suite struct IPv6AddressTests {
    @Test func `Octets are read and written in network order`() {
        let octets: [UInt8] = [0x20, 0x01, 0x0d, 0xb8, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]
        let address = IPv6Address(octets: octets)
        #expect(address == IPv6Address(high: 0x2001_0db8_0001_0203, low: 0x0405_0607_0809_0a0b))
        #expect(address?.octets == octets)
        #expect(IPv6Address(octets: octets.dropLast()) == nil)
        #expect(IPv6Address(octets: octets + [0]) == nil)
    }

    @Test(arguments: [
        ("2001:0db8:0000:0000:0001:0000:0000:0001", "2001:db8::1:0:0:1"),
        ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"), ("2001:DB8::A", "2001:db8::a"),
        ("2001:db8:0:0:1::", "2001:db8:0:0:1::"), ("0:0:0:0:0:0:0:0", "::"), ("::", "::"), ("::1", "::1"),
        ("1::", "1::"), ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.1"), ("::FFFF:c000:201", "::ffff:192.0.2.1"),
        ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"), ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"),
    ])
    func `Every form is read and written in canonical form`(text: String, canonical: String) throws {
        #expect(try #require(IPv6Address(text)).description == canonical)
    }

    @Test(arguments: [
        "", ":", ":::", "1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "1::2::3",
        "1:::2", ":1:2:3:4:5:6:7", "1:2:3:4:5:6:7:", "1:", "12345::", "g::", " ::1", "::1 ", "fe80::1%eth0", "[::1]",
        "::1/64", "1.2.3.4", "::1.2.3", "::1.2.3.4.5", "::256.1.1.1", "::01.2.3.4", "::1.2.3.4:5",
        "1:2:3:4:5:6:7:1.2.3.4",
        "::.1.2.3", "::1..2.3", "-1::", "+1::", "0x1::", "::1\u{0}", "２::",
    ])
    func `Anything else is refused`(text: String) {
        #expect(IPv6Address(text) == nil)
    }

    /// Addresses with many zero groups, so that every form of text comes up.
    private func sparseAddress(using generator: inout SeededGenerator) -> IPv6Address {
        func half() -> UInt64 {
            (0..<4).reduce(0) { half, _ in
                let group = generator.next() & [0, 0, 0xf, 0xffff][Int.random(in: 0..<4, using: &generator)]
                return half << 16 | group
            }
        }
        return IPv6Address(high: half(), low: half())
    }

    @Test func `Text agrees with the C library's`() throws {
        var generator = SeededGenerator(seed: 5952)
        for _ in 0..<5_000 {
            let address = sparseAddress(using: &generator)
            // The C library writes the deprecated IPv4-compatible addresses in dotted form.
            if address.high == 0 && address.low >> 32 == 0 { continue }
            let text = try #require(libraryText(address))
            #expect(address.description == text)
            #expect(IPv6Address(text) == address)
        }
    }

    @Test func `What the C library reads is read, and nothing else`() {
        var generator = SeededGenerator(seed: 4291)
        let alphabet = Array("0129afF:::..")
        var accepted = 0
        for _ in 0..<10_000 {
            var text = Array(sparseAddress(using: &generator).description)
            for _ in 0..<Int.random(in: 0...3, using: &generator) {
                let index = Int.random(in: 0..<text.count, using: &generator)
                let character = alphabet.randomElement(using: &generator) ?? ":"
                if Bool.random(using: &generator) { text[index] = character } else { text.insert(character, at: index) }
            }
            let address = libraryAddress(String(text))
            #expect(IPv6Address(String(text)) == address, "\(String(text))")
            accepted += address == nil ? 0 : 1
        }
        #expect((1000..<9_000).contains(accepted))
    }

    private func libraryText(_ address: IPv6Address) -> String? {
        var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        guard inet_ntop(AF_INET6, address.octets, &buffer, socklen_t(buffer.count)) != nil else { return nil }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private func libraryAddress(_ text: String) -> IPv6Address? {
        var octets = [UInt8](repeating: 0, count: 16)
        return inet_pton(AF_INET6, text, &octets) == 1 ? IPv6Address(octets: octets) : nil
    }

    @Test func `Kinds of addresses are told apart at their borders`() throws {
        func address(_ text: String) throws -> IPv6Address { try #require(IPv6Address(text)) }
        #expect(try address("ff00::").isMulticast)
        #expect(try address("ffff::").isMulticast)
        #expect(try !address("feff::").isMulticast)
        #expect(try address("::").isUnspecified)
        #expect(try !address("::1").isUnspecified)
        #expect(try !address("1::").isUnspecified)
        #expect(try address("::1").isLoopback)
        #expect(try !address("::2").isLoopback)
        #expect(try !address("1::1").isLoopback)
        #expect(try address("fe80::").isLinkLocal)
        #expect(try address("febf:ffff::1").isLinkLocal)
        #expect(try !address("fec0::").isLinkLocal)
        #expect(try !address("fe7f::").isLinkLocal)
        #expect(try address("::2") < address("1::"))
        #expect(try address("1::1") < address("1::2"))
        #expect(try !(address("1::1") < address("1::1")))
    }

    @Test(arguments: [
        ("2001:db8::/64", "2001:db8::ffff:0:0:1", "2001:db8:0:1::"), ("::/0", "ffff::", nil),
        ("fe80::/10", "febf::", "fec0::"), ("2001:db8::1/128", "2001:db8::1", "2001:db8::"),
        ("2001:db8:0:0:8000::/65", "2001:db8:0:0:ffff::", "2001:db8:0:0:7fff::"),
    ])
    func `A prefix contains its addresses and no others`(text: String, inside: String, outside: String?) throws {
        let prefix = try #require(IPv6Prefix(text))
        #expect(prefix.description == text)
        #expect(prefix.contains(try #require(IPv6Address(inside))))
        if let outside { #expect(!prefix.contains(try #require(IPv6Address(outside)))) }
    }

    @Test(arguments: [
        "2001:db8::", "2001:db8::/", "2001:db8::/129", "2001:db8::/064", "2001:db8::/+64", "2001:db8::1/64", "/64",
        "::/0/0", "::/-1", "2001:db8::/64 ", "2001:db8::8000:0:0:0/64", "::/99999999999999999999",
    ])
    func `Other text is no prefix`(text: String) {
        #expect(IPv6Prefix(text) == nil)
    }

    @Test func `A prefix made from an address forgets the other bits`() {
        let address = IPv6Address(high: .max, low: .max)
        #expect(IPv6Prefix(address, length: 64)?.address == IPv6Address(high: .max, low: 0))
        #expect(IPv6Prefix(address, length: 1)?.address == IPv6Address(high: 1 << 63, low: 0))
        #expect(IPv6Prefix(address, length: 127)?.address == IPv6Address(high: .max, low: .max - 1))
        #expect(IPv6Prefix(address, length: 129) == nil)
        #expect(IPv6Prefix(address, length: -1) == nil)
    }
}

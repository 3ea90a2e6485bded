import CGA
import Shim6Wire

/// Four locators of one HBA set against the parameters that prove them (RFC 5535, section 7.2).
struct HBASeries {
    private let parameters: [UInt8]
    private let addresses: [IPv6Address]
    private let operations = 10_000

    init() throws {
        var random = CryptographicRandom()
        let key = try PrivateKey.generate(bits: 1024)
        var generator = try HBAGenerator(
            subnetPrefixes: (0..<4).map { 0x2001_0db8_00a0_0000 | $0 }, publicKey: key.subjectPublicKeyInfo, sec: 1,
            modifier: UInt128(random.next()) << 64 | UInt128(random.next()))
        try generator.generator.search()
        let members = try generator.addresses()
        addresses = members.map(\.address)
        parameters = members[0].parameters.octets
    }

    var series: Series {
        let check = "HBA check"
        let hashes = "5 SHA-1"
        return Series(
            title: "HBA set of 4 locators, Sec 1, parameters of \(parameters.count) octets",
            cases: [
                Series.Case(name: hashes, run: hashed), Series.Case(name: check, run: checked),
            ],
            ratios: [(check, hashes)])
    }

    private func checked(_ watch: inout Stopwatch) throws {
        try watch.measure(operations) {
            for _ in 0..<operations {
                let parameters = try CGAParameters(parameters)
                try parameters.verify(members: addresses)
            }
        }
    }

    /// Hash1 of each locator, and Hash2.
    private func hashed(_ watch: inout Stopwatch) throws {
        let sha1 = try SHA1Reference()
        var digest = [UInt8](repeating: 0, count: 20)
        watch.measure(operations) {
            for _ in 0..<(operations * 5) { sha1.hash(parameters, into: &digest) }
        }
    }
}

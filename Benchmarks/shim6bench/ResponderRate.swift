import Foundation

/// How many I2 a second one processor turns into contexts and R2, with the peers' keys decoded before, beside what
/// `openssl speed` says that it can do of the one RSA operation which each of them needs.
struct ResponderRate {
    let lines: [String]

    init(bits: Int, rounds: Int) throws {
        let series = try I2Series(bits: bits)
        var limits: [Double] = []
        var rates: [Double] = []
        for round in 0...rounds {
            let limit = try Self.verificationsASecond(bits: bits)
            var watch = Stopwatch()
            try series.answeredByWarmHost(&watch)
            // The first one warms the caches.
            guard round > 0 else { continue }
            limits.append(limit)
            rates.append(Double(watch.operations) / Double(watch.nanoseconds) * 1e9)
        }
        let fractions = Spread(zip(rates, limits).map { $0 / $1 })
        func row(_ name: String, _ values: [Double]) -> String {
            let spread = Spread(values)
            return String(format: "  \(name) %.0f (%.0f-%.0f)", spread.median, spread.lowest, spread.highest)
        }
        lines = [
            "", "RSA \(bits), 4 CGA locators each side",
            String(
                format: "  I2 to established : openssl speed %.2f (%.2f-%.2f)", fractions.median, fractions.lowest,
                fractions.highest),
            row("I2 to established, a second", rates), row("openssl speed, verifications a second", limits),
        ]
    }

    private static func verificationsASecond(bits: Int) throws -> Double {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = ["speed", "-mr", "-seconds", "1", "rsa\(bits)"]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        // +F2:index:bits:signatures a second:verifications a second
        guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("+F2:") }),
            let rate = line.split(separator: ":").last.flatMap({ Double($0) }), rate > 0
        else { throw Failure(description: "openssl speed says nothing of RSA") }
        return rate
    }
}

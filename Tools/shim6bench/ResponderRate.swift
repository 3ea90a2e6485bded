import Foundation

/// How many I2 a second one processor turns into contexts and R2, with the peers' keys decoded before, beside what
/// `openssl speed` says that it can do of the one RSA operation which each new proof needs.
struct ResponderRate {
    let lines: [String]

    init(bits: Int, rounds: Int) throws {
        let series = try I2Series(bits: bits)
        let cases: [(name: String, run: (inout Stopwatch) throws -> Void)] = [
            (name: "proof new", run: series.answeredByWarmHost), ("proof known", series.answeredByFamiliarHost),
        ]
        var limits: [Double] = []
        var rates: [[Double]] = cases.map { _ in [] }
        for round in 0...rounds {
            let limit = try Self.verificationsASecond(bits: bits)
            if round > 0 { limits.append(limit) }
            for (index, measured) in cases.enumerated() {
                var watch = Stopwatch()
                try measured.run(&watch)
                // The first round warms the caches.
                if round > 0 { rates[index].append(Double(watch.operations) / Double(watch.nanoseconds) * 1e9) }
            }
        }
        func row(_ name: String, _ values: [Double], _ format: String = "%.0f") -> String {
            let spread = Spread(values)
            let text = [spread.median, spread.lowest, spread.highest].map { String(format: format, $0) }
            return "  \(name) \(text[0]) (\(text[1])-\(text[2]))"
        }
        lines =
            ["", "RSA \(bits), 4 CGA locators each side", row("openssl speed, verifications a second", limits)]
            + zip(cases, rates).flatMap { measured, rates in
                [
                    row("\(measured.name): I2 to established, a second", rates),
                    row(
                        "\(measured.name): I2 to established : openssl speed", zip(rates, limits).map { $0 / $1 },
                        "%.2f"),
                ]
            }
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

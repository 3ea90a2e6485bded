import CGA
import Foundation
import Shim6Wire

/// The search for a Modifier over parameters of 187 octets, which is what an RSA key of 1024 bits makes, beside the SHA-1 of
/// libcrypto over as many octets, one after the other.
struct SearchSeries {
    private let publicKey: [UInt8]
    private let length: Int
    private let attempts: UInt64 = 1 << 24

    init() throws {
        publicKey = try PrivateKey.generate(bits: 1024).subjectPublicKeyInfo
        length = try CGAParameters(modifier: 0, subnetPrefix: 0, publicKey: publicKey).octets.count
    }

    var series: Series {
        let search = "search, 1 thread"
        let speed = "openssl speed -bytes \(length) sha1"
        let one = "search on the wall, 1 thread"
        let two = "search on the wall, 2 threads"
        let process = "openssl speed on the wall, 1 process"
        let processes = "openssl speed on the wall, 2 processes"
        return Series(
            title: "Modifier search, parameters of \(length) octets (RSA 1024), by rate",
            cases: [
                Series.Case(name: search, run: searched), Series.Case(name: speed) { try opensslSpeed(&$0) },
                Series.Case(name: one) { try onTheWall(&$0, threads: 1) },
                Series.Case(name: two) { try onTheWall(&$0, threads: 2) },
                Series.Case(name: process) { try opensslSpeed(&$0, processes: 1) },
                Series.Case(name: processes) { try opensslSpeed(&$0, processes: 2) },
            ],
            // A rate is to another as the times are the other way round. The last one is what the machine gives to two
            // programs that have nothing to do with one another: its processors may be threads of one core.
            ratios: [(speed, search), (one, two), (process, processes)])
    }

    /// Sec 2 wants 32 zero bits: a hit within a round is rare, and a few Modifiers more or less do not matter.
    private func generator() throws -> CGAGenerator { try CGAGenerator(publicKey: publicKey, sec: 2) }

    private func searched(_ watch: inout Stopwatch) throws {
        var generator = try generator()
        watch.measure(Int(attempts)) { _ = generator.search(attempts: attempts) }
    }

    private func onTheWall(_ watch: inout Stopwatch, threads: Int) throws {
        var generator = try generator()
        let start = ContinuousClock.now
        try? generator.search(threads: threads) { $0 < attempts }
        let time = ContinuousClock.now - start
        let nanoseconds = time.components.seconds * 1_000_000_000 + time.components.attoseconds / 1_000_000_000
        watch.add(operations: Int(generator.attempts), nanoseconds: UInt64(nanoseconds))
    }

    /// What the command measures in a second, by its processor time, or several at the same time on the wall. On a busy
    /// machine it may get none at all.
    private func opensslSpeed(_ watch: inout Stopwatch, processes: Int? = nil) throws {
        let onTheWall = processes.map { ["-elapsed", "-multi", "\($0)"] } ?? []
        for _ in 0..<5 {
            guard let hashes = try opensslRate(onTheWall) else { continue }
            return watch.add(operations: Int(hashes), nanoseconds: 1_000_000_000)
        }
        throw Failure(description: "openssl speed gives no figure")
    }

    /// Hashes a second.
    private func opensslRate(_ options: [String]) throws -> Double? {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/openssl")
        process.arguments = ["speed", "-mr", "-seconds", "1", "-bytes", "\(length)"] + options + ["sha1"]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        // +F:number of the algorithm:sha1:octets a second
        let line = text.split(separator: "\n").last { $0.hasPrefix("+F:") }
        guard let rate = line?.split(separator: ":").last.flatMap({ Double($0) }), rate.isFinite, rate > 0 else {
            return nil
        }
        return rate / Double(length)
    }
}

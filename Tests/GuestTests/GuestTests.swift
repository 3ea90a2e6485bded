import Foundation
import Lab
import Testing

/// The same daemon on a distribution's kernel, in a virtual machine, over lines with delay and loss.
@Suite(.serialized, .enabled(if: Guest.isAvailable, "the guest kernel (package user-mode-linux) cannot be had"))
struct GuestTests {
    @Test func `A session outlives a dead uplink over lines with 20 ms of delay and 1 per cent of loss`() throws {
        try pass(["failover", "--driver", "bpf", "--delay", "20", "--loss", "1", "--dead", "20"], limit: 300)
    }

    @Test(arguments: [("xfrm", "xfrm"), ("bpf", "xfrm")])
    func `The demo's failures are outlived on the xfrm data path`(driver: String, peer: String) throws {
        let pace = ["--dead", "25", "--down", "15", "--hold", "5", "--rate", "200000", "--endless"]
        try pass(["demo", "--driver", driver, "--peer-driver", peer] + pace, limit: 600)
    }

    @Test func `The xfrm data path passes its trials`() throws {
        let trials = ["switch", "sizes", "path-mtu", "beside", "restart", "repair", "events", "choice", "thousand"]
        // One boot for all: each has a laboratory of its own.
        let script = #"for trial; do echo "xfrm trial: $trial"; timeout 240 "$0" xfrm "$trial"; done"#
        let result = try Guest.run(["sh", "-c", script, try Executable.lab.path] + trials, limit: 2400)
        let outputs = result.output.split(separator: "xfrm trial: ")
        for trial in trials {
            let output = outputs.first { $0.hasPrefix("\(trial)\n") }
            #expect(
                output?.contains("verdict: PASSED") == true, "\(trial): \(output ?? result.output[...])\(result.errors)"
            )
        }
    }

    private func pass(_ arguments: [String], limit: Double) throws {
        let result = try Guest.run([try Executable.lab.path] + arguments, limit: limit)
        #expect(result.exitCode == 0, "\(result.output)\(result.errors)")
        #expect(result.output.contains("verdict: PASSED"))
    }
}

enum Guest {
    private static let script: String = {
        var package = URL(fileURLWithPath: #filePath)
        for _ in 0..<3 { package.deleteLastPathComponent() }
        return package.appendingPathComponent("Scripts/guest.sh").path
    }()

    /// Exit code 77 of the script: there is no kernel. Anything else is for the tests to judge.
    static let isAvailable: Bool = geteuid() == 0 && (try? run(["true"], limit: 300).exitCode) != 77

    static func run(_ command: [String], limit: Double) throws -> Program.Result {
        try Program.result(of: ["env", "GUEST_SECONDS=\(Int(limit))", script] + command, limit: limit + 10)
    }
}

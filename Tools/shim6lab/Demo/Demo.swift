import ArgumentParser
import Foundation
import Lab

struct Demo: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Two multihomed hosts, a download, and three failures of their uplinks.")

    @Option(help: "Seconds for which a silent uplink stays dead.") var dead = 90.0
    @Option(help: "Seconds for which an interface stays down.") var down = 30.0
    @Option(help: "Seconds for which the first uplinks have to work before payload returns to them.") var hold = 15.0
    @Option(help: "Octets a second of the download.") var rate = 500_000
    @Flag(help: "The download is cut short at the end, however slow the machine.") var endless = false
    @Option(help: "Data path of host A.") var driver = "auto"
    @Option(help: "Data path of host B, that of A by default.") var peerDriver: String?

    func run() throws {
        Interruption.catchSignals()
        let story = Story()
        do {
            let laboratory = try Laboratory()
            defer { laboratory.close() }
            let drivers = (a: driver, b: peerDriver ?? driver)
            try MainJob(
                laboratory, story, dead: dead, down: down, hold: hold, rate: rate, endless: endless, drivers: drivers
            ).play()
        } catch let interruption as Interruption {
            story.tell("\n\(interruption): everything has been taken down")
            throw ExitCode(128 + interruption.signal)
        } catch let error as LabError {
            story.tell("\nverdict: FAILED: \(error)")
            throw ExitCode.failure
        }
        guard story.failures.isEmpty else {
            story.tell("\nverdict: FAILED: " + story.failures.joined(separator: "; "))
            throw ExitCode.failure
        }
        story.tell("\nverdict: PASSED: every session outlived every failure (\(story.held) claims held)")
    }
}

import ArgumentParser
import Lab

/// Trials of the `xfrm` data path. They need a kernel with MIP6: the guest's.
struct XFRM: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "xfrm", abstract: "Trials of the xfrm data path, for the guest.",
        subcommands: [
            Switch.self, Sizes.self, PathMTU.self, Beside.self, Restart.self, Repair.self,
            Events.self, Choice.self, Thousand.self, Measure.self,
        ])

    /// Plays a trial in a laboratory of its own and tells how it went.
    static func trial(_ body: (Laboratory, Story) throws -> Void) throws {
        Interruption.catchSignals()
        let story = Story()
        let laboratory = try Laboratory()
        defer { laboratory.close() }
        do {
            try body(laboratory, story)
        } catch let error as LabError {
            story.tell("verdict: FAILED: \(error)")
            throw ExitCode.failure
        }
        guard story.failures.isEmpty else {
            story.tell("verdict: FAILED: \(story.failures.joined(separator: "; "))")
            throw ExitCode.failure
        }
        story.tell("verdict: PASSED (\(story.held) claims held)")
    }
}

import Foundation
import Lab

/// One failure under one application, with a session of its own.
struct Trial {
    private let setting: any Setting
    private let application: Application
    private let failure: Failure

    init(_ setting: any Setting, _ application: Application, _ failure: Failure) {
        self.setting = setting
        self.application = application
        self.failure = failure
    }

    /// - Returns: the longest time in seconds in which the application got nothing; nil if nothing came any more.
    func run() throws -> Double? {
        let laboratory = setting.laboratory
        guard let a = setting.topology.hosts["a"], let b = setting.topology.hosts["b"] else { return nil }
        let gap: Clock.Span?
        switch application {
        case .tcp:
            let meter = try laboratory.stream(
                from: b, setting.peer, to: a, setting.local, isMultipath: setting.isMultipath)
            let begin = try fail()
            gap = try meter.stop().longestGap(from: begin, to: Clock.now)?.length ?? Stream.Record.leastGap
        case .udp:
            let meter = try laboratory.echo(from: a, setting.local, to: b, setting.peer, rate: 500)
            let begin = try fail()
            gap = try meter.stop().longestSilence(from: begin)
        }
        try failure.end(on: setting.topology)
        try setting.restore()
        guard let gap, gap.seconds < setting.dead - 0.2 else { return nil }
        return gap.seconds
    }

    /// Fails the uplink at a moment that has nothing to do with the traffic's, and waits.
    private func fail() throws -> Clock.Moment {
        try setting.waitUntilProtected()
        usleep(.random(in: 0..<300_000))
        let begin = try failure.begin(on: setting.topology)
        try setting.laboratory.pass(seconds: setting.dead)
        return begin
    }
}

import Shim6Control
import Shim6Core
import Shim6Wire
import Testing

@testable import Shim6Daemon

/// Reports about every context, a part in each pass.
@Suite struct SurveyTests {
    private let tags = (1...1000).map { ContextTag(truncating: UInt64($0)) }

    @Test func `Every context is looked at once, a bounded number in each pass, and the answer comes last`() throws {
        var answers: [Result<Response, CommandError>] = []
        var seen: [ContextTag] = []
        let survey = Survey(of: tags) {
            answers.append($0)
        } visit: {
            seen.append($0)
        } result: {
            .removed(Removal(tags: seen))
        }
        var passes = 0
        var isDone = false
        while !isDone {
            let before = seen.count
            var budget = 64
            isDone = survey.proceed {
                budget -= 1
                return budget == 0
            }
            #expect(seen.count - before <= 64)
            #expect(answers.isEmpty != isDone)
            passes += 1
        }
        #expect(passes == 16)
        #expect(seen == tags)
        #expect(answers == [.success(.removed(Removal(tags: tags)))])
    }

    @Test func `Without contexts the answer comes at once, and a pass that is over gets on by one`() throws {
        var answers = 0
        let empty = Survey(of: []) { _ in
            answers += 1
        } visit: { _ in
        } result: {
            .removed(Removal(tags: []))
        }
        #expect(empty.proceed { true } && answers == 1)
        var visits = 0
        let slow = Survey(of: tags) { _ in
            answers += 1
        } visit: { _ in
            visits += 1
        } result: {
            .removed(Removal(tags: []))
        }
        #expect(!slow.proceed { true })
        #expect(visits == 1 && answers == 1)
    }
}

import Shim6Control
import Shim6Core
import Shim6Wire

/// A look at every context for somebody who asked. There may be a great many: each pass of the loop takes as many as its
/// time allows, so that nothing else waits for a report. Contexts may come and go meanwhile; one that comes is not seen.
final class Survey {
    typealias Answer = (Result<Response, CommandError>) -> Void

    let answer: Answer
    private let all: () -> [ContextTag]
    /// Those that are left; nil before the first pass.
    private var left: ArraySlice<ContextTag>?
    private let visit: (ContextTag) -> Void
    private let result: () -> Response

    /// `visit` is called once for each of `tags`, as they are in the first pass, and `result` for what is answered.
    init(
        of tags: @autoclosure @escaping () -> [ContextTag], answer: @escaping Answer,
        visit: @escaping (ContextTag) -> Void,
        result: @escaping () -> Response
    ) {
        all = tags
        self.answer = answer
        self.visit = visit
        self.result = result
    }

    /// Visits at least one context, and more until `isOver`. Returns whether that was all and the answer has been given.
    func proceed(until isOver: () -> Bool) -> Bool {
        var tags = left ?? all()[...]
        // Not two owners, or each step would copy them.
        left = []
        while let tag = tags.popFirst() {
            visit(tag)
            if isOver(), !tags.isEmpty {
                left = tags
                return false
            }
        }
        answer(.success(result()))
        return true
    }
}

/// How many contexts use each local address.
struct AddressUse {
    private(set) var ulidOf: [IPv6Address: Int] = [:]
    private(set) var sourceOf: [IPv6Address: Int] = [:]

    mutating func count(_ context: ContextOutline) {
        ulidOf[context.ulids.local, default: 0] += 1
        if let outgoing = context.outgoing { sourceOf[outgoing.source, default: 0] += 1 }
    }
}

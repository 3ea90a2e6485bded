import REAP

/// What others have changed of what the data path has made in the kernel, part by part.
struct Restorations {
    /// What is undone so often within the window is left alone for the pause.
    static let mostUndone = 5
    static let window = Duration.seconds(60)
    static let pause = Duration.seconds(600)

    enum Decision {
        case restore
        /// It has been undone once too often.
        case giveUp
        /// It was given up a while ago.
        case leave
    }

    private struct Part {
        /// When it was found undone, within the window.
        var undone: [Instant] = []
        var leftAloneUntil: Instant?
    }

    /// Those that are not whole, or were not within the window.
    private var parts: [String: Part] = [:]
    private var broken: Set<String> = []
    /// How often a part was put back.
    private(set) var count: UInt64 = 0

    /// What to do about a part that is not whole.
    mutating func decide(on name: String, at now: Instant) -> Decision {
        var part = parts[name, default: Part()]
        defer { parts[name] = part }
        let isUndone = broken.insert(name).inserted
        if let end = part.leftAloneUntil {
            guard now >= end else { return .leave }
            part = Part()
        }
        // What could not be put back is tried again, which is nobody's doing.
        guard isUndone else { return .restore }
        part.undone = part.undone.filter { now - $0 < Self.window } + [now]
        guard part.undone.count >= Self.mostUndone else { return .restore }
        part.leftAloneUntil = now + Self.pause
        return .giveUp
    }

    mutating func restored(_ name: String) {
        count += 1
        found(name)
    }

    /// The part is whole.
    mutating func found(_ name: String) { broken.remove(name) }

    func isBroken(_ name: String) -> Bool { broken.contains(name) }

    /// There are only these parts now.
    mutating func forget(allBut names: [String]) {
        parts = parts.filter { names.contains($0.key) }
        broken.formIntersection(names)
    }

    /// What is not whole, for people; nil if all is.
    var shortcoming: String? {
        let reasons = broken.sorted().map { name in
            parts[name]?.leftAloneUntil == nil
                ? "\(name) could not be put back" : "\(name) left alone, since somebody undoes it again and again"
        }
        return reasons.isEmpty ? nil : reasons.joined(separator: "; ")
    }
}

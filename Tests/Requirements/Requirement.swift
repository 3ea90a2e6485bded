import Testing

/// The rows of the requirement catalogue that a test shows: it would fail if one of these rules was broken.
public struct Requirement: TestTrait, SuiteTrait {
    /// Ids such as `5533-5.3-02`: RFC, section, number.
    public let ids: [String]

    public var comments: [Comment] { ids.map { Comment(rawValue: "requirement \($0)") } }
}

extension Trait where Self == Requirement {
    /// Names the requirements that a test shows. A test that claims more than six shows none of them well.
    public static func requirement(_ ids: String...) -> Self {
        precondition((1...6).contains(ids.count), "a test names one to six requirements")
        return Requirement(ids: ids)
    }
}

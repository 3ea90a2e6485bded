/// A key of a table in the configuration file that sets one member of `Root`.
struct Key<Root: Sendable>: Sendable {
    let name: String
    /// What it means, for `Configuration.defaultsText`.
    let comment: String
    let required: Bool
    /// Sets the member from a value of the file.
    let read: @Sendable (Value, inout Root) throws(ValueProblem) -> Void
    /// The member as it would stand in the file.
    let write: @Sendable (Root) -> String

    init<Member>(
        _ name: String, _ path: any WritableKeyPath<Root, Member> & Sendable, _ form: Form<Member>, _ comment: String,
        required: Bool = false
    ) {
        self.name = name
        self.comment = comment
        self.required = required
        read = { (value, root) throws(ValueProblem) in root[keyPath: path] = try form.read(value) }
        write = { root in form.write(root[keyPath: path]) }
    }
}

/// A value of the file that a key cannot take.
struct ValueProblem: Error {
    /// Where inside the value: indices of lists.
    var path: [String] = []
    /// What it must be, to follow the key's name: `must be ...`.
    var message: String
}

/// How a member stands in the file.
struct Form<Member>: Sendable {
    var read: @Sendable (Value) throws(ValueProblem) -> Member
    var write: @Sendable (Member) -> String
}

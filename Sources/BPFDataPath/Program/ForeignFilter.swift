import CDataPath

/// A filter of somebody else that sees an interface's packets before ours does. Where it ends the classification,
/// as most filters do with what they match, the shim sees nothing.
public struct ForeignFilter: Hashable, Sendable {
    /// Nil if it is attached through tcx, which runs before all classifiers.
    public var priority: UInt32?
    public var ingress: Bool
    /// The classifier: "bpf", "flower", "matchall"...
    public var kind: String
}

extension KernelProgram {
    /// The filters of others in front of ours on an interface, at most 64.
    public static func foreignFilters(interface: UInt32) throws(KernelProgramError) -> [ForeignFilter] {
        var found = [shim6_foreign_filter](repeating: shim6_foreign_filter(), count: 64)
        let count = try check(
            shim6_foreign_filters(interface, &found, found.count), "list the filters of interface \(interface)")
        return found.prefix(Int(count)).map { filter in
            ForeignFilter(
                priority: filter.priority == 0 ? nil : filter.priority, ingress: filter.ingress,
                kind: withUnsafeBytes(of: filter.kind) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
        }
    }
}

import CNetlink
import Shim6Wire

/// A row of the policy table for source address selection (RFC 6724, section 2.1): a source whose label is that of the
/// destination is preferred. Rows have no mark but their label.
public struct AddressLabel: Hashable, Sendable {
    /// Nil for ::/0.
    public var prefix: IPv6Prefix?
    public var label: UInt32

    /// The label of what no other row names.
    public static let everything: UInt32 = 1

    public init(_ prefix: IPv6Prefix?, label: UInt32) {
        self.prefix = prefix
        self.label = label
    }

    init(_ flat: cnl_label) {
        self.init(flat.prefix.prefix, label: flat.label)
    }

    var flat: cnl_label { cnl_label(prefix: cnl_prefix(prefix), label: label) }
}

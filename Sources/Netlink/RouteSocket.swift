import CNetlink
import Glibc
import Shim6Wire

/// Reads and changes the tables of the network namespace in which it was made.
public final class RouteSocket {
    private let descriptor: Int32

    public init() throws(KernelError) {
        descriptor = try checked(cnl_route_open(), "open a socket for links and routes")
    }

    deinit {
        close(descriptor)
    }

    // MARK: Dumps

    public func links() throws(KernelError) -> [Link] {
        try dump(CNL_LINK, "links").compactMap { if case .link(let link) = $0.row { link } else { nil } }
    }

    public func addresses() throws(KernelError) -> [InterfaceAddress] {
        try dump(CNL_ADDRESS, "addresses").compactMap { if case .address(let row) = $0.row { row } else { nil } }
    }

    public func routes() throws(KernelError) -> [Route] {
        try dump(CNL_ROUTE, "routes").compactMap { if case .route(let route) = $0.row { route } else { nil } }
    }

    public func rules() throws(KernelError) -> [Rule] {
        try dump(CNL_RULE, "rules").compactMap { if case .rule(let rule) = $0.row { rule } else { nil } }
    }

    public func neighbours() throws(KernelError) -> [Neighbour] {
        try dump(CNL_NEIGHBOUR, "neighbours").compactMap { if case .neighbour(let row) = $0.row { row } else { nil } }
    }

    public func labels() throws(KernelError) -> [AddressLabel] {
        try dump(CNL_LABEL, "address labels").compactMap { if case .label(let row) = $0.row { row } else { nil } }
    }

    // MARK: Addresses

    /// Throws EEXIST if the interface has it.
    public func add(_ address: InterfaceAddress) throws(KernelError) {
        var flat = address.flat
        try checked(cnl_address_add(descriptor, &flat), "add address \(address.address)")
    }

    /// Adds it, or gives it these flags and lifetimes.
    public func replace(_ address: InterfaceAddress) throws(KernelError) {
        var flat = address.flat
        try checked(cnl_address_replace(descriptor, &flat), "set address \(address.address)")
    }

    /// Throws EADDRNOTAVAIL if the interface has it not.
    public func delete(_ address: InterfaceAddress) throws(KernelError) {
        var flat = address.flat
        try checked(cnl_address_delete(descriptor, &flat), "delete address \(address.address)")
    }

    // MARK: Links

    public func setUp(_ up: Bool, interface: UInt32) throws(KernelError) {
        try setFlag(IFF_UP, up, interface: interface)
    }

    /// Address resolution on the interface ("arp" of the ip command).
    public func setResolution(_ on: Bool, interface: UInt32) throws(KernelError) {
        try setFlag(IFF_NOARP, !on, interface: interface)
    }

    public func setMTU(_ octets: UInt32, interface: UInt32) throws(KernelError) {
        try checked(cnl_link_set_mtu(descriptor, interface, octets), "set the MTU of interface \(interface)")
    }

    /// The largest packet the stack leaves unsegmented for it, in octets.
    public func setGSOMaxSize(_ octets: UInt32, interface: UInt32) throws(KernelError) {
        try checked(
            cnl_link_set_gso_max_size(descriptor, interface, octets), "set gso_max_size of interface \(interface)")
    }

    /// Keeps the kernel from making a link-local address on it.
    public func stopAddressGeneration(interface: UInt32) throws(KernelError) {
        try checked(
            cnl_link_set_no_address_generation(descriptor, interface),
            "stop address generation on interface \(interface)")
    }

    /// Throws EEXIST if either name is taken.
    public func addVethPair(_ name: String, _ peer: String) throws(KernelError) {
        try checked(cnl_veth_add(descriptor, name, peer), "make the veth pair \(name), \(peer)")
    }

    /// Throws ENODEV if there is none. The other end of a veth pair goes too.
    public func deleteLink(interface: UInt32) throws(KernelError) {
        try checked(cnl_link_delete(descriptor, interface), "delete interface \(interface)")
    }

    // MARK: Routes and rules

    /// Throws EEXIST if there is one with this table, destination, source and metric.
    public func add(_ route: Route) throws(KernelError) {
        var flat = route.flat
        try checked(cnl_route_add(descriptor, &flat), "add \(route.words)")
    }

    /// Adds it, or puts it in the place of the one with this table, destination, source and metric.
    public func replace(_ route: Route) throws(KernelError) {
        var flat = route.flat
        try checked(cnl_route_replace(descriptor, &flat), "set \(route.words)")
    }

    /// Throws ESRCH if there is none with these values and this protocol.
    public func delete(_ route: Route) throws(KernelError) {
        var flat = route.flat
        try checked(cnl_route_delete(descriptor, &flat), "delete \(route.words)")
    }

    /// The address that the kernel takes as source of a new session with `destination` by this interface.
    /// Throws EADDRNOTAVAIL if there is none, ENETUNREACH and so on if no route leads there.
    public func source(to destination: IPv6Address, interface: UInt32) throws(KernelError) -> IPv6Address {
        var (to, source) = (destination.flat, destination.flat)
        try checked(
            cnl_route_source(descriptor, interface, &to, &source), "find the source for \(destination)")
        return IPv6Address(source)
    }

    /// Throws EEXIST if there is the same rule.
    public func add(_ rule: Rule) throws(KernelError) {
        var flat = rule.flat
        try checked(cnl_rule_add(descriptor, &flat), "add the rule \(rule.priority) for table \(rule.table)")
    }

    /// Throws ENOENT if there is none with these values and this protocol.
    public func delete(_ rule: Rule) throws(KernelError) {
        var flat = rule.flat
        try checked(cnl_rule_delete(descriptor, &flat), "delete the rule \(rule.priority) for table \(rule.table)")
    }

    // MARK: Neighbours and labels

    /// Makes the kernel look for a neighbour as if there was a packet for it.
    public func probe(_ neighbour: IPv6Address, interface: UInt32) throws(KernelError) {
        var flat = neighbour.flat
        try checked(cnl_neighbour_probe(descriptor, interface, &flat), "probe the neighbour \(neighbour)")
    }

    /// Throws EEXIST if the prefix has a label.
    public func add(_ label: AddressLabel) throws(KernelError) {
        var flat = label.flat
        try checked(cnl_label_add(descriptor, &flat), "add \(label.words)")
    }

    /// Throws ESRCH if the prefix has no label.
    public func delete(_ label: AddressLabel) throws(KernelError) {
        var flat = label.flat
        try checked(cnl_label_delete(descriptor, &flat), "delete \(label.words)")
    }

    // MARK: Everything that carries a mark

    /// Deletes every address with this protocol number, which is not 0. Returns how many there were.
    @discardableResult
    public func flushAddresses(protocol: UInt8) throws(KernelError) -> Int {
        Int(try checked(cnl_flush_addresses(descriptor, `protocol`), "flush addresses of protocol \(`protocol`)"))
    }

    /// Deletes every route with this protocol number, which is not 0. Returns how many there were.
    @discardableResult
    public func flushRoutes(protocol: UInt8) throws(KernelError) -> Int {
        Int(try checked(cnl_flush_routes(descriptor, `protocol`), "flush routes of protocol \(`protocol`)"))
    }

    /// Deletes every rule with this protocol number, which is not 0. Returns how many there were.
    @discardableResult
    public func flushRules(protocol: UInt8) throws(KernelError) -> Int {
        Int(try checked(cnl_flush_rules(descriptor, `protocol`), "flush rules of protocol \(`protocol`)"))
    }

    // MARK: -

    /// Appends to the array of changes that the context points at.
    static let append: cnl_change_handler = { context, change in
        guard let context, let change else { return }
        context.assumingMemoryBound(to: [KernelChange].self).pointee.append(KernelChange(change.pointee))
    }

    private func dump(_ kind: cnl_kind, _ name: String) throws(KernelError) -> [KernelChange] {
        var rows: [KernelChange] = []
        let result = withUnsafeMutablePointer(to: &rows) { context in
            cnl_dump(descriptor, kind, Self.append, context)
        }
        try checked(result, "list \(name)")
        return rows
    }

    private func setFlag(_ flag: Int, _ on: Bool, interface: UInt32) throws(KernelError) {
        let mask = UInt32(flag)
        try checked(
            cnl_link_set_flags(descriptor, interface, on ? mask : 0, mask), "set flags of interface \(interface)")
    }
}

extension AddressLabel {
    fileprivate var words: String { "the address label \(label) of \(prefix?.description ?? "::/0")" }
}

extension Route {
    fileprivate var words: String {
        let ends = "route to \(destination?.description ?? "default")" + (source.map { " from \($0)" } ?? "")
        return ends + " in table \(table)"
    }
}

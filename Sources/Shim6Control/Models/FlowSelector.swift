/// Packets between two ULIDs, named by what their transport header says.
///
/// JSON: `protocol`, and `source_port` and `destination_port` where they matter.
public struct FlowSelector: Codable, Hashable, Sendable {
    /// Next Header value of the transport protocol.
    public var protocolNumber: UInt8
    /// The daemon's port; nil for any.
    public var sourcePort: UInt16?
    /// The peer's port; nil for any.
    public var destinationPort: UInt16?

    public init(protocolNumber: UInt8, sourcePort: UInt16? = nil, destinationPort: UInt16? = nil) {
        self.protocolNumber = protocolNumber
        self.sourcePort = sourcePort
        self.destinationPort = destinationPort
    }

    private enum CodingKeys: String, CodingKey {
        case protocolNumber = "protocol"
        case sourcePort, destinationPort
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        /// A number that does not fit is told by the name and the range that the document has.
        func number<Number: FixedWidthInteger>(_ key: CodingKeys, _ name: String) throws -> Number? {
            guard let value = try container.decodeIfPresent(Int.self, forKey: key) else { return nil }
            guard let number = Number(exactly: value) else {
                throw CommandError(.badArgument, "\(name) must be from 0 to \(Number.max), not \(value)")
            }
            return number
        }
        guard let protocolNumber: UInt8 = try number(.protocolNumber, "protocol") else {
            throw CommandError(.badRequest, "\"protocol\" is missing")
        }
        self.init(
            protocolNumber: protocolNumber, sourcePort: try number(.sourcePort, "source_port"),
            destinationPort: try number(.destinationPort, "destination_port"))
    }

    /// Such as `tcp 5000 -> 80`; `*` for any port.
    public var text: String {
        let name = [6: "tcp", 17: "udp", 132: "sctp"][Int(protocolNumber)] ?? String(protocolNumber)
        return "\(name) \(sourcePort.map(String.init) ?? "*") -> \(destinationPort.map(String.init) ?? "*")"
    }
}

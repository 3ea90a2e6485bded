import Foundation

/// What Wireshark, which knows Shim6 from the RFC and nothing of this project, says of the control messages it sees.
///
/// Only fields that its dissector gets right are asked for: it shows everything after the type an octet early and
/// misreads options.
public struct Dissection: Sendable, Equatable {
    public var source: String
    public var destination: String
    public var type: Int
    /// Hdr Ext Len.
    public var length: Int
    /// Whether the sum over the message is right.
    public var isChecksumGood: Bool

    /// All control messages in a capture, in order.
    public static func controlMessages(in file: String) throws -> [Dissection] {
        let fields = ["ipv6.src", "ipv6.dst", "shim6.type", "shim6.len", "shim6.checksum.status"]
        let table = try Program.run(
            ["tshark", "-n", "-r", file, "-Y", "shim6.p == 0", "-T", "fields", "-E", "separator=;"]
                + fields.flatMap { ["-e", $0] })
        return try table.split(separator: "\n").map { line in
            // An Error message quotes a packet, whose fields follow the message's own after a comma.
            let row = line.split(separator: ";", omittingEmptySubsequences: false)
                .map { $0.split(separator: ",").first.map(String.init) ?? "" }
            guard row.count == fields.count, let type = Int(row[2]), let length = Int(row[3]) else {
                throw LabError("tshark printed: \(line)")
            }
            // 1 is "Good" in Wireshark's own numbering.
            return Dissection(
                source: row[0], destination: row[1], type: type, length: length, isChecksumGood: row[4] == "1")
        }
    }
}

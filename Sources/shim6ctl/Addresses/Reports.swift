import ArgumentParser
import CGA
import Shim6Control
import Shim6Wire

/// What a command prints, as text or as JSON.
protocol ToolReport: Encodable {
    /// Whole lines.
    var text: String { get }
}

/// `--json`, before the command or behind it.
struct FormatOption: ParsableArguments {
    @Flag(help: "Print JSON. docs/control-protocol.md describes that of the daemon.")
    var json = false

    func show(_ report: some ToolReport) throws {
        print(json ? try ControlLine.encodePretty(report) + "\n" : report.text, terminator: "")
    }
}

struct GeneratedAddress: Encodable {
    var address: String
    var prefix: String
    var collisionCount: Int
    var modifier: String
    var parameters: String
    var file: String?

    init(_ address: IPv6Address, _ parameters: CGAParameters, file: String?) {
        self.address = "\(address)"
        prefix = "\(IPv6Address(high: address.high, low: 0))/64"
        collisionCount = Int(parameters.collisionCount)
        modifier = Hexadecimal(parameters.octets.prefix(16)).text
        self.parameters = Hexadecimal(parameters.octets).text
        self.file = file
    }
}

struct GenerationReport: ToolReport {
    var sec: Int
    /// How many Modifiers were tried.
    var attempts: UInt64
    var addresses: [GeneratedAddress]

    var text: String {
        addresses.map { made in
            "\(made.address)\n  parameters  \(made.file ?? made.parameters)\n"
        }.joined()
    }
}

struct VerificationReport: ToolReport {
    struct Verdict: Encodable {
        var address: String
        var verified: Bool
        /// Of RFC 3972, section 5, or of RFC 5535, section 7.2.
        var failedStep: String?
        /// A stable name of what is wrong.
        var reason: String?
        var explanation: String?

        /// Checks `address` against the octets of parameters.
        init(_ address: IPv6Address, parameters octets: [UInt8], method: VerificationMethod) {
            self.address = "\(address)"
            verified = false
            do throws(CGAError) {
                let parameters = try CGAParameters(octets)
                switch method {
                case .cga: try parameters.verify(address)
                case .hba: try parameters.verify(members: [address])
                }
                verified = true
            } catch {
                failedStep = method == .hba ? error.stepOfHBA : error.stepOfCGA
                reason = error.rawValue
                explanation = method == .hba ? error.explanationOfHBA : error.explanation
            }
        }
    }

    var addresses: [Verdict]

    var isGood: Bool { addresses.allSatisfy(\.verified) }

    var text: String {
        addresses.map { verdict in
            guard !verdict.verified else { return "\(verdict.address) verified\n" }
            let step = verdict.failedStep.map { "step \($0): " } ?? ""
            return "\(verdict.address) refused: \(step)\(verdict.explanation ?? "")\n"
        }.joined()
    }
}

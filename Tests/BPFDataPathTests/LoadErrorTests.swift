import BPFDataPath
import Testing

struct LoadErrorTests {
    @Test func `A refusal by the verifier is told with the end of its log`() {
        let reason = ["R1 invalid mem access 'scalar'", "", "processed 40 insns"]
        let log = (1...40).map { "\($0): (bf) r\($0 % 10) = r1" } + reason
        let error = KernelProgramLoadError(reason: .verifier, code: 13, detail: log.joined(separator: "\n"))
        let lines = error.description.split(separator: "\n")
        #expect(lines.first == "cannot load the data path: the kernel's verifier refused the program")
        #expect(lines.count == 9)
        #expect(lines.suffix(2) == ["  R1 invalid mem access 'scalar'", "  processed 40 insns"])
    }

    @Test func `What has no log is one line`() {
        let error = KernelProgramLoadError(reason: .noPermission, code: 1, detail: "libbpf: something\nlibbpf: more")
        #expect(!error.description.contains("\n"))
    }
}

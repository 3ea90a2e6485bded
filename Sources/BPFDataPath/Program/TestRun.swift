import CDataPath
import Shim6Wire

/// One of the programs, to be run on a packet in memory.
package enum KernelProgramPart: UInt32, Sendable {
    case uplinkOut = 0
    case uplinkIn
    /// On a link without Ethernet headers.
    case uplinkOutL3
    case uplinkInL3
    case steer
    case segment
    case appear
}

/// What a program decided (tc's TC_ACT_ values).
package enum Verdict: Int32, Sendable {
    case unspecified = -1
    case drop = 2
    /// Gone as if it had been sent.
    case taken = 4
    case redirect = 7
}

extension KernelProgram {
    /// Runs a program on a packet that goes nowhere.
    ///
    /// - Parameters:
    ///   - frame: begins with an Ethernet header, or with the IPv6 header for `uplinkOutL3` and `uplinkInL3`; the kernel
    ///     looks for EtherType and destination at their usual places all the same.
    ///   - times: how often it runs, each time on what the time before has left.
    /// - Returns: the verdict and the frame as the program left it.
    package func run(
        _ part: KernelProgramPart, on interface: UInt32, frame: [UInt8], times: UInt32 = 1
    ) throws(KernelProgramError) -> (verdict: Verdict?, frame: [UInt8]) {
        var changed = [UInt8](repeating: 0, count: frame.count + 256)
        var packet = shim6_test_packet()
        let code = frame.withUnsafeBytes { input in
            changed.withUnsafeMutableBytes { output in
                packet.in = input.baseAddress
                packet.in_length = UInt32(input.count)
                packet.ifindex = interface
                packet.times = times
                packet.out = output.baseAddress
                packet.out_length = UInt32(output.count)
                return shim6_test_run(handle, shim6_program(part.rawValue), &packet)
            }
        }
        try check(code, "run the program")
        return (Verdict(rawValue: packet.verdict), [UInt8](changed.prefix(Int(packet.out_length))))
    }
}

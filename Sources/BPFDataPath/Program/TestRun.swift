import CDataPath
import Shim6Wire

/// One of the programs, to be run on a packet in memory.
package enum KernelProgramPart: Sendable {
    case uplinkOut
    case uplinkIn
    /// On a link without Ethernet headers.
    case uplinkOutL3
    case uplinkInL3
    case steer
    case segment
    case appear

    fileprivate var program: shim6_program {
        switch self {
        case .uplinkOut: SHIM6_UPLINK_OUT
        case .uplinkIn: SHIM6_UPLINK_IN
        case .uplinkOutL3: SHIM6_UPLINK_OUT_L3
        case .uplinkInL3: SHIM6_UPLINK_IN_L3
        case .steer: SHIM6_STEER_OUT
        case .segment: SHIM6_SEGMENT_IN
        case .appear: SHIM6_APPEAR_IN
        }
    }
}

/// What a program decided.
package enum Verdict: Sendable {
    case unspecified
    case drop
    /// Gone as if it had been sent.
    case taken
    case redirect

    fileprivate init?(_ action: Int32) {
        switch action {
        case TC_ACT_UNSPEC: self = .unspecified
        case TC_ACT_SHOT: self = .drop
        case TC_ACT_STOLEN: self = .taken
        case TC_ACT_REDIRECT: self = .redirect
        default: return nil
        }
    }
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
                return shim6_test_run(handle, part.program, &packet)
            }
        }
        try check(code, "run the program")
        return (Verdict(packet.verdict), [UInt8](changed.prefix(Int(packet.out_length))))
    }
}

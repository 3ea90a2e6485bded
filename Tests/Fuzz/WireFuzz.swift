import Shim6Wire

/// What the fuzzer calls with each input. A trap, or a broken property, is a find.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let octets = Array(UnsafeBufferPointer(start: start, count: count))
    checkMessage(octets)
    checkMessage(resealed(octets))
    checkPayloadHeader(octets)
    checkText(String(decoding: octets, as: UTF8.self))
    return 0
}

/// What is accepted and can be encoded means the same after it.
private func checkMessage(_ octets: [UInt8]) {
    guard let view = try? MessageView(octets), let message = try? ControlMessage(view) else { return }
    precondition(message.type == view.type)
    guard let encoded = try? message.encoded() else { return }
    let again = try? ControlMessage(MessageView(encoded))
    precondition(again == message, "a message changes when it is encoded")
}

private func checkPayloadHeader(_ octets: [UInt8]) {
    guard let header = try? PayloadHeader(octets) else { return }
    precondition(header.encoded == Array(octets.prefix(PayloadHeader.length)), "a payload header changes")
}

private func checkText(_ text: String) {
    if let address = IPv6Address(text) {
        precondition(IPv6Address(address.description) == address, "an address changes when it is written")
    }
    if let prefix = IPv6Prefix(text) {
        precondition(IPv6Prefix(prefix.description) == prefix, "a prefix changes when it is written")
    }
    if let tag = ContextTag(text) {
        precondition(ContextTag(tag.description) == tag, "a tag changes when it is written")
    }
}

/// The octets as a message that passes the first checks, so that the fuzzer gets behind them.
private func resealed(_ input: [UInt8]) -> [UInt8] {
    var octets = Array(input.prefix(2048))
    octets += Array(repeating: 0, count: max(8, (octets.count + 7) / 8 * 8) - octets.count)
    octets[1] = UInt8(octets.count / 8 - 1)
    octets[2] &= 0x7f
    octets[3] &= 0xfe
    octets[4] = 0
    octets[5] = 0
    var sum: UInt32 = 0
    for index in stride(from: 0, to: octets.count, by: 2) {
        sum += UInt32(octets[index]) << 8 | UInt32(octets[index + 1])
    }
    while sum > 0xffff { sum = sum & 0xffff + sum >> 16 }
    octets[4] = UInt8(truncatingIfNeeded: ~sum >> 8)
    octets[5] = UInt8(truncatingIfNeeded: ~sum)
    return octets
}

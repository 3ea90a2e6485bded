import CGA
import Shim6Wire

/// What the fuzzer calls with each input: a CGA Parameter Data Structure, which has a public key in DER in it. A trap, or a
/// broken property, is a find.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let octets = Array(UnsafeBufferPointer(start: start, count: count))
    checkKey(octets)
    guard let parameters = try? CGAParameters(octets) else { return 0 }
    checkKey(parameters.publicKey)
    precondition(
        octets.dropFirst(25).elementsEqual(parameters.publicKey + parameters.extensions), "parts are not the whole")
    if let extensions = try? parameters.parsedExtensions() {
        precondition(
            extensions.flatMap { $0.octets ?? [] } == Array(parameters.extensions), "extensions change")
    }
    if let set = try? parameters.multiPrefix() {
        precondition(set.subnetPrefixes.count * 8 <= octets.count, "more prefixes than octets")
    }
    return 0
}

private func checkKey(_ octets: [UInt8]) {
    _ = try? PublicKey(subjectPublicKeyInfo: octets, bits: 1024...4096)
}

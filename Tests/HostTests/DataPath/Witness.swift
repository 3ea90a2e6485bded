import CTestKernel
import Foundation
import Lab
import Steering

/// Somebody else's tc filter that counts packets with a mark.
final class Witness {
    private var witness = CTestKernel.witness()

    init(in namespace: Namespace, on device: String, ingress: Bool, priority: UInt32, mark: UInt32) throws {
        let index = try namespace.index(of: device)
        let code = try namespace.inside { witness_attach(&witness, index, ingress ? 1 : 0, priority, mark) }
        guard code == 0 else { throw LabError("no witness on \(device): \(String(cString: strerror(-code)))") }
    }

    deinit { witness_close(&witness) }

    var count: Int64 { witness_count(&witness) }
}

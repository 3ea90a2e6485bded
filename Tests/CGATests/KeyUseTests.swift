import Foundation
import Requirements
import Testing

@Suite("Use of keys")
struct KeyUseTests {
    @Test("The key of a CGA signs and does nothing else", .requirement("3972-7.4-03", "3972-7.4-04"))
    func onlySigns() throws {
        let sources = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Sources").resolvingSymlinksInPath()
        let files = FileManager.default.enumerator(atPath: sources.path)?.compactMap { $0 as? String } ?? []
        let other =
            /\b(EVP_PKEY_(en|de)crypt|EVP_PKEY_derive|EVP_PKEY_(en|de)capsulate|EVP_(Seal|Open)|RSA_(public|private)_|(CMS|PKCS7)_(en|de)crypt)/
        var signing = 0
        for file in files where file.hasSuffix(".swift") || file.hasSuffix(".c") || file.hasSuffix(".h") {
            let text = try String(contentsOf: sources.appending(path: file), encoding: .utf8)
            #expect(!text.contains(other), "\(file)")
            if text.contains("EVP_PKEY_sign(") { signing += 1 }
        }
        #expect(signing == 1)
    }
}

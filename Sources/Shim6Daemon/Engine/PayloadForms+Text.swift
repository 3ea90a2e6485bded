import Shim6Wire

extension PayloadForms {
    /// Why payload for a peer that accepts these forms, none of which this host can send, stays with the ULIDs.
    static func obstacle(_ forms: PayloadForms) -> String {
        "the peer accepts \(forms.words), which this host's data path does not send"
    }

    private var words: String {
        let names: [(PayloadForms, String)] = [
            (.payloadHeader, "the payload extension header"),
            (.homeAddress, "routing header and Home Address option"),
        ]
        let words = names.filter { contains($0.0) }.map(\.1)
        return words.isEmpty ? "no rehomed payload" : "only " + words.joined(separator: " and ")
    }
}

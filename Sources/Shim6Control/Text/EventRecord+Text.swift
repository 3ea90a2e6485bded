import Shim6Wire

extension EventRecord {
    /// One line, without a newline.
    public var text: String {
        var words = ["\(at.time)", tag?.description ?? "-", kind.rawValue]
        if let interface { words.append(interface) }
        if let direction { words.append(direction) }
        if let pair { words.append(pair.text) }
        if let from, let to { words.append("\(from.text)  to  \(to.text)") }
        switch (fromState, toState) {
        case (nil, nil): break
        case (let from?, nil): words.append("\(from) ended")
        case (nil, let to?): words.append(to)
        case (let from?, let to?): words.append("\(from) to \(to)")
        }
        if let ulids, kind == .state { words.append("(\(ulids.local), \(ulids.peer))") }
        if let nonce { words.append("nonce " + hexadecimal(nonce)) }
        if let reports { words.append("matching reports \(reports)") }
        if let reason { words.append("reason: \(reason)") }
        if let locators { words.append("locators " + locators.map(\.description).joined(separator: " ")) }
        if let withdrawn, !withdrawn.isEmpty {
            words.append("withdrawn " + withdrawn.map(\.description).joined(separator: " "))
        }
        if let detail { words.append(detail) }
        return words.joined(separator: " ")
    }
}

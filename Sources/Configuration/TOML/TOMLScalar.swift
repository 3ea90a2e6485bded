/// The values of TOML that are one word: booleans, numbers, dates and times.
enum TOMLScalar {
    struct Problem: Error {
        /// To follow the word.
        var reason: String
    }

    static func read(_ word: String) -> Result<Value, Problem> {
        switch word {
        case "true": return .success(.flag(true))
        case "false": return .success(.flag(false))
        case "inf", "+inf": return .success(.number(.infinity))
        case "-inf": return .success(.number(-.infinity))
        case "nan", "+nan", "-nan": return .success(.number(.nan))
        case _: break
        }
        if isTime(word) { return .success(.time) }
        guard let first = word.utf8.first, "+-0123456789".utf8.contains(first) else {
            return .failure(Problem(reason: "is no value: a string has quotes"))
        }
        return number(word)
    }

    // MARK: Numbers

    private static func number(_ word: String) -> Result<Value, Problem> {
        for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where word.hasPrefix(prefix) {
            let digits = word.dropFirst(2).utf8
            guard let plain = withoutUnderscores(digits, radix: radix), !plain.isEmpty,
                plain.utf8.allSatisfy({ isDigit($0, radix: radix) })
            else { return .failure(Problem(reason: "is no number")) }
            return Int(plain, radix: radix).map { .success(.integer($0)) } ?? .failure(Problem(reason: "is too large"))
        }
        guard let plain = withoutUnderscores(word.utf8, radix: 10), let shape = Shape(plain) else {
            return .failure(Problem(reason: "is no number"))
        }
        if shape.isInteger {
            return Int(plain).map { .success(.integer($0)) } ?? .failure(Problem(reason: "is too large"))
        }
        return Double(plain).map { .success(.number($0)) } ?? .failure(Problem(reason: "is no number"))
    }

    /// Nil if one does not stand between two digits.
    private static func withoutUnderscores(_ word: some Sequence<UInt8>, radix: Int) -> String? {
        var octets: [UInt8] = []
        var isAfterDigit = false
        var isOpen = false
        for octet in word {
            let isDigit = isDigit(octet, radix: radix)
            if octet == UInt8(ascii: "_") {
                guard isAfterDigit else { return nil }
                isOpen = true
            } else {
                guard !isOpen || isDigit else { return nil }
                isOpen = false
                octets.append(octet)
            }
            isAfterDigit = isDigit
        }
        return isOpen ? nil : String(decoding: octets, as: UTF8.self)
    }

    private static func isDigit(_ octet: UInt8, radix: Int) -> Bool {
        Character(Unicode.Scalar(octet)).hexDigitValue.map { $0 < radix } ?? false
    }

    /// The parts of a decimal number, as TOML allows them.
    private struct Shape {
        var isInteger = true

        init?(_ word: String) {
            var rest = Substring(word)
            if rest.first == "+" || rest.first == "-" { rest.removeFirst() }
            guard let whole = Shape.digits(&rest), whole.count == 1 || whole.first != "0" else { return nil }
            if rest.first == "." {
                rest.removeFirst()
                guard Shape.digits(&rest) != nil else { return nil }
                isInteger = false
            }
            if rest.first == "e" || rest.first == "E" {
                rest.removeFirst()
                if rest.first == "+" || rest.first == "-" { rest.removeFirst() }
                guard Shape.digits(&rest) != nil else { return nil }
                isInteger = false
            }
            guard rest.isEmpty else { return nil }
        }

        private static func digits(_ text: inout Substring) -> Substring? {
            let digits = text.prefix { $0.isASCII && $0.isNumber }
            text = text[digits.endIndex...]
            return digits.isEmpty ? nil : digits
        }
    }

    // MARK: Dates and times

    /// Whether it has the form of a date, a time or both. No key takes one: which day it is needs no look.
    static func isTime(_ word: String) -> Bool {
        var form = word.utf8.map { (0x30...0x39).contains($0) ? UInt8(ascii: "0") : $0 }[...]
        let hasDate = drop("0000-00-00", from: &form)
        if hasDate {
            if form.isEmpty { return true }
            guard let separator = form.popFirst(), "Tt ".utf8.contains(separator) else { return false }
        }
        guard drop("00:00:00", from: &form) else { return false }
        if drop(".0", from: &form) { form = form.drop { $0 == UInt8(ascii: "0") } }
        guard hasDate, !form.isEmpty else { return form.isEmpty }
        if drop("Z", from: &form) || drop("z", from: &form) { return form.isEmpty }
        return (drop("+00:00", from: &form) || drop("-00:00", from: &form)) && form.isEmpty
    }

    private static func drop(_ form: String, from rest: inout ArraySlice<UInt8>) -> Bool {
        guard rest.starts(with: form.utf8) else { return false }
        rest = rest.dropFirst(form.utf8.count)
        return true
    }
}

import Shim6Wire

extension Form {
    private static func refuse(_ value: Value, expected: String) -> ValueProblem {
        ValueProblem(message: "must be \(expected), not \(value.kind)")
    }

    fileprivate static func plainText(_ value: Value, expected: String) throws(ValueProblem) -> String {
        guard case .text(let text) = value else { throw refuse(value, expected: expected) }
        return text
    }

    fileprivate static func plainNumber(_ value: Value, expected: String) throws(ValueProblem) -> Double {
        switch value {
        case .integer(let integer): return Double(integer)
        case .number(let number): return number
        case .text, .flag, .time, .list, .table: throw refuse(value, expected: expected)
        }
    }

    fileprivate static func plainInteger(_ value: Value, expected: String) throws(ValueProblem) -> Int {
        guard case .integer(let integer) = value else { throw refuse(value, expected: expected) }
        return integer
    }
}

extension Form<Bool> {
    static var flag: Form {
        Form { (value) throws(ValueProblem) in
            guard case .flag(let flag) = value else { throw refuse(value, expected: "true or false") }
            return flag
        } write: {
            String($0)
        }
    }
}

extension Form<Int> {
    static func integer(_ range: ClosedRange<Int>) -> Form {
        let expected = "an integer from \(range.lowerBound) to \(range.upperBound)"
        return Form { (value) throws(ValueProblem) in
            let integer = try plainInteger(value, expected: expected)
            guard range.contains(integer) else { throw ValueProblem(message: "must be \(expected), not \(integer)") }
            return integer
        } write: {
            String($0)
        }
    }
}

extension Form<UInt16> {
    /// The mode of a file, in octal.
    static func mode(_ range: ClosedRange<Int>) -> Form {
        let octal: @Sendable (Int) -> String = { "0o\(String($0, radix: 8))" }
        let expected = "a mode from \(octal(range.lowerBound)) to \(octal(range.upperBound))"
        return Form { (value) throws(ValueProblem) in
            let mode = try plainInteger(value, expected: expected)
            guard range.contains(mode), let mode = UInt16(exactly: mode) else {
                throw ValueProblem(message: "must be \(expected), not \(mode < 0 ? String(mode) : octal(mode))")
            }
            return mode
        } write: {
            "0o\(String($0, radix: 8))"
        }
    }
}

extension Form<Double> {
    static func number(_ range: ClosedRange<Double>) -> Form {
        let expected = "a number from \(decimal(range.lowerBound)) to \(decimal(range.upperBound))"
        return Form { (value) throws(ValueProblem) in
            let number = try plainNumber(value, expected: expected)
            guard range.contains(number) else {
                throw ValueProblem(message: "must be \(expected), not \(decimal(number))")
            }
            return number
        } write: {
            decimal($0)
        }
    }
}

extension Form<Duration> {
    /// Decimal seconds, kept to the nanosecond.
    static func seconds(_ range: ClosedRange<Double>) -> Form {
        let number = Form<Double>.number(range)
        return Form { (value) throws(ValueProblem) in
            if case .integer(let seconds) = value, range.contains(Double(seconds)) { return .seconds(seconds) }
            return .nanoseconds(Int64((try number.read(value) * 1e9).rounded()))
        } write: {
            $0.text
        }
    }

    static func seconds(_ range: ClosedRange<Duration>) -> Form {
        seconds(range.lowerBound.seconds...range.upperBound.seconds)
    }

    /// For what the kernel counts in whole seconds.
    static func wholeSeconds(_ range: ClosedRange<Int>) -> Form {
        let integer = Form<Int>.integer(range)
        return Form { (value) throws(ValueProblem) in
            .seconds(try integer.read(value))
        } write: {
            String($0.components.seconds)
        }
    }
}

extension Form<String> {
    /// An absolute path.
    static var path: Form {
        Form { (value) throws(ValueProblem) in
            let path = try plainText(value, expected: "a path")
            guard path.hasPrefix("/"), path.utf8.count < 4096 else {
                throw ValueProblem(message: "must be an absolute path, not \(quoted(path))")
            }
            guard path == path.printable else {
                throw ValueProblem(message: "must not have control characters: \(quoted(path))")
            }
            return path
        } write: {
            quoted($0)
        }
    }

    /// A path that fits into the address of a Unix socket.
    static var socketPath: Form {
        Form { (value) throws(ValueProblem) in
            let path = try Form.path.read(value)
            guard path.utf8.count <= 107 else { throw ValueProblem(message: "must not be longer than 107 octets") }
            return path
        } write: {
            quoted($0)
        }
    }

    static func name(_ expected: String) -> Form {
        Form { (value) throws(ValueProblem) in
            let name = try plainText(value, expected: expected)
            guard !name.isEmpty, !name.utf8.contains(where: { $0 <= 0x20 || $0 == UInt8(ascii: ":") }) else {
                throw ValueProblem(message: "must be the name of \(expected), not \(quoted(name))")
            }
            return name
        } write: {
            quoted($0)
        }
    }

    /// The name of an interface, as the kernel allows it.
    static var interface: Form {
        Form { (value) throws(ValueProblem) in
            let name = try plainText(value, expected: "the name of an interface")
            let forbidden: (UInt8) -> Bool = { $0 <= 0x20 || $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: ":") }
            guard (1...15).contains(name.utf8.count), name != ".", name != "..", !name.utf8.contains(where: forbidden)
            else { throw ValueProblem(message: "must be the name of an interface, not \(quoted(name))") }
            guard name != "lo" else { throw ValueProblem(message: "must not be the loopback interface") }
            return name
        } write: {
            quoted($0)
        }
    }
}

extension Form {
    /// The empty string stands for nil.
    static func optional<Wrapped>(_ form: Form<Wrapped>) -> Form where Member == Wrapped? {
        Form { (value) throws(ValueProblem) in
            if case .text("") = value { return nil }
            return try form.read(value)
        } write: {
            $0.map(form.write) ?? quoted("")
        }
    }

    static func list<Element>(of form: Form<Element>) -> Form where Member == [Element] {
        Form { (value) throws(ValueProblem) in
            guard case .list(let nodes) = value else { throw refuse(value, expected: "a list") }
            var elements: [Element] = []
            for (index, node) in nodes.enumerated() {
                do throws(ValueProblem) {
                    elements.append(try form.read(node.value))
                } catch {
                    throw ValueProblem(path: [String(index)] + error.path, message: error.message)
                }
            }
            return elements
        } write: {
            "[" + $0.map(form.write).joined(separator: ", ") + "]"
        }
    }
}

extension Form where Member: RawRepresentable<String> & CaseIterable & SendableMetatype {
    /// One of the cases by its raw value.
    static func choice(_ noun: String) -> Form {
        let known = Member.allCases.map { quoted($0.rawValue) }.joined(separator: ", ")
        return Form { (value) throws(ValueProblem) in
            let text = try plainText(value, expected: "a \(noun)")
            guard let member = Member(rawValue: text) else {
                throw ValueProblem(message: "must be one of \(known): there is no \(noun) \(quoted(text))")
            }
            return member
        } write: {
            quoted($0.rawValue)
        }
    }
}

extension Form<Configuration.Uplink.Gateway> {
    static var gateway: Form {
        let expected = "an IPv6 address or \"auto\""
        return Form { (value) throws(ValueProblem) in
            let text = try plainText(value, expected: expected)
            if text == "auto" { return .automatic }
            guard let address = IPv6Address(text), !address.isMulticast, !address.isUnspecified, !address.isLoopback
            else {
                throw ValueProblem(message: "must be \(expected), not \(quoted(text))")
            }
            return .address(address)
        } write: {
            switch $0 {
            case .automatic: quoted("auto")
            case .address(let address): quoted(address.description)
            }
        }
    }
}

extension Form<IPv6Address> {
    /// One that a host can have, and be reached at from another link.
    static var unicastAddress: Form {
        let expected = "a global unicast address"
        return Form { (value) throws(ValueProblem) in
            let text = try plainText(value, expected: expected)
            guard let address = IPv6Address(text), address.high != 0, !address.isMulticast, !address.isLinkLocal else {
                throw ValueProblem(message: "must be \(expected), not \(quoted(text))")
            }
            return address
        } write: {
            quoted($0.description)
        }
    }
}

extension Form<Configuration.Identity.Preference> {
    static var preference: Form {
        let expected = "\"proven\", true or false"
        return Form { (value) throws(ValueProblem) in
            switch value {
            case .text("proven"): return .proven
            case .flag(let flag): return flag ? .always : .never
            case .text(let text): throw ValueProblem(message: "must be \(expected), not \(quoted(text))")
            case .integer, .number, .time, .list, .table: throw refuse(value, expected: expected)
            }
        } write: {
            switch $0 {
            case .proven: quoted("proven")
            case .always: "true"
            case .never: "false"
            }
        }
    }
}

extension Form<IPv6Prefix> {
    static var prefix: Form {
        let expected = "a prefix such as \"2001:db8:a1::/64\""
        return Form { (value) throws(ValueProblem) in
            let text = try plainText(value, expected: expected)
            guard let prefix = IPv6Prefix(text) else {
                throw ValueProblem(message: "must be \(expected), not \(quoted(text))")
            }
            guard prefix.length == 64 else { throw ValueProblem(message: "must be 64 bits long, not \(quoted(text))") }
            guard prefix.address.high != 0, !prefix.address.isMulticast, !prefix.address.isLinkLocal else {
                throw ValueProblem(message: "must be a prefix of global unicast addresses, not \(quoted(text))")
            }
            return prefix
        } write: {
            quoted($0.description)
        }
    }
}

extension Form<Configuration.Endpoint> {
    static var endpoint: Form {
        let expected = "an address and a port such as \"[::1]:50000\""
        return Form { (value) throws(ValueProblem) in
            let text = try plainText(value, expected: expected)
            let parts = text.split(separator: "]:", omittingEmptySubsequences: false)
            guard parts.count == 2, parts[0].hasPrefix("["), let address = IPv6Address(String(parts[0].dropFirst())),
                let port = UInt16(parts[1]), port > 0
            else { throw ValueProblem(message: "must be \(expected), not \(quoted(text))") }
            return Configuration.Endpoint(address: address, port: port)
        } write: {
            quoted($0.description)
        }
    }
}

extension Duration {
    /// Decimal seconds, as they stand in the file.
    var text: String { decimal(seconds) }
    fileprivate var seconds: Double { Double(nanoseconds) / 1e9 }
}

/// A number as people write it: without a fraction when it has none.
private func decimal(_ number: Double) -> String {
    number.magnitude < 1e15 && number == number.rounded() ? String(Int(number)) : String(number)
}

/// A basic string of TOML.
private func quoted(_ text: String) -> String {
    var literal = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": literal += "\\\""
        case "\\": literal += "\\\\"
        case "\n": literal += "\\n"
        case "\t": literal += "\\t"
        case "\u{0}"..."\u{1F}", "\u{7F}":
            let code = String(scalar.value, radix: 16)
            literal += "\\u" + String(repeating: "0", count: 4 - code.count) + code
        case _: literal.unicodeScalars.append(scalar)
        }
    }
    return literal + "\""
}

import TOMLKit

/// A value of a TOML document.
indirect enum Value {
    case text(String)
    case integer(Int)
    case number(Double)
    case flag(Bool)
    /// Dates and times, which no key takes.
    case time
    case list([Value])
    case table([String: Value])

    init(_ source: some TOMLValueConvertible) {
        let value = source.tomlValue
        self =
            if let text = value.string {
                .text(text)
            } else if let integer = value.int {
                .integer(integer)
            } else if let number = value.double {
                .number(number)
            } else if let flag = value.bool {
                .flag(flag)
            } else if let array = value.array {
                .list(array.map { Value($0.tomlValue) })
            } else if let table = value.table {
                .table(Dictionary(uniqueKeysWithValues: table.map { ($0.0, Value($0.1.tomlValue)) }))
            } else {
                .time
            }
    }

    /// What it is, for messages.
    var kind: String {
        switch self {
        case .text: "a string"
        case .integer: "an integer"
        case .number: "a decimal number"
        case .flag: "a boolean"
        case .time: "a date or time"
        case .list: "a list"
        case .table: "a table"
        }
    }
}

/// The name of a case as it stands in the control protocol.
package func snakeCase(_ name: String) -> String {
    name.map { $0.isUppercase ? "_\($0.lowercased())" : $0 == "-" ? "_" : String($0) }.joined()
}

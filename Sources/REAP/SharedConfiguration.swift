/// A configuration that contexts share, since most of them have the same.
final class SharedConfiguration: Sendable {
    let value: REAPConfiguration

    init(_ value: REAPConfiguration) { self.value = value }
}

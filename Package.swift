// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [.enableUpcomingFeature("ExistentialAny"), .treatAllWarnings(as: .error)]

let package = Package(
    name: "shim6d",
    // A target or product stands in comments until its folder has sources.
    products: [
        // .executable(name: "shim6d", targets: ["Shim6d"]),
        // .executable(name: "shim6ctl", targets: ["shim6ctl"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
    ],
    targets: [
        // Protocol: no I/O, no clock, no randomness.
        .target(name: "Shim6Wire", swiftSettings: strict),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .target(name: "CGA", dependencies: ["Shim6Wire", "COpenSSL"], swiftSettings: strict),
        .target(name: "REAP", dependencies: ["Shim6Wire"], swiftSettings: strict),
        // .target(name: "Shim6Core", dependencies: ["Shim6Wire", "CGA", "REAP"], swiftSettings: strict),
        // Tests.
        .target(name: "Requirements", path: "Tests/Requirements", swiftSettings: strict),
        .testTarget(name: "Shim6WireTests", dependencies: ["Shim6Wire", "Requirements"], swiftSettings: strict),
    ]
)

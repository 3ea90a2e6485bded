// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [.enableUpcomingFeature("ExistentialAny"), .treatAllWarnings(as: .error)]
let strictC: [CSetting] = [.enableWarning("all"), .enableWarning("extra"), .treatAllWarnings(as: .error)]

let package = Package(
    name: "shim6d",
    products: [
        .executable(name: "shim6d", targets: ["Shim6d"]),
        .executable(name: "shim6ctl", targets: ["shim6ctl"]),
        .executable(name: "shim6lab", targets: ["shim6lab"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    ],
    targets: [
        // Protocol: no I/O, no clock, no randomness.
        .target(name: "Shim6Wire", swiftSettings: strict),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .target(name: "CModifierSearch", cSettings: strictC),
        .target(name: "CGA", dependencies: ["Shim6Wire", "CModifierSearch", "COpenSSL"], swiftSettings: strict),
        .target(name: "Locators", dependencies: ["Shim6Wire"], swiftSettings: strict),
        .target(name: "REAP", dependencies: ["Locators", "Shim6Wire"], swiftSettings: strict),
        .target(name: "Shim6Core", dependencies: ["Shim6Wire", "CGA", "Locators", "REAP"], swiftSettings: strict),
        // The kernel: C with flat structs, and thin Swift values over it.
        .systemLibrary(
            name: "CLibNL", pkgConfig: "libnl-xfrm-3.0",
            providers: [.apt(["libnl-3-dev", "libnl-route-3-dev", "libnl-xfrm-3-dev", "libmnl-dev"])]),
        .target(
            name: "CNetlink", dependencies: ["CLibNL"], cSettings: strictC,
            linkerSettings: ["nl-3", "nl-route-3", "mnl"].map { .linkedLibrary($0) }),
        .target(name: "Netlink", dependencies: ["CNetlink", "Shim6Wire"], swiftSettings: strict),
        .target(
            name: "CDataPath", dependencies: ["CNetlink"], exclude: ["bpf"], cSettings: strictC,
            linkerSettings: [.linkedLibrary("bpf")]),
        .plugin(name: "EmbedProgram", capability: .buildTool()),
        .target(name: "EmbeddedProgram", swiftSettings: strict, plugins: ["EmbedProgram"]),
        // What carries payload: the port, and the adapters behind it.
        .target(name: "DataPath", dependencies: ["REAP", "Shim6Core", "Shim6Wire"], swiftSettings: strict),
        .target(
            name: "KernelRows",
            dependencies: ["Netlink", "REAP", "Shim6Wire", .product(name: "Logging", package: "swift-log")],
            swiftSettings: strict),
        .target(
            name: "BPFDataPath",
            dependencies: [
                "CDataPath", "DataPath", "EmbeddedProgram", "KernelRows", "Netlink", "REAP", "Shim6Core", "Shim6Wire",
                .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: strict),
        .target(
            name: "XFRMDataPath",
            dependencies: [
                "DataPath", "KernelRows", "Netlink", "REAP", "Shim6Core", "Shim6Wire",
                .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: strict),
        // What people and programs see of the daemon.
        .target(
            name: "Configuration", dependencies: ["CGA", "REAP", "Shim6Core", "Shim6Wire"], swiftSettings: strict),
        .target(name: "Shim6Control", dependencies: ["REAP", "Shim6Wire"], swiftSettings: strict),
        .target(
            name: "Shim6Console",
            dependencies: [
                "CLinux", "Configuration", "Netlink", "Shim6Control", "Shim6Wire",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ], swiftSettings: strict),
        .target(
            name: "Doctor",
            dependencies: ["BPFDataPath", "CLinux", "Configuration", "Netlink", "Shim6Wire", "XFRMDataPath"],
            swiftSettings: strict),
        .executableTarget(
            name: "shim6ctl",
            dependencies: [
                "CGA", "Doctor", "Shim6Control", "Shim6Wire",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], swiftSettings: strict),
        // The daemon.
        .systemLibrary(name: "CLinux"),
        .executableTarget(name: "Shim6d", dependencies: ["Shim6Daemon"], swiftSettings: strict),
        .target(
            name: "Shim6Daemon",
            dependencies: [
                "BPFDataPath", "CGA", "CLinux", "Configuration", "DataPath", "KernelRows", "Locators", "Netlink",
                "REAP",
                "Shim6Console", "Shim6Control", "Shim6Core", "Shim6Wire", "XFRMDataPath",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "HeapModule", package: "swift-collections"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict),
        // Tools.
        .target(name: "CAllocations", path: "Tools/CAllocations", cSettings: strictC),
        .executableTarget(
            name: "shim6bench",
            dependencies: [
                "CAllocations", "CGA", "COpenSSL", "REAP", "Shim6Core", "Shim6Wire",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], path: "Tools/shim6bench", swiftSettings: strict),
        // Tests.
        .target(
            name: "Requirements", path: "Tests/Requirements",
            exclude: ["Catalogue", "exceptions.tsv"], swiftSettings: strict),
        // Makes docs/conformance.md of the catalogue and the tests.
        .executableTarget(name: "conformance", path: "Tools/conformance", swiftSettings: strict),
        // Who uses whom, by the compiler's index.
        .target(
            name: "CIndexStore", path: "Tools/CIndexStore", cSettings: strictC, linkerSettings: [.linkedLibrary("dl")]),
        .executableTarget(name: "graph", dependencies: ["CIndexStore"], path: "Tools/graph", swiftSettings: strict),
        .target(name: "CNamespace", path: "Tests/CNamespace", cSettings: strictC),
        .testTarget(
            name: "CNetlinkTests",
            dependencies: ["CNamespace", "CNetlink", "KernelRows", "Netlink", "REAP", "Requirements", "Shim6Wire"],
            swiftSettings: strict),
        // The laboratory: hosts in network namespaces, for the demo and the tests that use real daemons.
        .target(name: "Lab", dependencies: ["Shim6Wire", "Shim6Control"], path: "Tools/Lab", swiftSettings: strict),
        .executableTarget(
            name: "shim6lab",
            dependencies: [
                "Lab", "Netlink", "REAP", "Shim6Control", "Shim6Core", "Shim6Wire", "Steering", "XFRMDataPath",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Tools/shim6lab", swiftSettings: strict),
        .testTarget(
            name: "HostTests",
            dependencies: [
                "CTestKernel", "BPFDataPath", "Lab", "Requirements", "Shim6Control", "Shim6Wire", "Steering",
            ],
            swiftSettings: strict),
        .testTarget(name: "GuestTests", dependencies: ["Lab"], swiftSettings: strict),
        .target(
            name: "Vectors", path: "Tests/Vectors", exclude: ["packets.json", "vectors.json"], swiftSettings: strict),
        .target(
            name: "SpecialAddresses", dependencies: ["Shim6Wire"], path: "Tests/SpecialAddresses",
            swiftSettings: strict),
        .testTarget(
            name: "LocatorsTests", dependencies: ["Locators", "Requirements", "Shim6Wire", "SpecialAddresses"],
            swiftSettings: strict),
        .testTarget(
            name: "Shim6WireTests", dependencies: ["Shim6Wire", "Requirements", "Vectors"], swiftSettings: strict),
        .testTarget(
            name: "Shim6CoreTests", dependencies: ["Shim6Core", "CGA", "REAP", "Shim6Wire", "Requirements", "Stamps"],
            swiftSettings: strict),
        .testTarget(
            name: "Shim6DaemonTests",
            dependencies: [
                "BPFDataPath", "CGA", "CNetlink", "Configuration", "DataPath", "KernelRows", "Netlink", "REAP",
                "Requirements", "Shim6Control", "Shim6Core", "Shim6Daemon", "Shim6Wire", "shim6ctl",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "REAPTests", dependencies: ["REAP", "Shim6Wire", "Requirements", "Stamps"], swiftSettings: strict),
        .target(
            name: "Stamps", dependencies: ["REAP", "Shim6Wire"], path: "Tests/Stamps", swiftSettings: strict),
        // Whole hosts on a simulated network.
        .target(
            name: "Simulation",
            dependencies: [
                "CGA", "REAP", "Shim6Core", "Shim6Wire", "Stamps", "Vectors",
                .product(name: "HeapModule", package: "swift-collections"),
            ],
            path: "Tools/Simulation", swiftSettings: strict),
        .executableTarget(
            name: "shim6sim",
            dependencies: ["Simulation", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            path: "Tools/shim6sim", swiftSettings: strict),
        .testTarget(
            name: "SimulationTests",
            dependencies: ["CGA", "REAP", "Requirements", "Shim6Core", "Shim6Wire", "Simulation"],
            swiftSettings: strict),
        .testTarget(
            name: "CGATests", dependencies: ["CGA", "COpenSSL", "Requirements", "Vectors"], swiftSettings: strict),
        .target(
            name: "ControlFixtures", dependencies: ["Shim6Control", "Shim6Wire"], path: "Tests/ControlFixtures",
            swiftSettings: strict),
        // Readers of what others have written, and inputs for them.
        .target(
            name: "CNetlinkFuzz", dependencies: ["CNetlink"], path: "Tools/CNetlinkFuzz",
            cSettings: strictC + [.headerSearchPath("../../Sources/CNetlink")]),
        .target(
            name: "Fuzzing", dependencies: ["CNetlinkFuzz", "Configuration", "Shim6Control"], path: "Tools/Fuzzing",
            swiftSettings: strict),
        .executableTarget(
            name: "shim6fuzz",
            dependencies: ["Fuzzing", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            path: "Tools/shim6fuzz", swiftSettings: strict),
        .testTarget(
            name: "Shim6ControlTests", dependencies: ["Shim6Control", "Shim6Wire", "ControlFixtures", "Fuzzing"],
            swiftSettings: strict),
        .testTarget(
            name: "ConsoleTests",
            dependencies: [
                "CGA", "Configuration", "ControlFixtures", "Requirements", "Shim6Console", "Shim6Control", "Vectors",
                "shim6ctl", .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
            ], swiftSettings: strict),
        .testTarget(
            name: "DoctorTests", dependencies: ["Configuration", "Doctor", "Netlink", "Shim6Wire"],
            swiftSettings: strict),
        .testTarget(
            name: "ConfigurationTests", dependencies: ["Configuration", "REAP", "Requirements", "Shim6Wire"],
            swiftSettings: strict),
        .target(
            name: "CTestKernel", path: "Tests/CTestKernel", cSettings: strictC,
            linkerSettings: [.linkedLibrary("bpf")]),
        .testTarget(
            name: "BPFDataPathTests",
            dependencies: [
                "BPFDataPath", "CDataPath", "CTestKernel", "DataPath", "KernelRows", "Lab", "Netlink", "REAP",
                "Requirements", "Shim6Core", "Shim6Wire", "SpecialAddresses",
                .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: strict),
        .testTarget(
            name: "DataPathTests", dependencies: ["DataPath", "REAP", "Shim6Core", "Shim6Wire"],
            swiftSettings: strict),
        .target(
            name: "Steering",
            dependencies: [
                "BPFDataPath", "CTestKernel", "DataPath", "KernelRows", "Lab", "Netlink", "REAP", "Shim6Core",
                "Shim6Wire",
                "XFRMDataPath", .product(name: "Logging", package: "swift-log"),
            ],
            path: "Tools/Steering", swiftSettings: strict),
        .executableTarget(
            name: "bench-handshakes", dependencies: ["Lab", "Shim6Control", "Shim6Wire"],
            path: "Tools/bench-handshakes", swiftSettings: strict),
        .executableTarget(
            name: "bench-throughput", dependencies: ["Lab", "Shim6Control", "Shim6Wire"],
            path: "Tools/bench-throughput", swiftSettings: strict),
    ]
)

// SHIM6_TARGETS=REAPTests,CGATests leaves only these targets and what they need, so that a try builds nothing else.
// Scripts/part.sh makes a tree of its own for it. With SHIM6_OPTIMIZED=1 all but the tests themselves is optimized.
if let names = Context.environment["SHIM6_TARGETS"] {
    package.keep(names.split(separator: ",").map(String.init))
}
if Context.environment["SHIM6_OPTIMIZED"] == "1" {
    for target in package.targets where target.type == .regular || target.type == .executable {
        target.swiftSettings?.append(.unsafeFlags(["-O"]))
        target.cSettings?.append(.unsafeFlags(["-O2"]))
    }
}

extension Package {
    func keep(_ names: [String]) {
        var kept: Set<String> = []
        var packages: Set<String> = []
        var queue = names
        while let name = queue.popLast() {
            guard kept.insert(name).inserted else { continue }
            guard let target = targets.first(where: { $0.name == name }) else {
                fatalError("there is no target \(name)")
            }
            for dependency in target.dependencies {
                switch dependency {
                case .targetItem(let name, _), .byNameItem(let name, _): queue.append(name)
                case .productItem(_, let package, _, _): packages.insert(package ?? "")
                @unknown default: fatalError("a dependency of \(name) is of an unknown kind")
                }
            }
            for case .plugin(let name, _) in target.plugins ?? [] { queue.append(name) }
        }
        targets.removeAll { !kept.contains($0.name) }
        products = []
        dependencies.removeAll { dependency in
            guard case .sourceControl(_, let location, _) = dependency.kind else { return false }
            return !packages.contains { location.hasSuffix("/\($0)") }
        }
    }
}

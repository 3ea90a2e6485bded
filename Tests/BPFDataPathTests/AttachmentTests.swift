import BPFDataPath
import Glibc
import Lab
import Shim6Core
import Shim6Wire
import Testing

/// On interfaces that others use too: take a place, give it back, touch nothing else.
@Suite(.needsRoot) struct AttachmentTests {
    static func tc(_ arguments: String) throws -> String {
        try Program.run(["tc"] + arguments.split(separator: " ").map(String.init))
    }

    @Test func `Detaching leaves no filter and no qdisc of ours`() throws {
        try Bench.run { bench in
            try bench.program.attach(uplink: bench.uplink1)
            #expect(try Self.tc("filter show dev a1 egress").contains("shim6_out"))
            #expect(try Self.tc("filter show dev a1 ingress").contains("shim6_in"))
            #expect(try KernelProgram.detach(interface: bench.uplink1))
            #expect(try Self.tc("qdisc show dev a1").contains("clsact") == false)
            #expect(try KernelProgram.detach(interface: bench.uplink1) == false)
        }
    }

    @Test func `A qdisc that was there before us stays, with its filters`() throws {
        try Bench.run { bench in
            _ = try Self.tc("qdisc add dev a1 clsact")
            _ = try Self.tc("filter add dev a1 egress pref 7 protocol ipv6 u32 match u32 0 0 classid 1:1")
            try bench.program.attach(uplink: bench.uplink1)
            let foreign = try KernelProgram.foreignFilters(interface: bench.uplink1)
            #expect(foreign.count == 1)
            #expect(foreign.first?.priority == 7 && foreign.first?.ingress == false && foreign.first?.kind == "u32")
            #expect(try KernelProgram.detach(interface: bench.uplink1))
            let left = try Self.tc("filter show dev a1 egress")
            #expect(left.contains("u32") && !left.contains("shim6"))
            // Without filters it still is not ours.
            _ = try Self.tc("filter del dev a1 egress pref 7")
            try bench.program.attach(uplink: bench.uplink1)
            #expect(try KernelProgram.detach(interface: bench.uplink1))
            #expect(try Self.tc("qdisc show dev a1").contains("clsact"))
        }
    }

    @Test func `Our qdisc stays while somebody else's filter is on it`() throws {
        try Bench.run { bench in
            try bench.program.attach(uplink: bench.uplink1)
            _ = try Self.tc("filter add dev a1 ingress pref 500 protocol ipv6 u32 match u32 0 0 classid 1:1")
            #expect(try KernelProgram.foreignFilters(interface: bench.uplink1).isEmpty)
            #expect(try KernelProgram.detach(interface: bench.uplink1))
            #expect(try Self.tc("filter show dev a1 ingress").contains("u32"))
        }
    }

    @Test func `A run that crashed is cleaned up after by the next one`() throws {
        try Bench.run { bench in
            do {
                let crashed = try KernelProgram(sizes: .small)
                try crashed.attach(uplink: bench.uplink1)
            }
            #expect(try Self.tc("filter show dev a1 egress").contains("shim6_out"))
            // Taking over replaces what is there and still knows whose qdisc it is.
            try bench.program.attach(uplink: bench.uplink1)
            let filters = try Self.tc("filter show dev a1 egress").split(separator: "\n")
            #expect(filters.filter { $0.contains("shim6_out") }.count == 1)
            #expect(try KernelProgram.detach(interface: bench.uplink1))
            #expect(try Self.tc("qdisc show dev a1").contains("clsact") == false)
        }
    }

    @Test func `An interface that is not there or of an unknown kind is an error`() throws {
        try Bench.run { bench in
            let missing = #expect(throws: KernelProgramError.self) { try bench.program.attach(uplink: 9999) }
            #expect(missing?.code == ENODEV || missing?.code == ENXIO)
            #expect(throws: KernelProgramError.self) { try bench.program.set(locator: Bench.a1, uplink: 9999) }
        }
    }

    @Test func `Full tables and impossible sizes are errors`() throws {
        try Bench.run { bench in
            for number in 0..<14 {
                let address = try #require(IPv6Address("2001:db8:1::\(number)"))
                try bench.program.set(locator: address, uplink: nil)
            }
            let full = #expect(throws: KernelProgramError.self) {
                try bench.program.set(locator: Bench.b1, uplink: nil)
            }
            #expect(full?.code == E2BIG)
            var sizes = KernelProgram.Sizes.small
            sizes.contexts = 0
            let refused = #expect(throws: KernelProgramLoadError.self) { try KernelProgram(sizes: sizes) }
            #expect(refused?.detail.isEmpty == false)
        }
    }
}

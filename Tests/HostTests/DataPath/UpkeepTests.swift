import Foundation
import Lab
import Shim6Control
import Testing

extension HostTests {
    /// Others remove what the data path has made in the kernel.
    @Suite struct UpkeepTests {
        private func waitUntilMade(_ pair: Pair, again times: UInt64) throws {
            try pair.laboratory.wait(until: "the data path to be made again") {
                let status = try pair.a.status()
                return status.counters["data_path_renewed", default: 0] >= times && status.dataPath.state == .running
            }
        }

        @Test func `A session moves although somebody has removed the programs from every uplink`() throws {
            try withPair { pair in
                let echo = try pair.startSession()
                for device in ["a1", "a2"] { try pair.a.namespace.run("tc", "qdisc", "del", "dev", device, "clsact") }
                try waitUntilMade(pair, again: 2)
                try pair.laboratory.pass(seconds: 1)
                let begin = try pair.rehome()
                try pair.laboratory.pass(seconds: 1)
                #expect(try pair.straysOutsideFailure(echo.stop(), begin).isEmpty)
            }
        }

        @Test func `A session that has moved goes on although somebody has removed shim0`() throws {
            try withPair { pair in
                let echo = try pair.startSession()
                try pair.rehome()
                try pair.a.namespace.run("ip", "link", "del", "shim0")
                try waitUntilMade(pair, again: 1)
                let begin = Clock.now
                try pair.laboratory.pass(seconds: 2)
                #expect(try echo.stop().losses.filter { $0 > begin }.isEmpty)
            }
        }
    }
}

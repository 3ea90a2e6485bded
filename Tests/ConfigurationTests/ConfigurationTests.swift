import Configuration
import Foundation
import REAP
import Requirements
import Shim6Wire
import Testing

@Suite struct ConfigurationTests {
    private func problems(of text: String) throws -> [String] {
        try #require(throws: ConfigurationError.self) { try Configuration.parse(text, file: "x.toml") }.problems
    }

    @Test func `An empty file means the defaults, which are the RFCs'`() throws {
        let (configuration, warnings) = try Configuration.parse("", file: "x.toml")
        #expect(configuration == Configuration())
        #expect(warnings == ["x.toml:1: there is no [[uplink]]: no context can be made"])
        let timing = configuration.hostConfiguration
        #expect(timing.i1RetriesMax == 4 && timing.i1Timeout == .seconds(4))
        #expect(timing.noR1HolddownTime == .seconds(60) && timing.icmpHolddownTime == .seconds(600))
        #expect(timing.i2Timeout == .seconds(4) && timing.i2RetriesMax == 2)
        #expect(timing.i2bisTimeout == .seconds(4) && timing.i2bisRetriesMax == 2)
        #expect(timing.validatorMinLifetime == .seconds(30))
        #expect(timing.updateTimeout == .seconds(4) && timing.maxUpdateTimeout == .seconds(120))
    }

    @Test(.requirement("5534-7-01", "5534-7-02", "5534-7-03"))
    func `The defaults of REAP are those of RFC 5534`() throws {
        let reap = try Configuration.parse("[reap]", file: "x.toml").configuration.hostConfiguration.reap
        #expect(reap.sendTimeout == .seconds(15) && reap.failbackHold == nil && reap.quick == nil)
        #expect(reap.initialProbeTimeout == .milliseconds(500) && reap.initialProbes == 4)
        #expect(reap.maxProbeTimeout == .seconds(60))
    }

    @Test func `The fast profile has timers of its own, unless they are set`() throws {
        func reap(_ text: String) throws -> REAPConfiguration {
            try Configuration.parse("profile = \"fast\"\n[reap]\n\(text)", file: "x.toml").configuration
                .hostConfiguration.reap
        }
        let fast = try reap("")
        #expect(fast.sendTimeout == .milliseconds(250) && fast.failbackHold == .seconds(30))
        #expect(fast.quick == QuickDetection(leastSilence: .milliseconds(30), leastProbeGap: .milliseconds(10)))
        let set = try reap("send-timeout = 2\nfailback-hold = 0\nleast-silence = 0.05")
        #expect(set.sendTimeout == .seconds(2) && set.failbackHold == nil)
        #expect(set.quick?.leastSilence == .milliseconds(50))
    }

    @Test func `The printed defaults are a valid file that sets the defaults`() throws {
        let text = Configuration.defaultsText
        #expect(try Configuration.parse(text, file: "x.toml").configuration == Configuration())
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= 100 })
    }

    @Test func `The reference in the documentation is what the daemon prints`() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs/shim6d.toml")
        #expect(
            try String(contentsOf: file, encoding: .utf8) == Configuration.defaultsText,
            "make it anew: shim6d --print-defaults > docs/shim6d.toml")
    }

    @Test func `These are the keys`() {
        let words = Configuration.defaultsText.split(separator: "\n").map { $0.split(separator: " ") }
        let keys = words.map { $0.first == "#" ? $0.dropFirst() : $0[...] }.filter { $0.dropFirst().first == "=" }
        #expect(
            keys.compactMap(\.first).joined(separator: " ") == """
                profile manage-routes tunnel remove-addresses-on-exit interface gateway prefixes \
                advertised-prefixes exclude shared check key key-bits hba prefer sec directory private-key \
                parameters verify driver trigger-octets trigger-age i1-retries-max i1-timeout no-r1-holddown-time \
                icmp-holddown-time i2-timeout i2-retries-max i2bis-timeout i2bis-retries-max \
                validator-min-lifetime update-timeout max-update-timeout idle-timeout send-timeout \
                initial-probe-timeout initial-probes max-probe-timeout failback-hold least-silence least-probe-gap \
                max-contexts max-contexts-per-peer-prefix max-contexts-per-peer-site max-holddowns max-locators \
                max-verifications-per-second min-peer-key-bits max-peer-key-bits max-peer-keys max-proofs \
                max-refused-proofs max-answers-per-second max-context-answers-per-second max-unanswered-probes \
                max-amplification max-probes-per-second max-stranger-messages-per-second \
                max-stranger-messages-per-prefix max-peer-messages-per-second max-peer-messages-per-prefix \
                max-messages-per-pair max-messages-per-context max-unknown-tags-per-second max-kept-packets \
                max-failovers max-events max-control-clients max-console-clients socket mode group enabled listen \
                allow-remove idle-timeout level
                """)
    }

    /// Changes each value of the printed defaults in turn: then every key that is printed is really read.
    @Test func `Every printed key is read`() throws {
        let lines = Configuration.defaultsText.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let keys = lines.indices.filter { !lines[$0].hasPrefix("#") && lines[$0].contains(" = ") }
        #expect(keys.count > 40)
        for index in keys {
            var changed = lines
            let parts = lines[index].split(separator: " = ", maxSplits: 1).map(String.init)
            changed[index] = "\(parts[0]) = \(try other(than: parts[1], key: parts[0]))"
            let result = Result { () throws in try Configuration.parse(changed.joined(separator: "\n"), file: "x.toml")
            }
            switch result {
            case .success(let success): #expect(success.configuration != Configuration(), "\(parts[0]) has no effect")
            case .failure(let error as ConfigurationError):
                // Two keys need another key beside them: their own line is named.
                #expect(["private-key", "parameters"].contains(parts[0]), "\(parts[0]): \(error)")
                #expect(error.problems.allSatisfy { $0.hasPrefix("x.toml:\(index + 1): ") }, "\(error)")
            case .failure(let error): throw error
            }
        }
    }

    private func other(than value: String, key: String) throws -> String {
        switch (key, value) {
        case ("listen", _): "\"[2001:db8::1]:50001\""
        case ("level", _): "\"error\""
        case ("driver", _): "\"bpf\""
        case ("max-peer-key-bits", _): "2048"
        case ("mode", _): "0o600"
        case ("group", _): "\"shim6\""
        case ("prefer", _): "true"
        case ("profile", _): "\"fast\""
        case ("tunnel", _): "\"outside\""
        case ("send-timeout", _), ("failback-hold", _): "20.5"
        case (_, "true"): "false"
        case (_, "false"): "true"
        case (_, "[]"): "[\"/etc/x\"]"
        case (_, _) where value.hasPrefix("\""): "\"/other/path\""
        case (_, _): try #require(Int(value).map { String($0 + 1) } ?? Double(value).map { String($0 + 1) })
        }
    }

    @Test func `The example uplink in the printed defaults is valid once its comment signs are gone`() throws {
        let lines = Configuration.defaultsText.split(separator: "\n").map(String.init)
        let start = try #require(lines.firstIndex(of: "# [[uplink]]"))
        let end = try #require(lines[start...].firstIndex { !$0.hasPrefix("#") || $0.hasPrefix("# The key pair") })
        let example = lines[start..<end].map { String($0.dropFirst($0.hasPrefix("# ") ? 2 : 1)) }
        let uplinks = try Configuration.parse(example.joined(separator: "\n"), file: "x.toml").configuration.uplinks
        #expect(uplinks.map(\.interface) == ["eth0"])
        #expect(uplinks.first?.gateway == .automatic)
    }

    @Test(arguments: [
        ("prefer = \"proven\"", Configuration.Identity.Preference.proven), ("prefer = true", .always),
        ("prefer = false", .never), ("", .proven),
    ])
    func `Preference is a word or a choice`(line: String, preference: Configuration.Identity.Preference) throws {
        #expect(
            try Configuration.parse("[identity]\n\(line)", file: "x.toml").configuration.identity.prefer == preference)
    }

    @Test func `Addresses of an uplink are read`() throws {
        let text = """
            [[uplink]]
            interface = "a1"
            shared = ["2001:db8:a1::f"]
            check = ["2001:db8:b1::1", "2001:db8:b2::1"]
            """
        let uplink = try Configuration.parse(text, file: "x.toml").configuration.uplinks[0]
        #expect(uplink.shared.map(\.description) == ["2001:db8:a1::f"])
        #expect(uplink.checks.map(\.description) == ["2001:db8:b1::1", "2001:db8:b2::1"])
    }

    @Test func `A full file is read`() throws {
        let (configuration, warnings) = try Configuration.parse(
            """
            manage-routes = false
            tunnel = "outside"
            [[uplink]]
            interface = "a1"
            gateway = "2001:db8:a1::1"
            prefixes = [
              "2001:db8:a1::/64", # the first
              "2001:db8:a3::/64",
            ]
            [[uplink]]
            interface = "a2"
            prefixes = ["2001:db8:a2::/64"]
            [identity]
            private-key = "/etc/shim6d/own.pem"
            parameters = ["/etc/shim6d/a1.cga"]
            [reap]
            send-timeout = 1
            initial-probe-timeout = 0.25
            [control]
            group = "shim6"
            mode = 0o600
            [console]
            listen = "[2001:db8::7]:23"
            """, file: "x.toml")
        #expect(!configuration.manageRoutes && configuration.tunnel == .outside)
        #expect(configuration.uplinks.map(\.interface) == ["a1", "a2"])
        #expect(configuration.uplinks[0].gateway == .address(try #require(IPv6Address("2001:db8:a1::1"))))
        #expect(configuration.uplinks[0].prefixes.map(\.description) == ["2001:db8:a1::/64", "2001:db8:a3::/64"])
        #expect(configuration.identity.privateKey == "/etc/shim6d/own.pem")
        #expect(configuration.identity.parameters == ["/etc/shim6d/a1.cga"])
        #expect(configuration.reachability.sendTimeout == .seconds(1))
        #expect(configuration.host.reap.initialProbeTimeout == .milliseconds(250))
        #expect(configuration.control.group == "shim6" && configuration.control.mode == 0o600)
        #expect(configuration.console.listen.description == "[2001:db8::7]:23")
        #expect(
            warnings == [
                "x.toml:17: send-timeout is below the 10 s that RFC 5534, section 7, recommends",
                "x.toml:23: the console has no authentication and listens beyond [::1]",
            ])
    }

    @Test(arguments: [
        (
            "\n\n[reap]\nsend-timout = 1",
            "x.toml:4: unknown key \"send-timout\" in [reap]; did you mean \"send-timeout\"?"
        ),
        (
            "manage-route = true",
            "x.toml:1: unknown key \"manage-route\" at the top level; did you mean \"manage-routes\"?"
        ),
        ("[protcol]\ni1-timeout = 1", "x.toml:1: unknown key \"protcol\" at the top level; did you mean \"protocol\"?"),
        (
            "[[uplink]]\ninterface = \"a\"\ngatway = \"auto\"",
            "x.toml:3: unknown key \"gatway\" in [[uplink]]; did you mean \"gateway\"?"
        ),
        ("[console]\nunrelated = 1", "x.toml:2: unknown key \"unrelated\" in [console]"),
        (
            "reap = { snd-timeout = 2 }",
            "x.toml:1: unknown key \"snd-timeout\" in [reap]; did you mean \"send-timeout\"?"
        ),
        (
            "# one\nreap.\"send-timeuot\" = 15",
            "x.toml:2: unknown key \"send-timeuot\" in [reap]; did you mean \"send-timeout\"?"
        ),
    ])
    func `An unknown key is named with its line and the nearest known key`(text: String, problem: String) throws {
        #expect(try problems(of: text) == [problem])
    }

    @Test(arguments: [
        ("[reap]\nsend-timeout = \"1\"", "2: send-timeout must be a number from 0.02 to 65535, not a string"),
        ("[reap]\nsend-timeout = 0.01", "2: send-timeout must be a number from 0.02 to 65535, not 0.01"),
        ("[reap]\nsend-timeout = nan", "2: send-timeout must be a number from 0.02 to 65535, not nan"),
        ("[reap]\nsend-timeout = inf", "2: send-timeout must be a number from 0.02 to 65535, not inf"),
        ("[reap]\ninitial-probes = 4.0", "2: initial-probes must be an integer from 1 to 100, not a decimal number"),
        ("[reap]\ninitial-probes = 0", "2: initial-probes must be an integer from 1 to 100, not 0"),
        (
            "[protocol]\nidle-timeout = 0.5",
            "2: idle-timeout must be an integer from 1 to 604800, not a decimal number"
        ),
        ("manage-routes = 1", "1: manage-routes must be true or false, not an integer"),
        (
            "tunnel = \"beside\"",
            "1: tunnel must be one of \"inside\", \"outside\": there is no use of a tunnel \"beside\""
        ),
        ("manage-routes = 1979-05-27", "1: manage-routes must be true or false, not a date or time"),
        ("identity = 3", "1: identity must be a section [identity], not an integer"),
        ("[uplink]\ninterface = \"a\"", "1: uplink must be written [[uplink]], once for each uplink"),
        ("uplink = [1]", "1: uplink must be a list of tables, not of an integer"),
        ("\n[[uplink]]\ngateway = \"auto\"", "2: interface is missing in [[uplink]]"),
        (
            "[[uplink]]\ninterface = \"sixteen-octets-x\"",
            "2: interface must be the name of an interface, not \"sixteen-octets-x\""
        ),
        ("[[uplink]]\ninterface = \"lo\"", "2: interface must not be the loopback interface"),
        (
            "[[uplink]]\ninterface = \"a\"\ncheck = [\"2001:db8::1\", \"fe80::1\"]",
            "3: check must be a global unicast address, not \"fe80::1\""
        ),
        ("[identity]\nprefer = \"always\"", "2: prefer must be \"proven\", true or false, not \"always\""),
        ("[identity]\nprefer = 1", "2: prefer must be \"proven\", true or false, not an integer"),
        (
            "[[uplink]]\ninterface = \"a\"\ngateway = \"ff02::1\"",
            "3: gateway must be an IPv6 address or \"auto\", not \"ff02::1\""
        ),
        (
            "[[uplink]]\ninterface = \"a\"\nprefixes = [\n\"2001:db8::/64\",\n\"2001:db8:1::/48\"]",
            "5: prefixes must be 64 bits long, not \"2001:db8:1::/48\""
        ),
        (
            "[[uplink]]\ninterface = \"a\"\nprefixes = [\"2001:db8::1/64\"]",
            "3: prefixes must be a prefix such as \"2001:db8:a1::/64\", not \"2001:db8::1/64\""
        ),
        (
            "[[uplink]]\ninterface = \"a\"\nprefixes = [\"fe80::/64\"]",
            "3: prefixes must be a prefix of global unicast addresses, not \"fe80::/64\""
        ),
        (
            "[data-path]\ndriver = \"nftables\"",
            "2: driver must be one of \"auto\", \"bpf\", \"xfrm\", \"none\": there is no data path \"nftables\""
        ),
        ("[identity]\nkey = \"key.pem\"", "2: key must be an absolute path, not \"key.pem\""),
        ("[identity]\nkey-bits = 512", "2: key-bits must be an integer from 1024 to 4096, not 512"),
        (
            "[identity]\nprivate-key = \"/k\"",
            "2: private-key and parameters belong together: give both or neither"
        ),
        ("[control]\nmode = 0o222", "2: mode must be a mode from 0o600 to 0o777, not 0o222"),
        (
            "[control]\nsocket = \"/\(String(repeating: "x", count: 107))\"",
            "2: socket must not be longer than 107 octets"
        ),
        (
            "[console]\nlisten = \"::1:50000\"",
            "2: listen must be an address and a port such as \"[::1]:50000\", not \"::1:50000\""
        ),
        (
            "[console]\nlisten = \"[::1]:0\"",
            "2: listen must be an address and a port such as \"[::1]:50000\", not \"[::1]:0\""
        ),
        (
            "[log]\nlevel = \"loud\"",
            "2: level must be one of \"trace\", \"debug\", \"info\", \"notice\", \"warning\", \"error\", \"critical\": "
                + "there is no level \"loud\""
        ),
        ("[protocol]\nmax-update-timeout = 1", "2: max-update-timeout must not be below update-timeout"),
        (
            "[limits]\nmin-peer-key-bits = 3072\nmax-peer-key-bits = 2048",
            "3: max-peer-key-bits must not be below min-peer-key-bits"
        ),
        ("[reap]\nmax-probe-timeout = 0.1", "2: max-probe-timeout must not be below initial-probe-timeout"),
        (
            "[[uplink]]\ninterface = \"a\"\n[[uplink]]\ninterface = \"a\"",
            "4: interface \"a\" has an uplink already"
        ),
        (
            "[[uplink]]\ninterface = \"a\"\nprefixes = [\"2001:db8::/64\", \"2001:db8:0::/64\"]",
            "3: prefix \"2001:db8::/64\" is there already"
        ),
    ])
    func `A value that cannot be is refused with its line`(text: String, problem: String) throws {
        #expect(try problems(of: text) == ["x.toml:" + problem])
    }

    @Test func `All problems are reported together, in the order of the file`() throws {
        let text = """
            [reap]
            send-timeout = true
            sned-timeout = 3

            [protocol]
            i1-timeout = -1
            """
        #expect(
            try problems(of: text) == [
                "x.toml:2: send-timeout must be a number from 0.02 to 65535, not a boolean",
                "x.toml:3: unknown key \"sned-timeout\" in [reap]; did you mean \"send-timeout\"?",
                "x.toml:6: i1-timeout must be a number from 0.1 to 3600, not -1",
            ])
    }

    @Test(arguments: [("[reap\n", 1), ("a = 1\nb = \n", 2), ("[reap]\nsend-timeout = 1\nsend-timeout = 2\n", 3)])
    func `A syntax error names its line`(text: String, line: Int) throws {
        let problem = try #require(try problems(of: text).first)
        #expect(problem.hasPrefix("x.toml:\(line): "))
    }

    @Test func `Text behind a NUL is not silently left out`() throws {
        #expect(
            try problems(of: "manage-routes = true\n\0manage-routes = 5")
                == ["x.toml:2: a NUL character is not allowed (column 1)"])
    }

    @Test(
        .requirement("5534-7-07", "5534-7-08"),
        arguments: [("9.999", true), ("10", false), ("100", false), ("100.5", true)])
    func `A Send Timeout outside the recommended range is warned of`(value: String, warned: Bool) throws {
        let (_, warnings) = try Configuration.parse("[reap]\nsend-timeout = \(value)", file: "x.toml")
        #expect(warnings.contains { $0.hasPrefix("x.toml:2: send-timeout") } == warned)
    }
}

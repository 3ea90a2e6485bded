import REAP

/// The keys of the configuration file: the only place that knows their names, ranges and meaning.
enum Declaration {
    struct Section: Sendable {
        var name: String
        var comment: String
        var keys: [Key<Configuration>]
    }

    static let topLevel: [Key<Configuration>] = [
        Key(
            "profile", \.reachability.profile, .choice("profile"),
            "How failures of paths are noticed: \"rfc\" by the timers of RFC 5534 alone, \"fast\" within some tens of "
                + "milliseconds, if the peer's profile is \"fast\" too. Every timer can still be set in [reap]."),
        Key(
            "manage-routes", \.manageRoutes, .flag,
            "Packets with a source of one provider leave through that provider, by routes and rules that the daemon makes, "
                + "unless your routes and rules send them elsewhere. false leaves all of it to you."),
        Key(
            "tunnel", \.tunnel, .choice("use of a tunnel"),
            "While a tunnel takes everything, such as wg-quick makes it: \"inside\" keeps the daemon from sending control "
                + "messages and rehomed payload by the uplinks, so that no session is protected; \"outside\" lets it, in "
                + "the sight of the providers."),
        Key(
            "remove-addresses-on-exit", \.removeAddressesOnExit, .flag,
            "Take the addresses that the daemon made away when it ends. Sessions that use them end then."),
    ]

    static let uplink: [Key<Configuration.Uplink>] = [
        Key("interface", \.interface, .interface, "Name of the interface towards one provider.", required: true),
        Key(
            "gateway", \.gateway, .gateway,
            "Address of the provider's router, or \"auto\" for that of the interface's default route."),
        Key(
            "prefixes", \.prefixes, .list(of: .prefix),
            "Prefixes of the provider that no router advertises, all /64. The daemon makes a cryptographic address in "
                + "each."),
        Key(
            "advertised-prefixes", \.advertisedPrefixes, .flag,
            "Make an address in each prefix that a router advertises as well, and follow its lifetimes."),
        Key(
            "exclude", \.excluded, .list(of: .prefix),
            "Prefixes, all /64, in which no address is made and whose addresses are offered to no peer."),
        Key(
            "shared", \.shared, .list(of: .unicastAddress),
            "Addresses on the interface that other hosts have too (VRRP, anycast). They are offered to no peer, and sessions "
                + "of theirs get no context. Those of keepalived, and each permanent /128 that the daemon has not made, are "
                + "taken for such in any case."),
        Key(
            "check", \.checks, .list(of: .unicastAddress),
            "Addresses beyond this provider's router that answer to ping. The daemon asks them, seldom and from its own "
                + "address, where it needs to know whether the provider passes that."),
    ]

    static let sections: [Section] = [
        Section(
            name: "identity", comment: "The key pair that proves which addresses are this host's (RFC 3972).",
            keys: [
                Key("key", \.identity.key, .path, "The private key (PEM). Made on the first start, mode 0600."),
                Key("key-bits", \.identity.keyBits, .integer(1024...4096), "Length of the RSA key that is made, bits."),
                Key(
                    "hba", \.identity.hba, .flag,
                    "Make one set of addresses (RFC 5535) over the prefixes that are there at first, so that peers need "
                        + "no signature. Prefixes that come later get addresses that need one."),
                Key(
                    "prefer", \.identity.prefer, .preference,
                    "When new sessions take the daemon's address on an uplink rather than another one there: \"proven\" once "
                        + "something beyond the gateway has answered to it (at once where a router lets every host make its "
                        + "own addresses, until there is a sign that the provider drops it), true always, false never. Until "
                        + "then the address is deprecated, which peers can still use."),
                Key(
                    "sec", \.identity.securityParameter, .integer(0...2),
                    "Sec of the addresses that are made. Each step makes the search 65,536 times as long."),
                Key("directory", \.identity.directory, .path, "Where the parameters of the addresses are kept."),
                Key(
                    "private-key", \.identity.privateKey, .optional(.path),
                    "An identity of your own: its private key (PEM). Empty: the daemon makes one."),
                Key(
                    "parameters", \.identity.parameters, .list(of: .path),
                    "An identity of your own: files with the CGA Parameters (RFC 3972, section 3, DER) of addresses that "
                        + "are on the interfaces."),
            ]),
        Section(
            name: "peers", comment: "What is asked of peers.",
            keys: [
                Key(
                    "verify", \.peers.verify, .flag,
                    "Whether peers must prove that their locators are theirs. false lets anybody redirect your sessions: "
                        + "for a laboratory only.")
            ]),
        Section(
            name: "data-path", comment: "How payload is rewritten, and which traffic gets a context.",
            keys: [
                Key(
                    "driver", \.dataPath.driver, .choice("data path"),
                    "\"bpf\" (eBPF), \"xfrm\" (XFRM states, for hosts without eBPF), \"none\" (nothing is rehomed), or "
                        + "\"auto\" for the first of them that this host can have. \"shim6ctl doctor\" tells why."),
                Key(
                    "trigger-octets", \.dataPath.limits.triggerOctets, .integer(0...1_000_000_000),
                    "A context is made when two addresses have exchanged this many octets, both ways and twice, ..."),
                Key(
                    "trigger-age", \.dataPath.limits.triggerAge, .seconds(0...86_400),
                    "... or when traffic between them, or from this host alone, has gone on for this long, seconds."),
            ]),
        Section(name: "protocol", comment: "RFC 5533, section 14. Times in seconds.", keys: protocolKeys),
        Section(name: "reap", comment: "RFC 5534, section 7. Times in seconds.", keys: reachabilityKeys),
        Section(
            name: "limits", comment: "What is bounded, and how.",
            keys: [
                Key(
                    "max-contexts", \.host.maximumContexts, .integer(1...1_000_000),
                    "Contexts at a time; beyond it one that a peer made and never used makes room, then an idle one."),
                Key(
                    "max-contexts-per-peer-prefix", \.host.maximumContextsPerPeerPrefix, .integer(1...1_000_000),
                    "Contexts that peers of one /64 can make here."),
                Key(
                    "max-contexts-per-peer-site", \.host.maximumContextsPerPeerSite, .integer(1...1_000_000),
                    "Contexts that peers of one /48 can make here."),
                Key(
                    "max-holddowns", \.host.maximumHolddowns, .integer(1...1_000_000),
                    "Contexts in E-FAILED or NO-SUPPORT; beyond it the one that ends first makes room."),
                Key(
                    "max-locators", \.host.maximumLocators, .integer(1...255),
                    "Locators kept of one list, own or a peer's."),
                Key(
                    "max-verifications-per-second", \.host.maximumVerificationsPerSecond, .integer(1...1_000_000),
                    "Messages a second whose keys and signatures are checked, and as many answers to this host. One /48 gets "
                        + "half of it, one /32 three quarters, and who has not asked before comes first."),
                Key(
                    "min-peer-key-bits", \.limits.minPeerKeyBits, .integer(1024...4096),
                    "Shortest RSA key of a peer whose signature is looked at, bits."),
                Key(
                    "max-peer-key-bits", \.limits.maxPeerKeyBits, .integer(1024...4096),
                    "Longest one: the time of a verification grows with the square of the length."),
                Key(
                    "max-peer-keys", \.limits.maxPeerKeys, .integer(0...65_536),
                    "Decoded keys of peers that are kept, a few KiB each; the one unused for longest makes room."),
                Key(
                    "max-proofs", \.host.maximumProofs, .integer(0...65_536),
                    "Verified proofs of peers that are kept, 2 KiB each at most; the one unused for longest makes room."
                ),
                Key(
                    "max-refused-proofs", \.host.maximumRefusals, .integer(0...65_536),
                    "Refused proofs of peers that are kept, so that the same one again costs nothing; the one unused for "
                        + "longest makes room."),
                Key(
                    "max-answers-per-second", \.host.maximumAnswersPerSecond, .integer(1...10_000),
                    "R1bis messages a second to one /48, and as many Errors."),
                Key(
                    "max-context-answers-per-second", \.host.maximumContextAnswersPerSecond, .integer(1...10_000),
                    "R2 messages a second of one context."),
                Key(
                    "max-unanswered-probes", \.host.maximumUnansweredProbes, .integer(1...1000),
                    "Probes to a peer's locator at which it has answered nothing yet; then one a minute."),
                Key(
                    "max-amplification", \.host.maximumAmplification, .integer(1...1000),
                    "Octets of such Probes of one context for each octet that its peer has sent."),
                Key(
                    "max-probes-per-second", \.host.maximumProbesPerSecond, .integer(1...1_000_000),
                    "Probes that all contexts together may begin a second. Contexts with traffic come first."),
                Key(
                    "max-stranger-messages-per-second", \.dataPath.limits.strangerMessagesPerSecond,
                    .integer(1...1_000_000),
                    "I1s a second that the kernel program lets in from all hosts with which there is no session, and as many "
                        + "other control messages. This and the next six are for the data path \"bpf\"."),
                Key(
                    "max-stranger-messages-per-prefix", \.dataPath.limits.strangerMessagesPerSite,
                    .integer(1...1_000_000),
                    "The same for those in one /48."),
                Key(
                    "max-peer-messages-per-second", \.dataPath.limits.peerMessagesPerSecond, .integer(1...1_000_000),
                    "Control messages a second from all hosts with which there is a session or a context. What carries the tag "
                        + "of a context is not counted."),
                Key(
                    "max-peer-messages-per-prefix", \.dataPath.limits.peerMessagesPerSite, .integer(1...1_000_000),
                    "The same for those in one /48."),
                Key(
                    "max-messages-per-pair", \.dataPath.limits.messagesPerPair, .integer(1...1_000_000),
                    "I1s a second from one of these hosts to one address, as many other messages, and as many I1s from "
                        + "elsewhere about their session."),
                Key(
                    "max-messages-per-context", \.dataPath.limits.messagesPerContext, .integer(1...1_000_000),
                    "Control messages a second with the tag of one context."),
                Key(
                    "max-unknown-tags-per-second", \.dataPath.limits.unknownTagsPerSecond, .integer(1...1_000_000),
                    "Payload packets a second with a tag that no context has that are answered, so that the peer's context can "
                        + "be recovered. 4 of them to one /48."),
                Key(
                    "max-kept-packets", \.dataPath.limits.keptPackets, .integer(0...65_536),
                    "Last packets of TCP flows that are kept while nothing comes in, 1.6 KiB each, to be sent again at once on "
                        + "the next path; the one unused for longest makes room. 0: TCP waits for its own timer."),
                Key("max-failovers", \.limits.maxFailovers, .integer(1...65_536), "Failovers that the timeline keeps."),
                Key(
                    "max-events", \.limits.maxEvents, .integer(1...65_536),
                    "Events that are kept for \"shim6ctl events\"."),
                Key(
                    "max-control-clients", \.limits.maxControlClients, .integer(1...1024),
                    "Clients of the control socket."),
                Key("max-console-clients", \.limits.maxConsoleClients, .integer(1...1024), "Clients of the console."),
            ]),
        Section(
            name: "control", comment: "The socket that shim6ctl talks to. Who can connect can read.",
            keys: [
                Key("socket", \.control.socket, .socketPath, "Path of the Unix socket."),
                Key("mode", \.control.mode, .mode(0o600...0o777), "Mode of the socket file."),
                Key(
                    "group", \.control.group, .optional(.name("a group")),
                    "Group of the socket file; its members may make changes as root may. Empty: root only."),
            ]),
        Section(
            name: "console", comment: "The telnet-style console.",
            keys: [
                Key("enabled", \.console.enabled, .flag, "Whether there is one."),
                Key(
                    "listen", \.console.listen, .endpoint,
                    "Where it listens. Root and the group of the control socket, on this host, see all; others see counts."
                ),
                Key(
                    "allow-remove", \.console.allowRemove, .flag,
                    "Whether \"rm\" and \"set\" work there, for whoever can connect."
                ),
                Key(
                    "idle-timeout", \.console.idleTimeout, .seconds(1...86_400),
                    "A client that neither says nor reads anything for so long is disconnected, seconds."),
            ]),
        Section(
            name: "log", comment: "The log goes to standard error.",
            keys: [
                Key(
                    "level", \.logLevel, .choice("level"),
                    "Least grave message logged: trace, debug, info, notice, warning, error or critical.")
            ]),
    ]

    private static let protocolKeys: [Key<Configuration>] = [
        Key("i1-retries-max", \.host.i1RetriesMax, .integer(0...100), "I1_RETRIES_MAX"),
        Key("i1-timeout", \.host.i1Timeout, .seconds(0.1...3600), "I1_TIMEOUT"),
        Key("no-r1-holddown-time", \.host.noR1HolddownTime, .seconds(0...86_400), "NO_R1_HOLDDOWN_TIME"),
        Key("icmp-holddown-time", \.host.icmpHolddownTime, .seconds(0...86_400), "ICMP_HOLDDOWN_TIME"),
        Key("i2-timeout", \.host.i2Timeout, .seconds(0.1...3600), "I2_TIMEOUT"),
        Key("i2-retries-max", \.host.i2RetriesMax, .integer(0...100), "I2_RETRIES_MAX"),
        Key("i2bis-timeout", \.host.i2bisTimeout, .seconds(0.1...3600), "I2bis_TIMEOUT"),
        Key("i2bis-retries-max", \.host.i2bisRetriesMax, .integer(0...100), "I2bis_RETRIES_MAX"),
        Key("validator-min-lifetime", \.host.validatorMinLifetime, .seconds(1...3600), "VALIDATOR_MIN_LIFETIME"),
        Key("update-timeout", \.host.updateTimeout, .seconds(0.1...3600), "UPDATE_TIMEOUT"),
        Key("max-update-timeout", \.host.maxUpdateTimeout, .seconds(0.1...86_400), "MAX_UPDATE_TIMEOUT"),
        Key(
            "idle-timeout", \.host.idleTimeout, .wholeSeconds(1...604_800),
            "A context without traffic for so long goes away, unless a socket needs it. Whole seconds."),
    ]

    private static let recommended = {
        let range = REAPConfiguration.recommendedSendTimeouts
        return "\(range.lowerBound.text) to \(range.upperBound.text)"
    }()

    private static func either(_ value: KeyPath<Configuration.Reachability.Profile, Duration>) -> String {
        Configuration.Reachability.Profile.allCases.map { $0[keyPath: value].text }.joined(separator: " or ")
    }

    private static let reachabilityKeys: [Key<Configuration>] = [
        Key(
            "send-timeout", \.reachability.sendTimeout, .optional(.seconds(REAPConfiguration.sendTimeouts)),
            "Send Timeout: how long after a packet out nothing may come in before the path is suspected. "
                + "\(recommended) are recommended. Below 1 it holds only with peers that announce theirs to the millisecond, "
                + "and while packets come in often. Empty: by the profile, \(either(\.sendTimeout))."),
        Key(
            "initial-probe-timeout", \.host.reap.initialProbeTimeout, .seconds(0.01...60),
            "Initial Probe Timeout: the time between the first probes of an exploration."),
        Key(
            "initial-probes", \.host.reap.initialProbes, .integer(1...100),
            "Number of Initial Probes: how many are sent at that pace before the time doubles each time."),
        Key(
            "max-probe-timeout", \.host.reap.maxProbeTimeout, .seconds(0.01...3600),
            "The longest time between probes."),
        Key(
            "failback-hold", \.reachability.failbackHold, .optional(.seconds(0...86_400)),
            "How long a better path must have worked again, by slow probes, before traffic returns to it. 0: it never does. "
                + "Empty: by the profile, \(either(\.failbackHold))."),
        Key(
            "least-silence", \.reachability.quick.leastSilence, .seconds(0.01...10),
            "Profile \"fast\": the shortest silence, after packets that came in often, that makes the daemon probe the "
                + "path in use."),
        Key(
            "least-probe-gap", \.reachability.quick.leastProbeGap, .seconds(0.005...10),
            "Profile \"fast\": the shortest time between the first probes, which else is three round-trip times, and at "
                + "most initial-probe-timeout."),
    ]
}

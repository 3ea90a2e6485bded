import REAP
import Shim6Core

// A scenario drawn from a seed: five minutes of faults, time to recover, a minute in which everything has to work, and
// silence until nothing is left.
extension Scenario {
    /// Long enough for the slowest repetition: Update Requests come back after up to three minutes.
    private static let recovery = 300.0
    private static let measured = 60.0
    /// Until it is known that a path drops payload: some Send Timeouts.
    private static let discovery = 60.0

    init(seed: UInt64) {
        var random = SeededGenerator(seed: seed &* 0x2545_f491_4f6c_dd1d &+ 1)
        self.seed = seed
        faultsEnd = 300
        usesCryptography = seed % 16 == 0
        let count = [2, 2, 2, 2, 3, 3, 4, 5, 6].randomElement(using: &random) ?? 2
        links = (0..<count).map { _ in [1, 2, 2, 2, 3, 4].randomElement(using: &random) ?? 2 }
        flows = Self.flows(links, &random)
        configurations = (0..<count).map { _ in Self.configuration(&random) }
        sessionsOutlastSilence = true
        triggerThreshold = Int.random(in: 3...20, using: &random)
        for path in Self.paths(links) { delays[path] = random.seconds(0.002...0.12) }
        addStarts(&random)
        addModes(&random)
        for _ in 0..<Int.random(in: 3...10 + 2 * count, using: &random) { addFault(&random) }
        if random.chance(0.3) { addIntruder(&random) }
        let isForged = random.chance(0.2)
        if isForged { addForger(&random) }
        addEnd(isForged: isForged)
        actions.sort { $0.seconds < $1.seconds }
    }

    /// Flows between random hosts, each with a ULID pair of its own.
    private static func flows(_ links: [Int], _ random: inout SeededGenerator) -> [Flow] {
        var flows: [Flow] = []
        let wanted = Int.random(in: 1...links.count + 1, using: &random)
        for _ in 0..<4 * wanted where flows.count < wanted {
            let hosts = Array(links.indices.shuffled(using: &random).prefix(2))
            let ends = hosts.map { Int.random(in: 0..<links[$0], using: &random) }
            let isTaken = flows.contains {
                ($0.hosts == hosts && $0.links == ends)
                    || ($0.hosts == hosts.reversed() && $0.links == ends.reversed())
            }
            // Now and then dense enough for quick detection to go by.
            let interval = random.chance(0.02) ? random.seconds(0.03...0.08) : random.seconds(0.8...2.5)
            if !isTaken { flows.append(Flow(hosts: hosts, links: ends, interval: interval)) }
        }
        return flows
    }

    private static func configuration(_ random: inout SeededGenerator) -> HostConfiguration {
        var configuration = HostConfiguration()
        let sendTimeouts: [Duration] = [.seconds(1), .seconds(2), .milliseconds(4500), .seconds(15), .seconds(15)]
        configuration.reap.sendTimeout = sendTimeouts.randomElement(using: &random) ?? .seconds(15)
        // The profile fast, with a hold that is over within the run.
        if random.chance(0.15) {
            configuration.reap.quick = QuickDetection()
            configuration.reap.sendTimeout = .milliseconds([250, 250, 400, 1500].randomElement(using: &random) ?? 250)
            configuration.reap.failbackHold = [nil, .seconds(3), .seconds(30)].randomElement(using: &random) ?? nil
        }
        configuration.reap.jitterPermille = [0, 50, 200].randomElement(using: &random) ?? 0
        configuration.idleTimeout = .seconds([60, 60, 120, 300].randomElement(using: &random) ?? 60)
        configuration.icmpHolddownTime = .seconds(random.chance(0.5) ? 60 : 600)
        configuration.maximumContexts = random.chance(0.1) ? 2 : 16
        return configuration
    }

    private mutating func addStarts(_ random: inout SeededGenerator) {
        if random.chance(0.2) {
            legacy = Legacy(host: flows[0].hosts[1], answersParameterProblem: random.chance(0.5))
        }
        for host in links.indices {
            let isLate = host == legacy?.host
            actions.append((isLate ? random.seconds(30...200) : 0, .start(host: host)))
        }
    }

    private mutating func addModes(_ random: inout SeededGenerator) {
        for flow in flows.indices {
            var time = 0.0
            while time < faultsEnd {
                let mode = Mode.allCases.randomElement(using: &random) ?? .bothWays
                actions.append((time, .mode(flow: flow, time == 0 && mode == .silent ? .bothWays : mode)))
                // Now and then long enough for an idle context to end.
                time += mode == .silent && random.chance(0.3) ? random.seconds(60...200) : random.seconds(10...90)
            }
        }
    }

    private mutating func addFault(_ random: inout SeededGenerator) {
        let start = random.seconds(15...280)
        let end = min(start + random.seconds(0.5...90), faultsEnd)
        let flow = Int.random(in: flows.indices, using: &random)
        // Most of what happens happens where there is traffic.
        let ends = random.chance(0.8) ? flows[flow].hosts : Array(links.indices)
        let host = ends.randomElement(using: &random) ?? 0
        let link = Int.random(in: 0..<links[host], using: &random)
        func cut(_ link: Int, _ isOutbound: Bool) -> [(seconds: Double, action: Action)] {
            let half = Network.HalfLink(host: host, link: link, isOutbound: isOutbound)
            return [(start, .cutLink(half)), (end, .healLink(half))]
        }
        switch Int.random(in: 0..<28, using: &random) {
        case 0...2: actions += cut(link, true) + cut(link, false)
        case 3, 4: actions += cut(link, random.chance(0.5))
        case 5, 6:
            for path in Self.paths(links) where random.chance(0.4) {
                actions += [(start, .cutPath(path)), (end, .healPath(path))]
            }
        case 7:
            for link in 0..<links[host] { actions += cut(link, random.chance(0.8)) }
        case 8: actions += [(start, .loss(random.seconds(0.01...0.4))), (end, .loss(0))]
        case 9:
            actions += [
                (start, .duplication(random.seconds(0.01...0.5))), (end, .duplication(0)),
                (start, .spread(random.seconds(0.01...0.8))), (end, .spread(0.005)),
            ]
        case 10:
            actions += [
                (start, .removeLocator(host: host, link: link)), (end, .restoreLocator(host: host, link: link)),
            ]
        case 11, 12:
            // The ULIDs of the first flow keep their addresses: one flow in each run has to live for ever.
            if zip(flows[0].hosts, flows[0].links).allSatisfy({ $0 != (host, link) }) {
                actions.append((start, .renumber(host: host, link: link)))
            }
        case 24, 25:
            // The same, since a dead address is as good as none.
            if zip(flows[0].hosts, flows[0].links).allSatisfy({ $0 != (host, link) }) {
                actions.append((start, .renumberUnannounced(host: host, link: link)))
            }
        case 13:
            actions += [
                (start, .stop(host: host, byCrash: random.chance(0.5))),
                (start + random.seconds(0.1...20), .start(host: host)),
            ]
        case 14: actions.append((start, .reboot(host: host, seconds: random.seconds(0.1...20))))
        case 15, 16:
            actions.append((start, .stall(host: host, seconds: random.seconds(0.2...6), deaf: random.chance(0.4))))
        case 17: actions.append((start, .jump(host: host, seconds: random.seconds(0.5...random.seconds(1...700)))))
        case 22, 23:
            // True or not.
            for _ in 0..<Int.random(in: 1...20, using: &random) {
                let hint = REAPHint.allCases.randomElement(using: &random) ?? .unreachable
                actions.append((min(start + random.seconds(0...5), faultsEnd), .hint(host: host, flow: flow, hint)))
            }
        case 26, 27:
            for path in Self.paths(links) where random.chance(0.4) {
                actions += [(start, .dropPayload(path, flow: flow)), (end, .passPayload(path, flow: flow))]
            }
        case 18: addContextLoss(flow, at: random.seconds(15...180), &random)
        default: disturb(flow, at: start, &random)
        }
    }

    /// The ULIDs' own path fails towards a host, so that the peer moves. Then the host loses its contexts, and has a hard
    /// time making new ones.
    private mutating func addContextLoss(_ flow: Int, at start: Double, _ random: inout SeededGenerator) {
        let (hosts, links) = (flows[flow].hosts, flows[flow].links)
        let end = random.chance(0.5) ? 1 : 0
        let path = Network.Path(
            fromHost: hosts[1 - end], fromLink: links[1 - end], toHost: hosts[end], toLink: links[end])
        let restart = start + random.seconds(5...30)
        actions += [
            (start, .cutPath(path)), (restart, .stop(host: hosts[end], byCrash: true)), (restart, .healPath(path)),
            (restart, .loss(0.6)), (restart + 0.5, .start(host: hosts[end])),
            (restart + 80, .loss(0)),
        ]
    }

    /// Makes a context anew in the middle of traffic.
    private mutating func disturb(_ flow: Int, at start: Double, _ random: inout SeededGenerator) {
        let host = flows[flow].hosts[random.chance(0.5) ? 1 : 0]
        if random.chance(0.7) { actions.append((start, .removeContext(host: host, flow: flow))) }
        if random.chance(0.2) {
            actions.append((start, .stall(host: host, seconds: random.seconds(0.1...1), deaf: false)))
        }
        actions.append((start, .establish(host: host, flow: flow)))
    }

    /// Somebody on no path who gives one flow after the other some attention.
    private mutating func addIntruder(_ random: inout SeededGenerator) {
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let start = random.seconds(5...280)
            let flow = Int.random(in: flows.indices, using: &random)
            for _ in 0..<Int.random(in: 3...30, using: &random) {
                let intrusion = Intrusion.allCases.randomElement(using: &random) ?? .replay
                let host = flows[flow].hosts[random.chance(0.5) ? 1 : 0]
                let time = min(start + random.seconds(0...60), faultsEnd)
                actions.append((time, .intrude(intrusion, host: host, flow: flow)))
            }
        }
    }

    /// Somebody who has seen the tags of a flow's context, and sends one message a second for a while, at last also while
    /// everything has to arrive.
    private mutating func addForger(_ random: inout SeededGenerator) {
        let forgeries: [Intrusion] = [
            .taggedR1bis, .taggedKeepalive, .taggedAcknowledgement, .taggedError, .taggedProbe,
        ]
        let forgery = forgeries.randomElement(using: &random) ?? .taggedR1bis
        let flow = Int.random(in: flows.indices, using: &random)
        let host = flows[flow].hosts[random.chance(0.5) ? 1 : 0]
        let end = random.chance(0.5) ? faultsEnd : faultsEnd + Self.recovery + Self.measured
        var time = random.seconds(20...250)
        while time < end {
            actions.append((time, .intrude(forgery, host: host, flow: flow)))
            time += 1
        }
    }

    /// Whether no Keepalives go out between packets of a flow: they would hide that one direction drops it.
    private func isSteady(_ flow: Flow) -> Bool {
        let longestGap = Duration.seconds(flow.interval * 1.5)
        return flow.hosts.allSatisfy {
            configurations[$0].reap.sendTimeout / REAPConfiguration.keepalivesInTimeout > longestGap
        }
    }

    private mutating func addEnd(isForged: Bool) {
        let measure = faultsEnd + Self.recovery
        let silence = measure + Self.measured
        actions += [(faultsEnd, .heal), (measure, .measure), (silence, .silence)]
        // Now and then a path drops payload to the end, and passes everything else.
        // Not where somebody makes up Probes in the peer's name, too: these hide it.
        if seed % 2 == 0, !isForged, isSteady(flows[0]) {
            actions.append((measure - Self.discovery, .dropPayloadInUse(flow: 0)))
        }
        let idle = configurations.map { Double($0.idleTimeout.components.seconds) }.max() ?? 0
        // Whoever believes that the peer does not speak Shim6 believes it for some time.
        let noSupport = configurations.map { Double($0.icmpHolddownTime.components.seconds) }.max() ?? 0
        // An I1 that the last packet gave rise to, to a host that is nowhere: its retries are doubled from 4 s and half as
        // much again when the dice fall so, and then comes the holddown.
        let failed = 4 * 31 * 1.5 + 60
        actions.append((silence + max(3 * idle, noSupport, failed) + 20, .finish))
    }
}

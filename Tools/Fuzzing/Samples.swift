/// What inputs begin as.
enum Samples {
    static let json = Array(#""{}[],:-+.0123456789eE\/u tfn"#.utf8)
    static let toml = Array("[]{}=.,#'\"\\\n\r\t -+_0123456789xobeEinfaT:Z".utf8)
    static let netlink: [UInt8] = [2, 3, 4, 8, 10, 12, 16, 20, 28, 36, 64, 10]

    static let requests: [[UInt8]] = [
        #"{"version":1,"id":1,"command":"status"}"#,
        #"{"version":1,"id":1,"command":"context","arguments":{"tag":"123456789abc"}}"#,
        #"{"version":1,"id":18446744073709551615,"command":"set","arguments":{"send-timeout":1e308}}"#,
        #"{"version":1,"id":1,"command":"rank","arguments":{"pairs":[{"source":"::1","destination":"::2"}]}}"#,
        #"{"version":1,"id":1,"command":"fork","arguments":{"tag":"1","flows":[{"protocol":6,"source_port":65535}]}}"#,
        #"{"version":1,"id":1,"command":"establish","arguments":{"local":"2001:db8::1","peer":"2001:db8::2"}}"#,
        #"{"version":1,"id":1,"command":"switch","arguments":{"tag":"1","local":"2001:db8::1","peer":"2001:db8::2"}}"#,
        #"{"version":1,"id":1,"command":"identity","arguments":{"action":"rotate"}}"#,
        #"{"version":1,"id":1,"command":"events","arguments":{"follow":true}}"#,
        #"{"version":1,"id":1,"command":"remove","arguments":{"tag":"*"}}"#,
        #"{"version":1,"id":1,"command":"timeline","arguments":{"tag":"\u0031\ud83d\ude00"}}"#,
    ].map { Array($0.utf8) }

    private static let moment = #"{"monotonic_ns":4725000000000,"time":"2026-11-21T09:02:05.000000Z"}"#

    static let replies: [[UInt8]] = [
        #"{"version":1,"id":2,"ok":false,"error":{"code":"unknown-tag","message":"no context has the tag 4a3b"}}"#,
        #"{"id":1,"kind":"removed","ok":true,"result":{"tags":["00000000002a","4a3b2c1d0e0f"]},"version":1}"#,
        #"{"id":1,"kind":"contexts","ok":true,"result":{"contexts":[{"last_incoming":{"destination":"2001:db8:a1::1","#
            + #""source":"2001:db8:b1::1"},"outgoing":{"destination":"2001:db8:b2::1","source":"2001:db8:a2::1"},"#
            + #""reachability":"operational","rehomed":{"incoming":false,"outgoing":true},"state":"ESTABLISHED","#
            + #""tag":"4a3b2c1d0e0f","ulids":{"local":"2001:db8:a1::1","peer":"2001:db8:b1::1"}}]},"version":1}"#,
        #"{"id":1,"kind":"explanation","ok":true,"result":{"now":\#(moment),"outgoing":{"destination":"2001:db8:b1::1","#
            + #""source":"2001:db8:a1::1"},"pairs":[{"arrived_ago":2.5,"confirmed_ago":1.5,"#
            + #""destination":"2001:db8:b2::1","in_use":false,"method":"cga","source":"2001:db8:a2::1","#
            + #""verified":true}],"reachability":"operational","reason":"ulids","round_trip":0.02,"#
            + #""tag":"4a3b2c1d0e0f","timers":[{"name":"send","seconds_left":0.25}]},"version":1}"#,
        #"{"id":1,"kind":"settings","ok":true,"result":{"ranking":[{"destination":"2001:db8:b2::1","#
            + #""source":"2001:db8:a2::1"}],"send_timeout":0.25},"version":1}"#,
        #"{"id":1,"kind":"status","ok":true,"result":{"contexts":{"ESTABLISHED":1},"counters":{"switches":1},"#
            + #""data_path":{"driver":"bpf","state":"running"},"drops":{"unknown-tag":0},"now":\#(moment),"#
            + #""process_id":812,"started":\#(moment),"tables":[{"limit":64,"name":"rates","when_full":"x"}],"#
            + #""uplinks":[{"carrier":false,"interface":"ppp0","locators":[],"up":false}],"version":"0.1.0","#
            + #""warnings":[]},"version":1}"#,
        #"{"id":1,"kind":"timeline","ok":true,"result":{"failovers":[{"number":1,"tag":"4a3b2c1d0e0f","ulids":"#
            + #"{"local":"2001:db8:a1::1","peer":"2001:db8:b1::1"},"pair":{"destination":"2001:db8:b1::1","#
            + #""source":"2001:db8:a1::1"},"outcome":"switched","suspicion":\#(moment),"reason":"x","probes":[],"#
            + #""switches":[],"gap":1.07,"first_in":{"at":\#(moment),"seconds":0.05}}]},"version":1}"#,
    ].map { Array($0.utf8) }

    static let configurations: [[UInt8]] = [
        "[reap]\nsend-timeout = \"\"\ninitial-probes = 4\n[identity]\nsec = 1\nkey = \"/var/lib/shim6d/key.pem\"\n",
        """
        profile = "fast"
        [[uplink]]
        interface = "eth0"
        gateway = "fe80::1"
        prefixes = ["2001:db8:a1::/64", '2001:db8:a2::/64']
        [[uplink]]
        interface = \"""eth1\"""
        exclude = [ # none
        ]
        [reap]
        send-timeout = 1e1
        max-probe-timeout = 60.0
        [control]
        mode = 0o660
        """,
        "limits = { max-contexts = 0x10, max-holddowns = 1_000 }\nuplink = [{interface = \"a\"}]\nx.y.'z' = 1979-05-27\n",
        "[identity]\nparameters = [\"/a\", \"/b\\u0041\"]\nprivate-key = '''/c'''\n[log]\nlevel = \"debug\"\n",
    ].map { Array($0.utf8) }

    static let messages: [[UInt8]] = [
        message(
            16, [0, 0, 1, 0] + word(4) + word(0x1043) + word(0),
            [(3, name("eth0")), (4, word(1500)), (18, attribute(1, name("veth")) + attribute(2, word(3)))]),
        message(
            20, [10, 64, 0x80, 0] + word(4),
            [(1, address), (8, word(0x280)), (6, word(1) + word(2) + word(3) + word(4))]),
        message(
            24, [10, 64, 0, 0, 254, 140, 0, 1] + word(0),
            [
                (1, address), (5, address), (4, word(4)), (8, attribute(2, word(1280))),
                (9, [28, 0, 0, 0] + word(4) + attribute(5, address)),
            ]),
        message(
            32, [10, 64, 0, 0, 254, 0, 0, 1] + word(0),
            [(2, address), (3, name("eth0")), (6, word(99)), (15, word(6140))]),
        message(
            28, [10, 0, 0, 0] + word(4) + [2, 0, 0x80, 1], [(1, address), (2, [1, 2, 3, 4, 5, 6])]),
        message(52, [10, 0, 0, 0] + word(4) + [3, 64, 2, 0], [(1, address), (2, word(1800) + word(3600))]),
        message(72, [10, 0, 64, 0] + word(4) + word(0), [(1, address), (2, word(7))]),
        // Above: NEWLINK, NEWADDR, NEWROUTE, NEWRULE, NEWNEIGH, NEWPREFIX, NEWADDRLABEL of rtnetlink.
        // XFRM: NEWSA, NEWPOLICY, ACQUIRE, EXPIRE, POLEXPIRE, with the room of their structs.
        message(16, state, [(14, address), (5, zeros(64))]),
        message(19, family(zeros(168), at: 40), [(5, zeros(64)), (16, [1, 0, 0, 0, 0, 0])]),
        message(23, family(zeros(280), at: 80), [(5, zeros(64))]),
        message(24, state + zeros(8), []),
        message(27, family(zeros(176), at: 40), [(16, [1, 0, 0, 0, 0, 0])]),
        // A tc filter, and a socket of sock_diag.
        message(
            44, [0, 0, 0, 0] + word(4) + word(0x6140) + word(0xFFFF_FFF2) + word(140 << 16),
            [(1, name("bpf")), (2, attribute(7, name("shim6_in")))]),
        message(20, [10, 1, 0, 0, 0, 80, 2, 0] + address + address + zeros(32), [(8, [0])]),
    ]

    private static let address: [UInt8] = [0x20, 1, 0xd, 0xb8, 0, 0xa1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    private static func word(_ value: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
    private static func name(_ text: String) -> [UInt8] { Array(text.utf8) + [0] }
    private static func zeros(_ count: Int) -> [UInt8] { Array(repeating: 0, count: count) }
    private static func family(_ octets: [UInt8], at place: Int) -> [UInt8] {
        var octets = octets
        octets[place] = 10
        return octets
    }
    private static let state: [UInt8] = {
        var octets = family(zeros(224), at: 212)
        octets[214] = 2  // XFRM_MODE_ROUTEOPTIMIZATION
        return octets
    }()
    private static func attribute(_ type: UInt8, _ octets: [UInt8]) -> [UInt8] {
        let length = octets.count + 4
        return [UInt8(length), 0, type, 0] + octets + zeros((4 - length % 4) % 4)
    }
    private static func message(_ type: UInt16, _ header: [UInt8], _ attributes: [(UInt8, [UInt8])]) -> [UInt8] {
        [UInt8(type & 0xff), UInt8(type >> 8)] + header + attributes.flatMap { attribute($0.0, $0.1) }
    }
}

/// What the engine counts by itself, and those who work for it.
final class EngineCounters {
    /// The kernel had more to tell about the network than the monitor could take, and everything was read anew.
    var resyncs: UInt64 = 0
    /// Looks at the network.
    var refreshes: UInt64 = 0
    /// The longest time that one pass of the loop kept everything else waiting.
    var longestPass = Duration.zero
    /// Packets that were longer than a control message can be.
    var truncated: UInt64 = 0
    var receiveErrors: UInt64 = 0
    /// Control messages that the kernel did not take.
    var sendErrors: UInt64 = 0
    /// Control messages that were not sent, since they would leave beside a full tunnel.
    var keptFromLeaving: UInt64 = 0
    /// Echo Requests that find out how far packets with the daemon's addresses get.
    var questions: UInt64 = 0
    /// ICMPv6 errors made for this host.
    var localErrors: UInt64 = 0
    /// Changes of the data path's tables that the kernel refused.
    var dataPathErrors: UInt64 = 0
}

// The names in reports. Programs read them: they stay when a member is renamed.
extension EngineCounters {
    var byName: [String: UInt64] {
        [
            "network_refreshes": refreshes, "network_resyncs": resyncs, "local_icmp_errors": localErrors,
            "address_questions": questions, "send_errors": sendErrors, "receive_errors": receiveErrors,
            "data_path_errors": dataPathErrors, "longest_pass_us": UInt64(longestPass.inSeconds * 1e6),
        ]
    }

    /// Those that ever happened.
    var dropsByName: [String: UInt64] {
        ["too_long": truncated, "full_tunnel": keptFromLeaving].filter { $0.value > 0 }
    }
}

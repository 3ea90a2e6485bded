// What the program counts, each once: the constant, the name by which status shows it, and what it means. The names are
// public: they may be added to, and never change.
#ifndef SHIM6_COUNTERS_H
#define SHIM6_COUNTERS_H

/// What became of packets that went on, and reports.
#define SHIM6_DONE_COUNTERS(COUNTER)                                                                                   \
    COUNTER(SHIM6_COUNT_REHOMED, "rehomed", "packets out that got their locators")                                     \
    COUNTER(SHIM6_COUNT_REHOMED_GSO, "rehomed_super_packets", "of these, super-packets that shim0 segmented")          \
    COUNTER(SHIM6_COUNT_RESTORED, "restored", "packets in that got their ULIDs back")                                  \
    COUNTER(SHIM6_COUNT_TO_FRAGMENT, "to_fragment", "packets out left to the daemon to fragment")                      \
    COUNTER(SHIM6_LOST_REPORTS, "lost_reports", "reports that found the ring full")

/// Packets that were dropped, by the reason.
#define SHIM6_DROP_COUNTERS(COUNTER)                                                                                   \
    COUNTER(SHIM6_DROP_MALFORMED, "malformed", "Shim6 that is cut short, or hidden from the limits")                   \
    COUNTER(SHIM6_DROP_BAD_ADDRESS, "bad_address", "Shim6 from or to an address that can be no locator")               \
    COUNTER(SHIM6_DROP_UNKNOWN_TAG, "unknown_tag", "payload with a tag that no context has")                           \
    COUNTER(SHIM6_DROP_DISCARD_MODE, "discard_mode", "payload of a context that takes none yet (I1-SENT)")             \
    COUNTER(SHIM6_DROP_NO_HEARTBEAT, "no_heartbeat", "control messages that no daemon reads")                          \
    COUNTER(SHIM6_DROP_I1_RATE, "i1_rate", "I1s beyond what their /48 or address pair may send")                       \
    COUNTER(SHIM6_DROP_OTHER_RATE, "other_rate", "other control messages beyond that, or what a context may send")     \
    COUNTER(SHIM6_DROP_STRANGERS_I1_RATE, "strangers_i1_rate", "I1s beyond what all strangers may send")               \
    COUNTER(SHIM6_DROP_STRANGERS_RATE, "strangers_rate", "other messages beyond what all strangers may send")          \
    COUNTER(SHIM6_DROP_ACQUAINTED_RATE, "acquainted_rate", "messages beyond what all hosts with a session may send")   \
    COUNTER(SHIM6_DROP_INCOMPLETE_CHAIN, "incomplete_chain", "first fragments with part of the headers (RFC 7112)")    \
    COUNTER(SHIM6_DROP_OWN_SOURCE, "own_source", "Shim6 from outside with an address of this host as its source")      \
    COUNTER(SHIM6_DROP_DENIAL, "denial", "the kernel's words to peers that this host speaks no Shim6")                 \
    COUNTER(SHIM6_DROP_TOO_BIG, "too_big", "rehomed packets that do not fit their path")                               \
    COUNTER(SHIM6_DROP_UNREACHABLE, "unreachable", "packets whose source is on no uplink")                             \
    COUNTER(SHIM6_DROP_UNCHANGEABLE, "unchangeable", "packets that the kernel would not let be changed")               \
    COUNTER(SHIM6_DROP_STRAY, "stray", "what is on shim0 or shim0x and not for this host's program to carry")          \
    COUNTER(SHIM6_DROP_NO_UPLINK, "no_uplink", "rehomed packets whose source locator is on no uplink")

#define SHIM6_COUNTER_CONSTANT(constant, name, meaning) constant,

/// Index into `counters`.
enum shim6_counter {
    SHIM6_DONE_COUNTERS(SHIM6_COUNTER_CONSTANT) SHIM6_DROP_COUNTERS(SHIM6_COUNTER_CONSTANT) SHIM6_COUNTERS,
};

#endif

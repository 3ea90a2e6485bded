// The types that the kernel program and user space share: keys and values of the maps, and events.
// All numbers are in host order, all addresses in network order.
#ifndef SHIM6_MAPS_H
#define SHIM6_MAPS_H

#include <linux/types.h>

#include "shim6_counters.h"

// Whoever compiles this gets the same layout: no struct, key or not, has room that its members do not fill.
#pragma clang diagnostic push
#pragma clang diagnostic error "-Wpadded"

/// Octets of a packet that an event quotes, enough for the kernel to find the socket an ICMPv6 error is for.
#define SHIM6_QUOTE 128

struct shim6_address {
    __u8 octets[16];
};

/// Key of `pairs` and `candidates`: the addresses of a session as this host's sockets see them.
struct shim6_pair {
    struct shim6_address local;
    struct shim6_address peer;
};

/// The locators of a packet. Key of `next_hops`; the value is the address of the next hop on the uplink of `source`.
struct shim6_locator_pair {
    struct shim6_address source;
    struct shim6_address destination;
};

/// Entries of `next_hops`; beyond these the least recently used goes.
#define SHIM6_MOST_NEXT_HOPS 4096

/// How packets out carry their ULIDs.
enum shim6_form {
    /// As their addresses: not rehomed.
    SHIM6_PLAIN = 0,
    /// By the tag in a payload extension header (RFC 5533).
    SHIM6_PAYLOAD_HEADER = 1,
    /// In a type 2 routing header and a Home Address option (RFC 6275).
    SHIM6_HOME_ADDRESS = 2,
};

/// Flows of all forked contexts together.
#define SHIM6_MOST_FLOWS 65536

/// Key of `flows`: packets of a session that a forked context has (RFC 5533, section 4.2). Ports in network order as
/// packets out have them, 0 for any.
struct shim6_flow {
    struct shim6_pair ulids;
    __be16 local_port;
    __be16 peer_port;
    __u8 protocol;
    __u8 unused[3];
};

/// Value of `pairs` and `flows`: what to do with packets out, and where to stamp plain packets in.
struct shim6_outbound {
    /// Locators of packets out. Equal to the key while not rehomed.
    struct shim6_address source;
    struct shim6_address destination;
    /// In `pairs`, while `steered`: the locator whose uplink has the route of the pair.
    struct shim6_address way_back;
    __u64 local_tag;
    __u64 peer_tag;
    __u32 slot;
    /// enum shim6_form
    __u32 rehomed;
    /// In `pairs`: 1 if packets out have a route of their own, since a context of the pair is rehomed.
    __u32 steered;
    /// The largest packet that a router on the way has said to pass on; 0 if none has.
    __u32 path_mtu;
    /// In `pairs`: how many contexts are forked off, whose flows are looked up first.
    __u32 forks;
    /// In `pairs`: 1 if there are only forked contexts, and other packets have none.
    __u32 only_forks;
};

/// What happens to payload that carries a known tag.
enum shim6_inbound_mode {
    SHIM6_DELIVER = 0,
    SHIM6_DELIVER_AND_NOTIFY = 1,
    SHIM6_DISCARD = 2,
};

/// Value of `tags`, whose key is CT(local) as a 64-bit number.
struct shim6_inbound {
    struct shim6_pair ulids;
    __u32 slot;
    /// enum shim6_inbound_mode
    __u32 mode;
    /// 1 if the peer takes payload only in the form SHIM6_HOME_ADDRESS, and so sends it.
    __u32 home_address;
    __u32 unused;
};

/// Value of `locators`, whose key is an address of this host.
struct shim6_locator {
    /// 0 if the address is ours but has no uplink now.
    __u32 ifindex;
    /// 1 if frames of the interface have an Ethernet header.
    __u8 ethernet;
    __u8 unused;
    __u8 mac[6];
};

#define SHIM6_NOTIFY_IN 1
#define SHIM6_NOTIFY_OUT 2

/// About a second: longer waits count as one.
#define SHIM6_LONGEST_SPACING (1 << 20)

/// One context's traffic, in memory shared with the kernel. Times are CLOCK_MONOTONIC nanoseconds, 0 is "none".
struct shim6_activity {
    __u64 last_in;
    __u64 last_out;
    __u64 send_start;
    __u64 keep_start;
    /// SHIM6_NOTIFY_IN, SHIM6_NOTIFY_OUT; the program clears a flag when it reports.
    __u32 flags;
    /// Smoothed time between packets in, in units of 1,024 ns, at most SHIM6_LONGEST_SPACING; 0 if none came in.
    __u32 spacing_in;
    /// The locators of the last packet in, each a struct shim6_locator_pair, all zero if there was none; which of the
    /// two counts is told by `incoming_version`. Only by the functions of shim6_latch.h.
    __u64 incoming[2][4];
    __u64 incoming_version;
    /// When a super-packet was last left to shim0 to segment; only the program uses it.
    __u64 last_super_packet;
    /// The `send_start` for which SHIM6_EVENT_RETRANSMISSION was reported; only the program uses it.
    __u64 hinted;
};

/// Nanoseconds for which packets out must be unanswered before the last of each flow is kept.
#define SHIM6_KEEP_AFTER 5000000
/// Flows of one context whose last packet is kept; others take each other's place.
#define SHIM6_KEPT_FLOWS 4
#define SHIM6_KEPT_OCTETS 1600

/// Key of `kept_packets`.
struct shim6_kept_key {
    /// CT(local), which no other context gets again: a packet of an earlier one cannot be taken for this one's.
    __u64 tag;
    __u32 flow;
    __u32 unused;
};

/// Value of `kept_packets`: the last unanswered packet of a flow, with the ULIDs as addresses.
struct shim6_kept {
    /// CLOCK_MONOTONIC nanoseconds; 0 while it is being written.
    __u64 time;
    __u32 length;
    /// Offset of the transport header. Its checksum may be left to the interface.
    __u32 transport;
    /// 1 while a processor writes, so that no other mixes its packet in.
    __u32 writing;
    __u32 unused;
    __u8 octets[SHIM6_KEPT_OCTETS];
};

/// Limit of a rate: one event in `interval` nanoseconds, `burst` nanoseconds may be saved up. interval 0: no limit.
struct shim6_rate {
    __u64 interval;
    __u64 burst;
};

/// Control messages of one crowd that the daemon has not read yet, before more are dropped: its socket keeps room for
/// all others, and most for hosts that it knows.
#define SHIM6_MOST_UNREAD 512
#define SHIM6_MOST_UNREAD_ACQUAINTED 2048

/// Control messages of one kind, or reports, from all senders of one sort together.
struct shim6_crowd {
    /// From all together, and from one /48 of them.
    struct shim6_rate all;
    struct shim6_rate site;
    /// The time up to which the rate of all is used up; only the program uses it.
    __u64 used;
    /// How many have come since the daemon had last read all, and how many may.
    __u32 unread;
    __u32 most_unread;
};

/// The one value of `control`, in memory shared with the kernel.
struct shim6_control {
    /// When the daemon last lived. Control messages are dropped when this is older than `heartbeat_limit`.
    __u64 heartbeat;
    __u64 heartbeat_limit;
    /// Octets of a session, both ways together, that make a context worthwhile.
    __u64 trigger_octets;
    /// Age in nanoseconds that makes a context worthwhile whatever the octets.
    __u64 trigger_age;
    /// I1s of hosts with which there is neither a session nor a context.
    struct shim6_crowd strangers_i1;
    /// All other control messages of theirs.
    struct shim6_crowd strangers;
    /// I1s from elsewhere that name the ULIDs of a session. Those of one /48 count with its other I1s.
    struct shim6_crowd named_i1;
    /// Control messages of hosts with which there is a session or a context, unless they name it by its tag.
    struct shim6_crowd acquainted;
    /// I1s, and other messages, of one of these hosts; and I1s from elsewhere that name one session.
    struct shim6_rate pair;
    /// Control messages that name one context by its tag.
    struct shim6_rate tagged;
    /// Reports of unknown tags.
    struct shim6_crowd unknown_tag;
    /// Reports of payload of one context in mode SHIM6_DELIVER_AND_NOTIFY.
    struct shim6_rate payload;
    /// Reports of packets of one address pair that were too big or had no way out.
    struct shim6_rate undeliverable;
    /// The stack's end of the veth pair and the end where its segments come out.
    __u32 shim0;
    __u32 shim0x;
    /// 1 if the last packets of flows are kept.
    __u8 keeps_packets;
    __u8 unused[7];
};

/// Value of `candidates`: a session that has no context yet.
struct shim6_candidate {
    __u64 since;
    __u64 octets_in;
    __u64 octets_out;
    __u32 reported;
    /// How often a packet went the other way than the one before, at most SHIM6_BOTH_WAYS_TWICE. Odd: the last came in.
    __u32 turns;
    /// Since when packets go out without a pause longer than `trigger_age`, and when the last one went.
    __u64 sending_since;
    __u64 last_out;
};

/// Out, in, out, in: what one forged packet cannot bring about.
#define SHIM6_BOTH_WAYS_TWICE 3

/// Key of `peer_locators`, whose value says nothing: a locator that the peer of the context with this tag has proven.
struct shim6_peer_locator {
    __u64 tag;
    struct shim6_address address;
};

/// What a limiter counts.
enum shim6_limited {
    /// Of one /48.
    SHIM6_LIMIT_I1 = 1,
    SHIM6_LIMIT_UNKNOWN_TAG = 2,
    SHIM6_LIMIT_PAYLOAD = 3,
    SHIM6_LIMIT_TOO_BIG = 4,
    SHIM6_LIMIT_UNREACHABLE = 5,
    /// Of one /48.
    SHIM6_LIMIT_OTHER = 6,
    SHIM6_LIMIT_ACQUAINTED = 7,
    /// Of one address pair, and about one.
    SHIM6_LIMIT_PAIR_I1 = 8,
    SHIM6_LIMIT_PAIR_OTHER = 9,
    SHIM6_LIMIT_NAMED = 10,
    SHIM6_LIMIT_TAGGED = 11,
};

/// Key of `limiters`; the value is the time up to which the rate is used up.
struct shim6_limit_key {
    struct shim6_pair of;
    __u32 kind;
    __u32 unused;
};

enum shim6_event_kind {
    /// Enough traffic between `source` (ours) and `destination` for a context.
    SHIM6_EVENT_TRIGGER = 1,
    /// The packet that SHIM6_NOTIFY_IN asked for; `tag` and `slot` name the context.
    SHIM6_EVENT_ACTIVITY_IN = 2,
    SHIM6_EVENT_ACTIVITY_OUT = 3,
    /// Payload of a context in mode SHIM6_DELIVER_AND_NOTIFY.
    SHIM6_EVENT_PAYLOAD = 4,
    /// Payload from `source` to `destination` with a `tag` that no context has.
    SHIM6_EVENT_UNKNOWN_TAG = 5,
    /// A packet (its ULIDs as addresses, quoted) was dropped; `mtu` would have fitted.
    SHIM6_EVENT_TOO_BIG = 6,
    /// A packet (quoted) has no interface to leave by.
    SHIM6_EVENT_UNREACHABLE = 7,
    /// A packet of the context with `tag` (its local one) is too big for its path once it carries the payload header,
    /// and its sender cannot be told to make smaller ones: it follows the event, `quoted` octets.
    SHIM6_EVENT_TO_FRAGMENT = 8,
    /// A TCP socket sends something again while packets of the context with `tag` are unanswered; once for each time
    /// that they begin to be.
    SHIM6_EVENT_RETRANSMISSION = 9,
};

/// The smallest MTU of a link (RFC 8200, section 5): no sender can be told of a smaller one.
#define SHIM6_LEAST_MTU 1280

struct shim6_event {
    /// enum shim6_event_kind
    __u32 kind;
    __u32 slot;
    __u64 tag;
    /// CLOCK_MONOTONIC nanoseconds.
    __u64 time;
    struct shim6_address source;
    struct shim6_address destination;
    __u32 mtu;
    /// Octets of `quote` that are set; it begins at the IPv6 header.
    __u32 quoted;
    __u8 quote[SHIM6_QUOTE];
};

/// SHIM6_EVENT_TO_FRAGMENT.
struct shim6_whole_packet {
    struct shim6_event event;
    /// SHIM6_LEAST_MTU, and what a mask may leave in the eyes of the verifier.
    __u8 octets[2048];
};

#pragma clang diagnostic pop

#include "shim6_layout.h"

#endif

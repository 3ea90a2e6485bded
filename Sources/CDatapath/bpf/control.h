// Which control messages reach the daemon. Sources can be forged, so what comes from strangers is bounded twice: by a rate,
// and by what the daemon has not read yet. Nothing that strangers send takes the place of the messages of others.
#ifndef SHIM6_BPF_CONTROL_H
#define SHIM6_BPF_CONTROL_H

#include "packet.h"
#include "report.h"

#define I1 1
/// Types of messages that carry the receiver's context tag (RFC 5533, section 5.3).
#define FIRST_WITH_TAG 64
#define ULID_PAIR 6

/// The beginning of a control message with the context tag of its sender or receiver.
struct control_message {
    __u8 next;
    __u8 length;
    /// The first bit is P.
    __u8 type;
    __u8 unused;
    __be16 checksum;
    /// The first bit is reserved.
    __u8 tag[6];
    __be32 nonce;
};

/// A ULID Pair option (RFC 5533, section 5.15.6).
struct ulid_pair_option {
    /// The last bit is C.
    __be16 type;
    __be16 length;
    __be32 reserved;
    struct shim6_address sender;
    struct shim6_address receiver;
};

/// Whether this host has a context with the peer, or a session both ways.
INLINE int has_session(const struct shim6_pair *pair) {
    if (bpf_map_lookup_elem(&pairs, pair)) return 1;
    struct shim6_candidate *candidate = bpf_map_lookup_elem(&candidates, pair);
    return candidate && candidate->octets_in && candidate->octets_out;
}

/// Whether a message names one of this host's contexts by its tag, which only the peer knows.
INLINE int has_known_tag(struct __sk_buff *skb, __u32 l2, const struct packet *packet) {
    struct control_message message;
    if (bpf_skb_load_bytes(skb, l2 + packet->end.at, &message, sizeof message)) return 0;
    if (message.type < FIRST_WITH_TAG) return 0;
    __u64 tag = 0;
    __builtin_memcpy((__u8 *)&tag + 2, message.tag, sizeof message.tag);
    tag = bpf_be64_to_cpu(tag) & ~(1ULL << 47);
    return bpf_map_lookup_elem(&tags, &tag) != 0;
}

/// Whether an I1 that comes from another locator is about a session. The option has to be the first one.
INLINE int names_session(struct __sk_buff *skb, __u32 l2, const struct packet *packet) {
    struct ulid_pair_option option;
    __u32 at = l2 + packet->end.at + sizeof(struct control_message);
    if (bpf_skb_load_bytes(skb, at, &option, sizeof option)) return 0;
    if (bpf_ntohs(option.type) >> 1 != ULID_PAIR) return 0;
    struct shim6_pair pair = pair_of(&option.receiver, &option.sender);
    return has_session(&pair);
}

INLINE int is_exhausted(const struct shim6_strangers *strangers, __u64 now) {
    return strangers->unread >= SHIM6_MOST_UNREAD || is_used_up(&strangers->rate, strangers->used, now);
}

/// An I1. Those of hosts with a session are limited one by one, so that no flood can use up what they have.
NOINLINE int i1_in(struct __sk_buff *skb, __u32 l2, const struct packet *packet) {
    struct shim6_control *settled = settings();
    if (!settled || !packet) return TC_ACT_UNSPEC;
    struct shim6_pair pair = pair_of(&packet->ip.destination, &packet->ip.source);
    if (has_session(&pair) || names_session(skb, l2, packet))
        return within_pair_rate(&settled->i1, SHIM6_LIMIT_I1, &pair) ? TC_ACT_UNSPEC : drop(SHIM6_DROP_I1_RATE);
    struct shim6_strangers *strangers = &settled->strangers_i1;
    __u64 now = bpf_ktime_get_coarse_ns();
    // A flood from everywhere must not fill the table of limits, one from a single site not use up what strangers have.
    if (is_exhausted(strangers, now)) return drop(SHIM6_DROP_STRANGERS_I1_RATE);
    if (!within_prefix_rate(&settled->i1, SHIM6_LIMIT_I1, &packet->ip.source)) return drop(SHIM6_DROP_I1_RATE);
    if (!take(&strangers->rate, &strangers->used, now)) return drop(SHIM6_DROP_STRANGERS_I1_RATE);
    __sync_fetch_and_add(&strangers->unread, 1);
    return TC_ACT_UNSPEC;
}

/// Any other control message.
NOINLINE int other_in(struct __sk_buff *skb, __u32 l2, const struct packet *packet) {
    struct shim6_control *settled = settings();
    if (!settled || !packet || has_known_tag(skb, l2, packet)) return TC_ACT_UNSPEC;
    struct shim6_pair pair = pair_of(&packet->ip.destination, &packet->ip.source);
    if (has_session(&pair)) return TC_ACT_UNSPEC;
    struct shim6_strangers *strangers = &settled->strangers;
    __u64 now = bpf_ktime_get_coarse_ns();
    if (is_exhausted(strangers, now) || !take(&strangers->rate, &strangers->used, now))
        return drop(SHIM6_DROP_STRANGERS_RATE);
    __sync_fetch_and_add(&strangers->unread, 1);
    return TC_ACT_UNSPEC;
}

/// A control message: for the raw socket, if somebody reads it.
INLINE int control_in(struct __sk_buff *skb, __u32 l2, const struct packet *packet) {
    struct shim6_control *settled = settings();
    if (!settled) return TC_ACT_UNSPEC;
    __s64 age = bpf_ktime_get_coarse_ns() - settled->heartbeat;
    if (age > (__s64)settled->heartbeat_limit) return drop(SHIM6_DROP_NO_HEARTBEAT);
    return packet->shim.tag[0] == I1 ? i1_in(skb, l2, packet) : other_in(skb, l2, packet);
}

/// Whether a Shim6 header is behind the Fragment header of a packet, or may be: control messages are never too long for a
/// path, and the payload header stands in front. Without the first fragment the kernel drops the others.
NOINLINE int hides_shim6(struct __sk_buff *skb, __u32 l2, const struct packet *packet) {
    if (!packet) return 0;
    __u8 header[4];
    __u32 at = packet->end.at;
    if (bpf_skb_load_bytes(skb, l2 + at, header, sizeof header)) return 0;
    if (header[2] || header[3] & 0xf8) return 0;
    at += 8;
    for (int i = 0; i < MOST_HEADERS; i++) {
        __u8 next = header[0];
        if (next != HOP_BY_HOP && next != ROUTING && next != DESTINATION_OPTIONS) return next == SHIM6;
        if (bpf_skb_load_bytes(skb, l2 + at, header, sizeof header)) return 0;
        at += (header[1] + 1) * 8;
    }
    return 1;
}

#endif

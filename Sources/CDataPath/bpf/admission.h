// Which control messages reach the daemon. Sources can be forged, so senders are sorted by what is known of them, and
// each crowd is bounded: by a rate of all together, by one of each /48, and by what the daemon has not read yet.
// Nothing that one crowd sends takes the place of the messages of another.
#ifndef SHIM6_BPF_ADMISSION_H
#define SHIM6_BPF_ADMISSION_H

#include "classify.h"
#include "rates.h"

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

_Static_assert(sizeof(struct control_message) == 16, "RFC 5533, section 5.3");
_Static_assert(sizeof(struct ulid_pair_option) == 40, "RFC 5533, section 5.15.6");

/// Whether this host has a context with the peer, or a session both ways.
INLINE int has_session(const struct shim6_pair *pair) {
    if (bpf_map_lookup_elem(&pairs, pair)) return 1;
    struct shim6_candidate *candidate = bpf_map_lookup_elem(&candidates, pair);
    return candidate && candidate->octets_in && candidate->octets_out;
}

/// The tag by which a message names one of this host's contexts, which only the peer knows; 0 if it names none.
INLINE __u64 known_tag(struct __sk_buff *skb, __u32 l2, const struct packet *packet) {
    struct control_message message;
    if (bpf_skb_load_bytes(skb, l2 + packet->end.at, &message, sizeof message)) return 0;
    if (message.type < FIRST_WITH_TAG) return 0;
    __u64 tag = 0;
    __builtin_memcpy((__u8 *)&tag + 2, message.tag, sizeof message.tag);
    tag = bpf_be64_to_cpu(tag) & ~BEFORE_TAG;
    return bpf_map_lookup_elem(&tags, &tag) ? tag : 0;
}

/// What is known of the sender of a control message without the tag of a context.
enum sender {
    STRANGER,
    /// A stranger, but its I1 names the ULIDs of a session.
    NAMES_SESSION,
    /// There is a session or a context with it.
    ACQUAINTED,
};

/// Whether the peer of a context has proven that this is a locator of its own.
INLINE int is_proven(const struct shim6_pair *ulids, const struct shim6_address *source) {
    struct shim6_outbound *out = bpf_map_lookup_elem(&pairs, ulids);
    if (!out) return 0;
    struct shim6_peer_locator key = {.tag = out->local_tag, .address = *source};
    return bpf_map_lookup_elem(&peer_locators, &key) != 0;
}

/// Sorts a sender by the address pair of its message and the ULIDs that an I1 from another locator names. Their option
/// has to be the first one. `pair` becomes the named one where the pair of the message is no session.
NOINLINE int sort(struct __sk_buff *skb, __u32 at, __u32 end, struct shim6_pair *pair) {
    if (!pair) return STRANGER;
    if (has_session(pair)) return ACQUAINTED;
    struct ulid_pair_option option;
    if (!end || at + sizeof option > end || bpf_skb_load_bytes(skb, at, &option, sizeof option)) return STRANGER;
    if (bpf_ntohs(option.type) >> 1 != ULID_PAIR) return STRANGER;
    struct shim6_pair named = pair_of(&option.receiver, &option.sender);
    if (!has_session(&named)) return STRANGER;
    if (is_proven(&named, &pair->peer)) return ACQUAINTED;
    *pair = named;
    return NAMES_SESSION;
}

INLINE int is_exhausted(const struct shim6_crowd *crowd, __u64 now) {
    return crowd->unread >= crowd->most_unread || is_used_up(&crowd->all, crowd->used, now);
}

/// Takes a message's share of what its crowd may send. `kind` is what its /48 is limited in. A flood from everywhere
/// must not fill the table of limits, one from a single site not use up what the others have.
NOINLINE int admit(
    struct shim6_crowd *crowd, __u32 kind, const struct shim6_address *source, __u32 of_site, __u32 of_all) {
    if (!crowd || !source) return TC_ACT_SHOT;
    __u64 now = bpf_ktime_get_coarse_ns();
    if (is_exhausted(crowd, now)) return drop(of_all);
    if (!within_prefix_rate(&crowd->site, kind, source)) return drop(of_site);
    if (!take(&crowd->all, &crowd->used, now)) return drop(of_all);
    __sync_fetch_and_add(&crowd->unread, 1);
    return TC_ACT_UNSPEC;
}

/// A control message that carries no known tag: an I1, or any other. What a host with a session sends, or another in
/// its name, takes nothing from the others.
NOINLINE int untagged_in(struct __sk_buff *skb, __u32 l2, const struct packet *packet, __u32 is_i1) {
    struct shim6_control *settled = settings();
    if (!settled || !packet) return TC_ACT_SHOT;
    struct shim6_pair pair = pair_of(&packet->ip.destination, &packet->ip.source);
    __u32 options = l2 + packet->end.at + sizeof(struct control_message);
    int sender = sort(skb, options, is_i1 ? end_of(l2, packet) : 0, &pair);
    __u32 of_site = is_i1 ? SHIM6_DROP_I1_RATE : SHIM6_DROP_OTHER_RATE;
    if (sender != STRANGER) {
        __u32 kind = sender == NAMES_SESSION ? SHIM6_LIMIT_NAMED : is_i1 ? SHIM6_LIMIT_PAIR_I1 : SHIM6_LIMIT_PAIR_OTHER;
        if (!within_pair_rate(&settled->pair, kind, &pair)) return drop(of_site);
    }
    const struct shim6_address *source = &packet->ip.source;
    if (sender == ACQUAINTED)
        return admit(&settled->acquainted, SHIM6_LIMIT_ACQUAINTED, source, of_site, SHIM6_DROP_ACQUAINTED_RATE);
    if (sender == NAMES_SESSION)
        return admit(&settled->named_i1, SHIM6_LIMIT_I1, source, of_site, SHIM6_DROP_STRANGERS_I1_RATE);
    if (is_i1) return admit(&settled->strangers_i1, SHIM6_LIMIT_I1, source, of_site, SHIM6_DROP_STRANGERS_I1_RATE);
    return admit(&settled->strangers, SHIM6_LIMIT_OTHER, source, of_site, SHIM6_DROP_STRANGERS_RATE);
}

/// A control message: for the raw socket, if somebody reads it.
INLINE int control_in(struct __sk_buff *skb, __u32 l2, const struct packet *packet) {
    struct shim6_control *settled = settings();
    if (!settled) return TC_ACT_SHOT;
    if (!is_global_unicast(&packet->ip.source) || !is_global_unicast(&packet->ip.destination))
        return drop(SHIM6_DROP_BAD_ADDRESS);
    __s64 age = bpf_ktime_get_coarse_ns() - settled->heartbeat;
    if (age > (__s64)settled->heartbeat_limit) return drop(SHIM6_DROP_NO_HEARTBEAT);
    int is_i1 = packet->shim.tag[0] == I1;
    __u64 tag = is_i1 ? 0 : known_tag(skb, l2, packet);
    if (!tag) return untagged_in(skb, l2, packet, is_i1);
    int fits = within_tag_rate(&settled->tagged, SHIM6_LIMIT_TAGGED, tag);
    return fits ? TC_ACT_UNSPEC : drop(SHIM6_DROP_OTHER_RATE);
}

#endif

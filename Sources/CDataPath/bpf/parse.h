// Reading packets. Offsets count from the IPv6 header; `l2` octets of link-layer header stand before it, which is a
// constant in each program. What is nearly always in one piece is read in place; everything is read by a helper as
// well, so paged data needs no care.
#ifndef SHIM6_BPF_PARSE_H
#define SHIM6_BPF_PARSE_H

#include <linux/if_ether.h>

#include <bpf/bpf_endian.h>

#include "maps.h"
#include "protocol_numbers.h"

/// Extension headers that are followed, and how many octets of them may stand before the payload header.
#define MOST_HEADERS 8
#define MOST_OCTETS_BEFORE 512

struct ipv6_header {
    __u32 first;
    __be16 payload_length;
    __u8 next;
    __u8 hop_limit;
    struct shim6_address source;
    struct shim6_address destination;
};

/// RFC 5533, section 5.2.
struct payload_header {
    __u8 next;
    __u8 length;
    /// The first bit is P.
    __u8 tag[6];
};

/// A place between two headers.
struct place {
    /// Offset of the header behind it.
    __u32 at;
    /// Offset of the octet that names that header.
    __u32 name;
    /// What that octet says.
    __u8 next;
};

/// The beginning of a packet, in one piece so that one store writes both headers.
struct packet {
    struct ipv6_header ip;
    struct payload_header shim;
    /// Behind Hop-by-Hop, Routing, and Destination Options in front of Routing: where the payload header goes (RFC
    /// 5533, section 4.6).
    struct place insertion;
    /// Behind all Hop-by-Hop, Routing and Destination Options headers.
    struct place end;
    /// The segments of a super-packet fit as they are: they need not give up data for the payload header.
    __u8 keeps_segments;
    /// A Routing header still has segments to visit: the packet is not for this host yet.
    __u8 in_transit;
};

_Static_assert(sizeof(struct ipv6_header) == IPV6_LENGTH, "RFC 8200, section 3");
_Static_assert(sizeof(struct payload_header) == PAYLOAD_HEADER_LENGTH, "RFC 5533, section 5.2");
_Static_assert(__builtin_offsetof(struct packet, shim) == IPV6_LENGTH, "one store writes both headers");

INLINE int read_ip(struct __sk_buff *skb, __u32 l2, struct packet *packet) {
    if (skb->protocol != bpf_htons(ETH_P_IPV6)) return -1;
    const struct ipv6_header *ip = (void *)(long)skb->data + l2;
    if ((void *)(ip + 1) > (void *)(long)skb->data_end)
        return bpf_skb_load_bytes(skb, l2, &packet->ip, sizeof packet->ip);
    packet->ip = *ip;
    return 0;
}

/// Follows the extension headers; negative if they are cut short or too many.
NOINLINE int follow_headers(struct __sk_buff *skb, __u32 l2, struct packet *packet) {
    if (!packet) return -1;
    struct place here = {
        .at = IPV6_LENGTH, .name = __builtin_offsetof(struct ipv6_header, next), .next = packet->ip.next};
    packet->insertion = here;
    for (int i = 0; i < MOST_HEADERS; i++) {
        if (here.next != HOP_BY_HOP && here.next != ROUTING && here.next != DESTINATION_OPTIONS) {
            packet->end = here;
            return 0;
        }
        __u8 header[4];
        if (bpf_skb_load_bytes(skb, l2 + here.at, header, sizeof header)) return -1;
        __u8 was = here.next;
        here.name = here.at;
        here.at += (header[1] + 1) * 8;
        here.next = header[0];
        if (was == ROUTING && header[3]) packet->in_transit = 1;
        if (was != DESTINATION_OPTIONS) packet->insertion = here;
    }
    return -1;
}

/// Reads the IPv6 header and finds the places. 0 if done, 1 if it is not IPv6, negative if it is malformed.
INLINE int read_packet(struct __sk_buff *skb, __u32 l2, struct packet *packet) {
    packet->in_transit = 0;
    if (read_ip(skb, l2, packet)) return 1;
    if (packet->ip.next == TCP || packet->ip.next == UDP || packet->ip.next == SHIM6) {
        packet->insertion.at = IPV6_LENGTH;
        packet->insertion.name = __builtin_offsetof(struct ipv6_header, next);
        packet->insertion.next = packet->ip.next;
        packet->end = packet->insertion;
        return 0;
    }
    return follow_headers(skb, l2, packet);
}

/// Whether the first extension header is the one that the kernel puts into a TCP super-packet of more than 65,535
/// octets, for itself: Hop-by-Hop Options with the length (RFC 2675), which would not be found behind another header.
INLINE int is_jumbo(const struct __sk_buff *skb, const struct packet *packet) {
    return skb->gso_size && !packet->ip.payload_length && packet->ip.next == HOP_BY_HOP && packet->end.next == TCP &&
           packet->end.at == IPV6_LENGTH + JUMBO_LENGTH;
}

/// Gives a packet of a link without them an Ethernet header, which other links and some helpers want.
INLINE int add_ethernet(struct __sk_buff *skb) {
    const struct ethhdr header = {.h_proto = bpf_htons(ETH_P_IPV6)};
    return bpf_skb_change_head(skb, ETHERNET, 0) || bpf_skb_store_bytes(skb, 0, &header, sizeof header, 0);
}

enum chain {
    HARMLESS,
    HIDES_SHIM6,
    /// It goes on in a later fragment.
    INCOMPLETE,
};

/// What a chain of headers leads to that begins with `next` at `at` and must not go beyond `end`: whether the stack
/// would find a Shim6 header there, of which the limits know nothing.
NOINLINE int follow_chain(struct __sk_buff *skb, __u32 at, __u32 end, __u8 next) {
    int in_fragment = 0;
    for (int i = 0; i < MOST_HEADERS; i++) {
        if (next == SHIM6) return HIDES_SHIM6;
        if (next != HOP_BY_HOP && next != ROUTING && next != DESTINATION_OPTIONS && next != FRAGMENT)
            return in_fragment && next != NO_NEXT_HEADER && at >= end ? INCOMPLETE : HARMLESS;
        __u8 header[4];
        // The stack cuts a packet at its own length: what a frame has behind that is not what it sees.
        if (at + sizeof header > end || bpf_skb_load_bytes(skb, at, header, sizeof header)) return INCOMPLETE;
        if (next == FRAGMENT) {
            // Nobody makes a fragment of a fragment.
            if (in_fragment) return HIDES_SHIM6;
            // Without the first one, which is looked at, the stack drops the others; and those that overlap.
            if (header[2] || header[3] & 0xf8) return HARMLESS;
            in_fragment = 1;
            at += FRAGMENT_LENGTH;
        } else {
            at += (header[1] + 1) * 8;
        }
        next = header[0];
    }
    return HIDES_SHIM6;
}

/// Where the packet ends, by what its header says.
INLINE __u32 end_of(__u32 l2, const struct packet *packet) {
    return l2 + IPV6_LENGTH + bpf_ntohs(packet->ip.payload_length);
}

INLINE struct shim6_pair pair_of(const struct shim6_address *local, const struct shim6_address *peer) {
    struct shim6_pair pair = {.local = *local, .peer = *peer};
    return pair;
}

#endif

// Reading packets. Offsets count from the IPv6 header; `l2` octets of link-layer header stand before it, which is a
// constant in each program. What is nearly always in one piece is read in place; everything is read by a helper as well,
// so paged data needs no care.
#ifndef SHIM6_BPF_PACKET_H
#define SHIM6_BPF_PACKET_H

#include <linux/if_ether.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_endian.h>

#include "maps.h"

#define HOP_BY_HOP 0
#define TCP 6
#define UDP 17
#define DCCP 33
#define SCTP 132
#define ROUTING 43
#define FRAGMENT 44
#define ICMPV6 58
#define NO_NEXT_HEADER 59
#define DESTINATION_OPTIONS 60
#define SHIM6 140

#define ETHERNET 14
#define IPV6_LENGTH 40
#define PAYLOAD_HEADER_LENGTH 8
#define HOME_HEADERS_LENGTH 48
#define JUMBO_LENGTH 8
/// Extension headers that are followed, and how many octets of them may stand before the payload header.
#define MOST_HEADERS 8
#define MOST_OCTETS_BEFORE 512
#define AF_INET6 10
/// Of `__sk_buff.pkt_type`: a frame for another host.
#define PACKET_OTHERHOST 3

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

INLINE int drop(__u32 counter) {
    count(counter);
    return TC_ACT_SHOT;
}

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

/// Whether the first extension header is the one that the kernel puts into a TCP super-packet of more than 65,535 octets, for
/// itself: Hop-by-Hop Options with the length (RFC 2675), which would not be found behind another header.
INLINE int is_jumbo(const struct __sk_buff *skb, const struct packet *packet) {
    return skb->gso_size && !packet->ip.payload_length && packet->ip.next == HOP_BY_HOP && packet->end.next == TCP &&
           packet->end.at == IPV6_LENGTH + JUMBO_LENGTH;
}

/// Gives a packet of a link without them an Ethernet header, which other links and some helpers want.
INLINE int add_ethernet(struct __sk_buff *skb) {
    const struct ethhdr header = {.h_proto = bpf_htons(ETH_P_IPV6)};
    return bpf_skb_change_head(skb, ETHERNET, 0) || bpf_skb_store_bytes(skb, 0, &header, sizeof header, 0);
}

/// Whether an address can be a ULID or a locator: the same table as that of `canBeLocator` in the module Locators, which
/// says why. A test compares them.
INLINE int is_global_unicast(const struct shim6_address *address) {
    const __be32 *words = (const __be32 *)address->octets;
    __u32 first = bpf_ntohl(words[0]);
    if (first >> 24 == 0 || first >> 24 == 0xff) return 0;
    // fe80::/10 and fec0::/10.
    if (first >> 23 == 0xfe80 >> 7) return 0;
    // 100::/64.
    if (first == 0x01000000) return words[1] != 0;
    // 2001::/23 is for protocols, but for Teredo and benchmarks.
    if (first >> 9 != 0x20010000 >> 9 || first == 0x20010000) return 1;
    return first == 0x20010002 && !(bpf_ntohl(words[1]) >> 16);
}

/// Multicast listener and neighbour discovery: they belong to a link and never to a session.
INLINE int is_link_icmp(struct __sk_buff *skb, __u32 l2, const struct packet *packet) {
    if (packet->end.next != ICMPV6) return 0;
    __u8 type = 0;
    if (bpf_skb_load_bytes(skb, l2 + packet->end.at, &type, 1)) return 1;
    return (type >= 130 && type <= 137) || type == 143;
}

/// An ICMPv6 Parameter Problem that says that this host does not know Shim6: what the kernel answers when nobody has room
/// for a control message. A peer would believe it for ten minutes. What is unknown stands where the pointer points, behind
/// other headers perhaps. What cannot be read there says nothing to the peer either.
INLINE int is_denial(struct __sk_buff *skb, __u32 l2, const struct packet *packet) {
    if (packet->end.next != ICMPV6) return 0;
    const __u8 parameter_problem = 4, unknown_next_header = 1;
    struct {
        __u8 type;
        __u8 code;
        __be16 checksum;
        __be32 pointer;
    } problem;
    if (bpf_skb_load_bytes(skb, l2 + packet->end.at, &problem, sizeof problem)) return 0;
    if (problem.type != parameter_problem || problem.code != unknown_next_header) return 0;
    __u8 unknown = 0;
    __u32 at = l2 + packet->end.at + sizeof problem + bpf_ntohl(problem.pointer);
    return !bpf_skb_load_bytes(skb, at, &unknown, 1) && unknown == SHIM6;
}

enum chain {
    HARMLESS,
    HIDES_SHIM6,
    /// It goes on in a later fragment.
    INCOMPLETE,
};

/// What a chain of headers leads to that begins with `next` at `at` and must not go beyond `end`: whether the stack would
/// find a Shim6 header there, of which the limits know nothing.
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
            at += 8;
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

/// Whether the stack takes what is sent to the destination of this packet, rather than pass it on: also at an address that
/// is no locator. Where it forwards nothing it is of no use to anybody else.
NOINLINE int is_for_this_host(struct __sk_buff *skb, const struct packet *packet) {
    struct shim6_control *settled = settings();
    if (!packet || !settled) return 0;
    if (bpf_map_lookup_elem(&locators, &packet->ip.destination)) return 1;
    // Whether an uplink has forwarding switched off says nothing of the host: routers do that to hear advertisements.
    struct bpf_fib_lookup route = {.family = AF_INET6, .ifindex = settled->shim0};
    __builtin_memcpy(route.ipv6_src, &packet->ip.source, sizeof route.ipv6_src);
    __builtin_memcpy(route.ipv6_dst, &packet->ip.destination, sizeof route.ipv6_dst);
    int found = bpf_fib_lookup(skb, &route, sizeof route, 0);
    return found == BPF_FIB_LKUP_RET_NOT_FWDED || found == BPF_FIB_LKUP_RET_FWD_DISABLED;
}

/// Whether a packet says nothing of a session, since anybody can draw it from a host by one with a forged source: the
/// beginning of a connection, its refusal, ICMPv6.
INLINE int is_drawn(struct __sk_buff *skb, __u32 l2, const struct packet *packet) {
    __u8 octet;
    __u32 at = l2 + packet->end.at;
    switch (packet->end.next) {
    case ICMPV6:
        return 1;
    case FRAGMENT:
        return bpf_skb_load_bytes(skb, at, &octet, 1) || octet == ICMPV6;
    case TCP:
        // SYN, RST.
        return bpf_skb_load_bytes(skb, at + 13, &octet, 1) || octet & 0x06;
    case SCTP:
        // INIT, INIT ACK, ABORT, SHUTDOWN COMPLETE.
        return bpf_skb_load_bytes(skb, at + 12, &octet, 1) || octet == 1 || octet == 2 || octet == 6 || octet == 14;
    case DCCP:
        if (bpf_skb_load_bytes(skb, at + 8, &octet, 1)) return 1;
        // Request, Response, Reset.
        octet = octet >> 1 & 15;
        return octet < 2 || octet == 7;
    default:
        return 0;
    }
}

INLINE struct shim6_pair pair_of(const struct shim6_address *local, const struct shim6_address *peer) {
    struct shim6_pair pair = {.local = *local, .peer = *peer};
    return pair;
}

#endif

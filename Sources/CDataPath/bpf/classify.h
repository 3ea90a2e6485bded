// What a packet is: whose it is, whether it can belong to a session, and what it says of one.
#ifndef SHIM6_BPF_CLASSIFY_H
#define SHIM6_BPF_CLASSIFY_H

#include "parse.h"

/// Whether an address can be a ULID or a locator: the same table as that of `canBeLocator` in the module Locators,
/// which says why. A test compares them.
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
    return (type >= LISTENER_QUERY && type <= REDIRECT) || type == LISTENER_REPORT_V2;
}

/// An ICMPv6 Parameter Problem that says that this host does not know Shim6: what the kernel answers when nobody has
/// room for a control message. A peer would believe it for ten minutes. What is unknown stands where the pointer
/// points, behind other headers perhaps. What cannot be read there says nothing to the peer either.
INLINE int is_denial(struct __sk_buff *skb, __u32 l2, const struct packet *packet) {
    if (packet->end.next != ICMPV6) return 0;
    struct {
        __u8 type;
        __u8 code;
        __be16 checksum;
        __be32 pointer;
    } problem;
    if (bpf_skb_load_bytes(skb, l2 + packet->end.at, &problem, sizeof problem)) return 0;
    if (problem.type != PARAMETER_PROBLEM || problem.code != UNRECOGNIZED_NEXT_HEADER) return 0;
    __u8 unknown = 0;
    __u32 at = l2 + packet->end.at + sizeof problem + bpf_ntohl(problem.pointer);
    return !bpf_skb_load_bytes(skb, at, &unknown, 1) && unknown == SHIM6;
}

/// Whether the stack takes what is sent to the destination of this packet, rather than pass it on: also at an address
/// that is no locator. Where it forwards nothing it is of no use to anybody else.
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
        return bpf_skb_load_bytes(skb, at + 13, &octet, 1) || octet & (TCP_SYN | TCP_RST);
    case SCTP:
        return bpf_skb_load_bytes(skb, at + 12, &octet, 1) || octet == SCTP_INIT || octet == SCTP_INIT_ACK ||
               octet == SCTP_ABORT || octet == SCTP_SHUTDOWN_COMPLETE;
    case DCCP:
        if (bpf_skb_load_bytes(skb, at + 8, &octet, 1)) return 1;
        octet = octet >> 1 & 15;
        return octet == DCCP_REQUEST || octet == DCCP_RESPONSE || octet == DCCP_RESET;
    default:
        return 0;
    }
}

#endif

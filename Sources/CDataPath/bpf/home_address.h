// The other form of rehomed payload: a type 2 routing header and a Destination Options header with a Home Address
// option carry the ULIDs (RFC 6275, sections 6.3 and 6.4), as the kernel's XFRM makes and takes them.
#ifndef SHIM6_BPF_HOME_ADDRESS_H
#define SHIM6_BPF_HOME_ADDRESS_H

#include "parse.h"

/// Right behind the IPv6 header.
struct home_headers {
    __u8 routing_next;
    __u8 routing_length;
    __u8 routing_type;
    __u8 segments_left;
    __be32 reserved;
    /// The destination that the socket sees.
    struct shim6_address destination;
    __u8 options_next;
    __u8 options_length;
    /// PadN of 4 octets, then the option's type and length.
    __u8 padding[4];
    __u8 option_type;
    __u8 option_length;
    /// The source that the socket sees.
    struct shim6_address source;
};

_Static_assert(sizeof(struct home_headers) == HOME_HEADERS_LENGTH, "24 octets each");

/// Whether these headers are what XFRM makes, on their way to the host that puts the ULIDs back.
INLINE int are_home_headers(const struct home_headers *headers) {
    return headers->routing_next == DESTINATION_OPTIONS && headers->routing_length == 2 &&
           headers->routing_type == ROUTING_TYPE_2 && headers->segments_left == 1 && headers->options_length == 2 &&
           headers->padding[0] == PAD_N && headers->padding[1] == 2 && headers->option_type == HOME_ADDRESS_OPTION &&
           headers->option_length == 16;
}

/// Reads them behind the IPv6 header; negative if something else is there.
INLINE int read_home_headers(
    struct __sk_buff *skb, __u32 l2, const struct packet *packet, struct home_headers *headers) {
    if (packet->ip.next != ROUTING || bpf_skb_load_bytes(skb, l2 + IPV6_LENGTH, headers, sizeof *headers)) return -1;
    return are_home_headers(headers) ? 0 : -1;
}

/// Gives a packet the locators and the headers. The kernel knows these and segments behind them.
NOINLINE int rehome_with_home_address(
    struct __sk_buff *skb, __u32 l2, struct packet *packet, const struct shim6_outbound *out) {
    if (!packet || !out) return -1;
    int is_large = is_jumbo(skb, packet);
    if (packet->insertion.at != IPV6_LENGTH && !is_large) return -1;
    __u64 room = skb->gso_size && packet->keeps_segments ? BPF_F_ADJ_ROOM_FIXED_GSO : 0;
    __s32 added = is_large ? HOME_HEADERS_LENGTH - JUMBO_LENGTH : HOME_HEADERS_LENGTH;
    if (bpf_skb_adjust_room(skb, added, BPF_ADJ_ROOM_NET, room)) return -1;
    struct home_headers headers = {
        .routing_next = DESTINATION_OPTIONS,
        .routing_length = 2,
        .routing_type = ROUTING_TYPE_2,
        .segments_left = 1,
        .destination = packet->ip.destination,
        .options_next = packet->insertion.next,
        .options_length = 2,
        .padding = {PAD_N, 2},
        .option_type = HOME_ADDRESS_OPTION,
        .option_length = 16,
        .source = packet->ip.source,
    };
    packet->ip.source = out->source;
    packet->ip.destination = out->destination;
    if (!is_large) packet->ip.payload_length = bpf_htons(bpf_ntohs(packet->ip.payload_length) + HOME_HEADERS_LENGTH);
    packet->ip.next = ROUTING;
    if (bpf_skb_store_bytes(skb, l2, &packet->ip, sizeof packet->ip, 0)) return -1;
    return bpf_skb_store_bytes(skb, l2 + IPV6_LENGTH, &headers, sizeof headers, 0);
}

/// Gives a packet its ULIDs back and takes the headers out.
NOINLINE int restore_from_home_address(
    struct __sk_buff *skb, __u32 l2, struct packet *packet, const struct home_headers *headers) {
    if (!packet || !headers || bpf_ntohs(packet->ip.payload_length) < HOME_HEADERS_LENGTH) return -1;
    packet->ip.source = headers->source;
    packet->ip.destination = headers->destination;
    packet->ip.next = headers->options_next;
    packet->ip.payload_length = bpf_htons(bpf_ntohs(packet->ip.payload_length) - HOME_HEADERS_LENGTH);
    if (bpf_skb_adjust_room(skb, -HOME_HEADERS_LENGTH, BPF_ADJ_ROOM_NET, 0)) return -1;
    return bpf_skb_store_bytes(skb, l2, &packet->ip, sizeof packet->ip, BPF_F_RECOMPUTE_CSUM);
}

#endif

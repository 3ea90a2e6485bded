// Putting the payload extension header in and taking it out (RFC 5533, section 5.2).
#ifndef SHIM6_BPF_PAYLOAD_HEADER_H
#define SHIM6_BPF_PAYLOAD_HEADER_H

#include "parse.h"

/// Gives a packet the locators and the payload header.
/// The transport's checksum stays what it was for the ULIDs (RFC 5533, section 11.1). The header is called `as`: Shim6,
/// or Destination Options if the kernel has to segment behind it, which it does only behind one that it knows.
NOINLINE int rehome(struct __sk_buff *skb, __u32 l2, struct packet *packet, const struct shim6_outbound *out, __u8 as) {
    if (!packet || !out) return -1;
    __u32 before = packet->insertion.at - IPV6_LENGTH;
    if (before > MOST_OCTETS_BEFORE) return -1;
    int is_large = is_jumbo(skb, packet);
    __u64 room = skb->gso_size && packet->keeps_segments ? BPF_F_ADJ_ROOM_FIXED_GSO : 0;
    // The header takes the place of the other, which is as long.
    if (is_large) before = 0;
    else if (bpf_skb_adjust_room(skb, PAYLOAD_HEADER_LENGTH, BPF_ADJ_ROOM_NET, room)) return -1;

    // No checksum is looked at: 5533-11.1-02.
    packet->ip.source = out->source;
    packet->ip.destination = out->destination;
    if (!is_large) packet->ip.payload_length = bpf_htons(bpf_ntohs(packet->ip.payload_length) + PAYLOAD_HEADER_LENGTH);
    packet->shim.next = packet->insertion.next;
    packet->shim.length = 0;
    __u64 tag = bpf_cpu_to_be64(out->peer_tag | BEFORE_TAG);
    __builtin_memcpy(packet->shim.tag, (__u8 *)&tag + 2, sizeof packet->shim.tag);
    if (!before) {
        packet->ip.next = as;
        return bpf_skb_store_bytes(skb, l2, packet, sizeof packet->ip + sizeof packet->shim, 0);
    }
    // The room is right behind the IPv6 header; the headers that stay in front move up into it.
    for (__u32 i = 0; i < MOST_OCTETS_BEFORE / 8 && i * 8 < before; i++) {
        __u64 octets;
        __u32 to = l2 + IPV6_LENGTH + i * 8;
        if (bpf_skb_load_bytes(skb, to + PAYLOAD_HEADER_LENGTH, &octets, 8)) return -1;
        if (bpf_skb_store_bytes(skb, to, &octets, 8, 0)) return -1;
    }
    if (bpf_skb_store_bytes(skb, l2, &packet->ip, sizeof packet->ip, 0)) return -1;
    if (bpf_skb_store_bytes(skb, l2 + packet->insertion.name, &as, 1, 0)) return -1;
    return bpf_skb_store_bytes(skb, l2 + packet->insertion.at, &packet->shim, sizeof packet->shim, 0);
}

/// Gives a packet its ULIDs back and takes the payload header out, which stands at `packet->end` (RFC 5533, section
/// 12.2).
NOINLINE int restore(struct __sk_buff *skb, __u32 l2, struct packet *packet, const struct shim6_pair *ulids) {
    if (!packet || !ulids) return -1;
    __u32 before = packet->end.at - IPV6_LENGTH;
    if (before > MOST_OCTETS_BEFORE) return -1;
    packet->ip.source = ulids->peer;
    packet->ip.destination = ulids->local;
    packet->ip.payload_length = bpf_htons(bpf_ntohs(packet->ip.payload_length) - PAYLOAD_HEADER_LENGTH);
    // What can be removed is right behind the IPv6 header; the headers in front move back, the last one first.
    for (__u32 i = 0; i < MOST_OCTETS_BEFORE / 8 && i * 8 < before; i++) {
        __u64 octets;
        __u32 from = l2 + IPV6_LENGTH + before - 8 - i * 8;
        if (bpf_skb_load_bytes(skb, from, &octets, 8)) return -1;
        if (bpf_skb_store_bytes(skb, from + PAYLOAD_HEADER_LENGTH, &octets, 8, BPF_F_RECOMPUTE_CSUM)) return -1;
    }
    if (bpf_skb_adjust_room(skb, -PAYLOAD_HEADER_LENGTH, BPF_ADJ_ROOM_NET, 0)) return -1;
    if (!before) packet->ip.next = packet->shim.next;
    if (bpf_skb_store_bytes(skb, l2, &packet->ip, sizeof packet->ip, BPF_F_RECOMPUTE_CSUM)) return -1;
    if (!before) return 0;
    return bpf_skb_store_bytes(skb, l2 + packet->end.name, &packet->shim.next, 1, BPF_F_RECOMPUTE_CSUM);
}

#endif

// Packets in: on the ingress of an uplink, and those that appear on shim0.
#ifndef SHIM6_BPF_INCOMING_H
#define SHIM6_BPF_INCOMING_H

#include "admission.h"
#include "classify.h"
#include "deliver.h"
#include "home_address.h"
#include "payload_header.h"
#include "stamps.h"
#include "trigger.h"

/// A packet whose extension headers end at a Shim6 header.
INLINE int shim6_packet_in(struct __sk_buff *skb, __u32 l2, struct packet *packet) {
    __u64 tag = 0;
    struct shim6_inbound *in = 0;
    int is_whole = !bpf_skb_load_bytes(skb, l2 + packet->end.at, &packet->shim, sizeof packet->shim);
    int is_payload = is_whole && packet->shim.tag[0] & PAYLOAD;
    if (is_payload) {
        __builtin_memcpy((__u8 *)&tag + 2, packet->shim.tag, sizeof packet->shim.tag);
        tag = bpf_be64_to_cpu(tag) & ~BEFORE_TAG;
        in = bpf_map_lookup_elem(&tags, &tag);
    }
    // A known tag is enough: nobody else knows it. For the rest it must be seen whether this host only forwards it.
    if (!in && !is_for_this_host(skb, packet)) return TC_ACT_UNSPEC;
    // A router sends back what a peer made this host send to itself.
    if (bpf_map_lookup_elem(&locators, &packet->ip.source)) return drop(SHIM6_DROP_OWN_SOURCE);
    if (!is_whole) return drop(SHIM6_DROP_MALFORMED);
    if (!is_payload) return control_in(skb, l2, packet);
    __u32 headers = packet->end.at + PAYLOAD_HEADER_LENGTH;
    __u32 end = end_of(l2, packet);
    // What is restored must be a packet that the stack takes.
    if (skb->pkt_type || packet->shim.length || l2 + headers > end || end > skb->len) return drop(SHIM6_DROP_MALFORMED);
    if (!is_global_unicast(&packet->ip.source)) return drop(SHIM6_DROP_BAD_ADDRESS);
    // A control message inside would get around its limits.
    int chain = follow_chain(skb, l2 + headers, end, packet->shim.next);
    if (chain) return drop(chain == INCOMPLETE ? SHIM6_DROP_INCOMPLETE_CHAIN : SHIM6_DROP_MALFORMED);
    struct shim6_control *settled = settings();
    if (!in) {
        // An address that is no locator has nothing to answer.
        if (!settled || !bpf_map_lookup_elem(&locators, &packet->ip.destination)) return drop(SHIM6_DROP_UNKNOWN_TAG);
        int verdict = admit(
            &settled->unknown_tag, SHIM6_LIMIT_UNKNOWN_TAG, &packet->ip.source, SHIM6_DROP_UNKNOWN_TAG,
            SHIM6_DROP_UNKNOWN_TAG);
        if (verdict == TC_ACT_SHOT) return verdict;
        report_addresses(SHIM6_EVENT_UNKNOWN_TAG, tag, &packet->ip.source, &packet->ip.destination);
        return drop(SHIM6_DROP_UNKNOWN_TAG);
    }
    if (in->mode == SHIM6_DISCARD) return drop(SHIM6_DROP_DISCARD_MODE);
    stamp_in(in->slot, tag, &packet->ip);
    if (in->mode == SHIM6_DELIVER_AND_NOTIFY && settled && within_tag_rate(&settled->payload, SHIM6_LIMIT_PAYLOAD, tag))
        report_context(SHIM6_EVENT_PAYLOAD, in->slot, tag);
    if (restore(skb, l2, packet, &in->ulids)) return drop(SHIM6_DROP_UNCHANGEABLE);
    count(SHIM6_COUNT_RESTORED);
    return merge(skb, l2);
}

/// Payload with the ULIDs in a routing header and a Home Address option: of a context, or nobody's business here.
INLINE int home_address_in(struct __sk_buff *skb, __u32 l2, struct packet *packet) {
    struct home_headers headers;
    if (read_home_headers(skb, l2, packet, &headers)) return TC_ACT_UNSPEC;
    struct shim6_pair pair = pair_of(&headers.destination, &headers.source);
    // The form cannot tell flows apart: it is the default context's.
    struct shim6_outbound *out = bpf_map_lookup_elem(&pairs, &pair);
    if (!out || out->only_forks || !bpf_map_lookup_elem(&locators, &packet->ip.destination)) return TC_ACT_UNSPEC;
    __u64 tag = out->local_tag;
    struct shim6_inbound *in = bpf_map_lookup_elem(&tags, &tag);
    if (!in || !in->home_address) return TC_ACT_UNSPEC;
    if (bpf_map_lookup_elem(&locators, &packet->ip.source)) return drop(SHIM6_DROP_OWN_SOURCE);
    __u32 behind = l2 + IPV6_LENGTH + HOME_HEADERS_LENGTH;
    __u32 end = end_of(l2, packet);
    if (skb->pkt_type || behind > end || end > skb->len) return drop(SHIM6_DROP_MALFORMED);
    if (!is_global_unicast(&packet->ip.source)) return drop(SHIM6_DROP_BAD_ADDRESS);
    // A control message inside would get around its limits.
    int chain = follow_chain(skb, behind, end, headers.options_next);
    if (chain) return drop(chain == INCOMPLETE ? SHIM6_DROP_INCOMPLETE_CHAIN : SHIM6_DROP_MALFORMED);
    if (in->mode == SHIM6_DISCARD) return drop(SHIM6_DROP_DISCARD_MODE);
    stamp_in(in->slot, tag, &packet->ip);
    struct shim6_control *settled = settings();
    if (in->mode == SHIM6_DELIVER_AND_NOTIFY && settled && within_tag_rate(&settled->payload, SHIM6_LIMIT_PAYLOAD, tag))
        report_context(SHIM6_EVENT_PAYLOAD, in->slot, tag);
    if (restore_from_home_address(skb, l2, packet, &headers)) return drop(SHIM6_DROP_UNCHANGEABLE);
    count(SHIM6_COUNT_RESTORED);
    return merge(skb, l2);
}

/// A packet that was handed over to this uplink.
INLINE int handed_over(struct __sk_buff *skb, __u32 l2) {
    struct packet packet;
    if (skb->tc_index == TO_FIND_SOCKET && !read_packet(skb, l2, &packet)) return deliver(skb, l2, &packet);
    skb->tc_index = 0;
    // Of the interface on which it came no link-layer address may be known any more.
    return bpf_skb_change_type(skb, 0) ? drop(SHIM6_DROP_UNCHANGEABLE) : TC_ACT_UNSPEC;
}

/// Whether a control message in this packet would get around the limits: behind more headers than are followed, in
/// fragments, or behind a routing header that this host may be told to act on. The reason to drop the packet, 0 if not.
INLINE __u32 evades_limits(struct __sk_buff *skb, __u32 l2, const struct packet *packet, int failed) {
    if (failed < 0) return SHIM6_DROP_MALFORMED;
    if (packet->end.next == FRAGMENT) {
        int chain = follow_chain(skb, l2 + packet->end.at, end_of(l2, packet), FRAGMENT);
        return !chain ? 0 : chain == INCOMPLETE ? SHIM6_DROP_INCOMPLETE_CHAIN : SHIM6_DROP_MALFORMED;
    }
    if (!packet->in_transit || packet->end.next != SHIM6) return 0;
    __u8 type;
    if (bpf_skb_load_bytes(skb, l2 + packet->end.at + 2, &type, 1)) return SHIM6_DROP_MALFORMED;
    // Payload is on its way to another host.
    return type & PAYLOAD ? 0 : SHIM6_DROP_MALFORMED;
}

/// Ingress of an uplink.
INLINE int uplink_in(struct __sk_buff *skb, __u32 l2) {
    if (skb->tc_index == TO_APPEAR || skb->tc_index == TO_FIND_SOCKET) return handed_over(skb, l2);
    // What is for another host, or for a VLAN interface on top of this one. The stack takes frames to all as well.
    if (skb->pkt_type == PACKET_OTHERHOST || (skb->vlan_present && skb->vlan_tci & 0xfff)) return TC_ACT_UNSPEC;
    struct packet packet;
    int failed = read_packet(skb, l2, &packet);
    if (failed > 0) return TC_ACT_UNSPEC;
    __u32 reason = evades_limits(skb, l2, &packet, failed);
    if (reason) return is_for_this_host(skb, &packet) ? drop(reason) : TC_ACT_UNSPEC;
    if (packet.in_transit) return home_address_in(skb, l2, &packet);
    if (packet.end.next == SHIM6) return shim6_packet_in(skb, l2, &packet);
    if (skb->pkt_type) return TC_ACT_UNSPEC;
    if (!is_global_unicast(&packet.ip.source) || !is_global_unicast(&packet.ip.destination)) return TC_ACT_UNSPEC;
    if (is_link_icmp(skb, l2, &packet)) return TC_ACT_UNSPEC;
    struct shim6_pair pair = pair_of(&packet.ip.destination, &packet.ip.source);
    struct shim6_outbound *out = bpf_map_lookup_elem(&pairs, &pair);
    if (!out) {
        if (!is_drawn(skb, l2, &packet)) count_in(&pair, skb->len - l2);
        return TC_ACT_UNSPEC;
    }
    // What the peer sends without a header is of the default context, whatever contexts this host has forked off.
    if (!out->only_forks) stamp_in(out->slot, out->local_tag, &packet.ip);
    return out->steered ? deliver(skb, l2, &packet) : TC_ACT_UNSPEC;
}

/// Ingress of shim0: restored packets, merged where that was possible. None appears here.
INLINE int shim0_in(struct __sk_buff *skb) {
    struct packet packet;
    struct arrival arrival;
    struct shim6_locator here = {0};
    int failed = read_packet(skb, ETHERNET, &packet);
    if (failed > 0 || bpf_skb_load_bytes(skb, 0, &arrival, sizeof arrival)) return drop(SHIM6_DROP_STRAY);
    __builtin_memcpy(&here.ifindex, arrival.ifindex, sizeof here.ifindex);
    struct shim6_pair pair = pair_of(&packet.ip.destination, &packet.ip.source);
    struct shim6_locator *back = way_back(&pair);
    struct shim6_locator *own = bpf_map_lookup_elem(&locators, &pair.local);
    if (back) here = *back;
    // A socket that waits for it and is not found from here may be bound to the ULID's own interface.
    if (!failed && own && own->ifindex && own->ifindex != here.ifindex && !find_socket(skb, ETHERNET, &packet))
        return appear_on(skb, ETHERNET, own, TO_FIND_SOCKET);
    return appear_on(skb, ETHERNET, &here, TO_APPEAR);
}

#endif

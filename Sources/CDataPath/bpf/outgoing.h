// Packets out: on the egress of an uplink, and through shim0 and shim0x.
#ifndef SHIM6_BPF_OUTGOING_H
#define SHIM6_BPF_OUTGOING_H

#include "classify.h"
#include "home_address.h"
#include "kept_packets.h"
#include "payload_header.h"
#include "rates.h"
#include "stamps.h"
#include "trigger.h"

/// Nanoseconds after which no segment of a super-packet is left in the queue of shim0x: some ticks.
#define SEGMENTS_ARE_QUEUED 50000000

/// The forked context that a packet of this session belongs to. Of a fragment only the protocol is known, also of the
/// first one: all fragments of a packet go the same way.
NOINLINE struct shim6_outbound *find_fork(
    struct __sk_buff *skb, __u32 l2, const struct packet *packet, const struct shim6_pair *pair) {
    if (!packet || !pair) return 0;
    struct shim6_flow flow = {.ulids = *pair, .protocol = packet->end.next};
    struct shim6_outbound *found = 0;
    __be16 ports[2] = {0};
    if (flow.protocol == FRAGMENT && bpf_skb_load_bytes(skb, l2 + packet->end.at, &flow.protocol, 1)) return 0;
    if (packet->end.next == TCP || packet->end.next == UDP || packet->end.next == SCTP || packet->end.next == DCCP) {
        if (bpf_skb_load_bytes(skb, l2 + packet->end.at, ports, sizeof ports)) return 0;
        flow.local_port = ports[0];
        flow.peer_port = ports[1];
        found = bpf_map_lookup_elem(&flows, &flow);
        if (found) return found;
        flow.peer_port = 0;
        found = bpf_map_lookup_elem(&flows, &flow);
        if (found) return found;
        flow.local_port = 0;
        flow.peer_port = ports[1];
        found = bpf_map_lookup_elem(&flows, &flow);
        if (found) return found;
        flow.peer_port = 0;
    }
    return bpf_map_lookup_elem(&flows, &flow);
}

/// The context that a packet of this session belongs to, and whether the session has a route of its own.
INLINE struct shim6_outbound *find_outbound(
    struct __sk_buff *skb, __u32 l2, const struct packet *packet, const struct shim6_pair *pair, __u32 *steered) {
    struct shim6_outbound *out = bpf_map_lookup_elem(&pairs, pair);
    *steered = out ? out->steered : 0;
    if (!out || !out->forks) return out;
    struct shim6_outbound *fork = find_fork(skb, l2, packet, pair);
    if (fork) return fork;
    return out->only_forks ? 0 : out;
}

/// Sends a packet out of an uplink to the next hop for its addresses. A neighbour not yet resolved queues it.
INLINE int send_from(struct __sk_buff *skb, __u32 l2, __u32 ifindex) {
    // The helper begins with taking an Ethernet header off.
    if (!l2 && add_ethernet(skb)) return drop(SHIM6_DROP_UNCHANGEABLE);
    return bpf_redirect_neigh(ifindex, 0, 0, 0);
}

/// The same for a packet that has no route of its own any more, which is left out here: finding one would be an
/// eighth of all the work. A packet with another route must not be sent so: it takes that when a neighbour has queued
/// it.
INLINE int send_segment(__u32 ifindex, const struct packet *packet) {
    struct shim6_locator_pair locators = {.source = packet->ip.source, .destination = packet->ip.destination};
    struct shim6_address *known = bpf_map_lookup_elem(&next_hops, &locators);
    if (!known) return bpf_redirect_neigh(ifindex, 0, 0, 0);
    struct bpf_redir_neigh next_hop = {.nh_family = AF_INET6};
    __builtin_memcpy(next_hop.ipv6_nh, known, sizeof next_hop.ipv6_nh);
    return bpf_redirect_neigh(ifindex, &next_hop, sizeof next_hop, 0);
}

/// The octets of the largest packet that will be on the wire once headers of `added` octets are in, for TCP segments
/// the data that they give up taken off.
INLINE __u32 length_rehomed(struct __sk_buff *skb, __u32 l2, const struct packet *packet, __u32 added) {
    if (!skb->gso_size) return skb->len - l2 + added;
    if (packet->insertion.next == UDP) return packet->insertion.at + added + UDP_LENGTH + skb->gso_size;
    __u8 offset = 0;
    if (packet->insertion.next != TCP || bpf_skb_load_bytes(skb, l2 + packet->insertion.at + 12, &offset, 1)) return 0;
    // Each segment gives up as much data as is added.
    return packet->insertion.at + (offset >> 4) * 4 + skb->gso_size;
}

/// Drops a packet that does not fit and tells, so that its sender can be told.
NOINLINE int refuse(struct __sk_buff *skb, __u32 l2, const struct shim6_pair *pair, __u32 mtu) {
    struct shim6_control *settled = settings();
    __u32 limit = mtu ? SHIM6_LIMIT_TOO_BIG : SHIM6_LIMIT_UNREACHABLE;
    if (pair && settled && within_pair_rate(&settled->undeliverable, limit, pair))
        report_packet(skb, l2, mtu ? SHIM6_EVENT_TOO_BIG : SHIM6_EVENT_UNREACHABLE, pair, mtu);
    return drop(mtu ? SHIM6_DROP_TOO_BIG : SHIM6_DROP_UNREACHABLE);
}

/// A packet that does not fit: its sender is told of the MTU that is left, or the daemon gets what nobody can be told
/// to make smaller.
INLINE int too_big(
    struct __sk_buff *skb, __u32 l2, const struct shim6_pair *pair, const struct shim6_outbound *out, __u32 mtu,
    __u32 added) {
    if (mtu >= SHIM6_LEAST_MTU + added) return refuse(skb, l2, pair, mtu - added);
    __u32 length = skb->len - l2;
    if (skb->gso_size || length > SHIM6_LEAST_MTU) return refuse(skb, l2, pair, SHIM6_LEAST_MTU);
    stamp_out(out->slot, out->local_tag);
    if (!report_whole(skb, l2, out->local_tag, length)) return drop(SHIM6_DROP_TOO_BIG);
    count(SHIM6_COUNT_TO_FRAGMENT);
    // To the stack it is sent: told of a loss, the kernel would keep the other fragments of a datagram back.
    return TC_ACT_STOLEN;
}

/// Whether a packet has to leave through shim0 and shim0x: a super-packet, to be segmented, and then for a moment
/// every packet of its context, since the segments wait in a queue of shim0x that the others would overtake.
INLINE int takes_shim0x(struct __sk_buff *skb, __u32 slot) {
    struct shim6_activity *stamps = bpf_map_lookup_elem(&activity, &slot);
    if (!stamps) return skb->gso_size != 0;
    __u64 now = bpf_ktime_get_coarse_ns();
    if (!skb->gso_size) return now - stamps->last_super_packet < SEGMENTS_ARE_QUEUED;
    if (stamps->last_super_packet != now) stamps->last_super_packet = now;
    return 1;
}

/// Rehomes a packet of a context and sends it, or leaves it to shim0 to segment. One that is on the right uplink goes
/// on to the neighbour that the stack has chosen: the route of the pair names the next hop for the locators.
INLINE int send_rehomed(
    struct __sk_buff *skb, __u32 l2, struct packet *packet, const struct shim6_pair *pair,
    const struct shim6_outbound *out) {
    struct shim6_locator *uplink = bpf_map_lookup_elem(&locators, &out->source);
    if (!uplink || !uplink->ifindex) return drop(SHIM6_DROP_NO_UPLINK);
    __u32 ifindex = uplink->ifindex;
    __u32 mtu = 0;
    if (bpf_check_mtu(skb, ifindex, &mtu, 0, 0) < 0) return drop(SHIM6_DROP_NO_UPLINK);
    if (out->path_mtu && out->path_mtu < mtu) mtu = out->path_mtu;
    int by_home_address = out->rehomed == SHIM6_HOME_ADDRESS;
    __u32 added = by_home_address ? HOME_HEADERS_LENGTH : PAYLOAD_HEADER_LENGTH;
    __u32 length = length_rehomed(skb, l2, packet, added);
    if (length > mtu) return too_big(skb, l2, pair, out, mtu, added);
    // The size of a UDP datagram is its sender's to choose.
    packet->keeps_segments = packet->end.next != TCP || length + added <= mtu;
    keep(skb, l2, packet, out->slot, out->local_tag);
    stamp_out(out->slot, out->local_tag);
    int queued = takes_shim0x(skb, out->slot);
    int failed = by_home_address ? rehome_with_home_address(skb, l2, packet, out)
                                 : rehome(skb, l2, packet, out, queued ? DESTINATION_OPTIONS : SHIM6);
    if (failed) return drop(SHIM6_DROP_UNCHANGEABLE);
    count(SHIM6_COUNT_REHOMED);
    if (!queued) return ifindex == skb->ifindex ? TC_ACT_UNSPEC : send_from(skb, l2, ifindex);
    if (skb->gso_size) count(SHIM6_COUNT_REHOMED_GSO);
    return TC_ACT_UNSPEC;
}

/// Egress of an uplink.
INLINE int uplink_out(struct __sk_buff *skb, __u32 l2) {
    struct packet packet;
    if (read_packet(skb, l2, &packet)) return TC_ACT_UNSPEC;
    // What has a routing header to go by is rehomed already, or somebody else's.
    if (packet.in_transit || packet.end.next == SHIM6 || is_link_icmp(skb, l2, &packet)) return TC_ACT_UNSPEC;
    if (is_denial(skb, l2, &packet)) return drop(SHIM6_DROP_DENIAL);
    if (!is_global_unicast(&packet.ip.source) || !is_global_unicast(&packet.ip.destination)) return TC_ACT_UNSPEC;
    struct shim6_pair pair = pair_of(&packet.ip.source, &packet.ip.destination);
    __u32 steered = 0;
    struct shim6_outbound *out = find_outbound(skb, l2, &packet, &pair, &steered);
    if (steered && (!out || !out->rehomed)) {
        // Only other flows of the session are rehomed, but its route is one.
        struct shim6_locator *own = bpf_map_lookup_elem(&locators, &pair.local);
        if (!own || !own->ifindex) return refuse(skb, l2, &pair, 0);
        if (own->ifindex != skb->ifindex) return send_from(skb, l2, own->ifindex);
    }
    if (!out) {
        if (!is_drawn(skb, l2, &packet)) count_out(&pair, skb->len - l2);
        return TC_ACT_UNSPEC;
    }
    if (!out->rehomed) {
        keep(skb, l2, &packet, out->slot, out->local_tag);
        stamp_out(out->slot, out->local_tag);
        return TC_ACT_UNSPEC;
    }
    if (!takes_shim0x(skb, out->slot)) return send_rehomed(skb, l2, &packet, &pair, out);
    // Rehomed there, since only shim0 can segment it.
    struct shim6_control *settled = settings();
    if (!settled || !settled->shim0) return drop(SHIM6_DROP_UNCHANGEABLE);
    if (!l2 && add_ethernet(skb)) return drop(SHIM6_DROP_UNCHANGEABLE);
    return bpf_redirect(settled->shim0, 0);
}

/// Egress of shim0: super-packets from uplinks, and what the stack routed there while there was no uplink.
INLINE int shim0_out(struct __sk_buff *skb) {
    struct packet packet;
    if (read_packet(skb, ETHERNET, &packet)) return drop(SHIM6_DROP_STRAY);
    if (!is_global_unicast(&packet.ip.source) || !is_global_unicast(&packet.ip.destination))
        return drop(SHIM6_DROP_STRAY);
    if (is_link_icmp(skb, ETHERNET, &packet)) return drop(SHIM6_DROP_STRAY);
    struct shim6_pair pair = pair_of(&packet.ip.source, &packet.ip.destination);
    // Control messages keep their addresses, whatever route their ULIDs have.
    if (packet.end.next != SHIM6) {
        __u32 steered = 0;
        struct shim6_outbound *out = find_outbound(skb, ETHERNET, &packet, &pair, &steered);
        if (out && out->rehomed) return send_rehomed(skb, ETHERNET, &packet, &pair, out);
    }
    struct shim6_locator *uplink = bpf_map_lookup_elem(&locators, &pair.local);
    if (!uplink || !uplink->ifindex) return refuse(skb, ETHERNET, &pair, 0);
    return send_from(skb, ETHERNET, uplink->ifindex);
}

/// Ingress of shim0x: the segments of a super-packet that shim0_out rehomed. Nothing else gets this far.
INLINE int shim0x_in(struct __sk_buff *skb) {
    struct packet packet;
    if (read_packet(skb, ETHERNET, &packet) || packet.insertion.next != DESTINATION_OPTIONS)
        return drop(SHIM6_DROP_STRAY);
    if (bpf_skb_load_bytes(skb, ETHERNET + packet.insertion.at, &packet.shim, sizeof packet.shim))
        return drop(SHIM6_DROP_STRAY);
    // The form with a Home Address option is whole already.
    int by_home_address = packet.in_transit;
    if (!by_home_address && (packet.shim.length || !(packet.shim.tag[0] & PAYLOAD))) return drop(SHIM6_DROP_STRAY);
    struct shim6_locator *uplink = bpf_map_lookup_elem(&locators, &packet.ip.source);
    if (!uplink || !uplink->ifindex) return drop(SHIM6_DROP_NO_UPLINK);
    __u32 mtu = 0;
    if (bpf_check_mtu(skb, uplink->ifindex, &mtu, 0, 0) < 0) return drop(SHIM6_DROP_NO_UPLINK);
    if (skb->len - ETHERNET > mtu) return drop(SHIM6_DROP_TOO_BIG);
    __u8 as = SHIM6;
    if (!by_home_address && bpf_skb_store_bytes(skb, ETHERNET + packet.insertion.name, &as, 1, 0))
        return drop(SHIM6_DROP_UNCHANGEABLE);
    return send_segment(uplink->ifindex, &packet);
}

#endif

// Handing packets of a context to the stack, on the interface that the way back uses: a strict reverse-path filter drops
// them on any other.
#ifndef SHIM6_BPF_DELIVER_H
#define SHIM6_BPF_DELIVER_H

#include "packet.h"

/// Lets a packet come in through another interface, which it reaches as if it had been addressed to it.
INLINE int appear_on(struct __sk_buff *skb, __u32 l2, __u32 ifindex, int ethernet, const __u8 *mac) {
    if (!ifindex || ifindex == skb->ifindex) return TC_ACT_UNSPEC;
    if (ethernet) {
        struct ethhdr header = {.h_proto = bpf_htons(ETH_P_IPV6)};
        __builtin_memcpy(header.h_dest, mac, sizeof header.h_dest);
        if (!l2 && bpf_skb_change_head(skb, ETHERNET, 0)) return drop(SHIM6_DROP_UNCHANGEABLE);
        if (bpf_skb_store_bytes(skb, 0, &header, l2 ? sizeof header.h_dest : sizeof header, 0))
            return drop(SHIM6_DROP_UNCHANGEABLE);
    }
    return bpf_redirect(ifindex, BPF_F_INGRESS);
}

INLINE int appear_on_shim0(struct __sk_buff *skb, __u32 l2) {
    struct shim6_control *settled = settings();
    return settled ? appear_on(skb, l2, settled->shim0, 1, settled->shim0_mac) : TC_ACT_UNSPEC;
}

/// Hands over a packet whose way back is not rehomed: on the ULID's own interface.
INLINE int deliver(struct __sk_buff *skb, __u32 l2, const struct shim6_address *ulid) {
    struct shim6_locator *own = bpf_map_lookup_elem(&locators, ulid);
    if (own && own->ifindex) return appear_on(skb, l2, own->ifindex, own->ethernet, own->mac);
    return appear_on_shim0(skb, l2);
}

/// Whether a socket waits for this packet among those that take packets of the interface it is on. One that is bound to
/// the interface is given the packet here: it would not be found once the packet is on shim0.
NOINLINE int has_socket(struct __sk_buff *skb, __u32 l2, const struct packet *packet) {
    if (!packet) return 0;
    struct bpf_sock_tuple tuple = {0};
    __builtin_memcpy(tuple.ipv6.saddr, &packet->ip.source, sizeof tuple.ipv6.saddr);
    __builtin_memcpy(tuple.ipv6.daddr, &packet->ip.destination, sizeof tuple.ipv6.daddr);
    if (bpf_skb_load_bytes(skb, l2 + packet->end.at, &tuple.ipv6.sport, 4)) return 1;
    struct bpf_sock *socket;
    if (packet->end.next == TCP)
        socket = bpf_sk_lookup_tcp(skb, &tuple, sizeof tuple.ipv6, BPF_F_CURRENT_NETNS, 0);
    else
        socket = bpf_sk_lookup_udp(skb, &tuple, sizeof tuple.ipv6, BPF_F_CURRENT_NETNS, 0);
    if (!socket) return 0;
    if (socket->bound_dev_if) bpf_sk_assign(skb, socket, 0);
    bpf_sk_release(socket);
    return 1;
}

/// Hands over a packet whose way back is steered: on shim0. If no socket waits for it there may be one that is bound to
/// the ULID's own interface; it is found by the program there, which the packet then comes to once more.
INLINE int deliver_steered(struct __sk_buff *skb, __u32 l2, const struct packet *packet) {
    if ((packet->end.next == TCP || packet->end.next == UDP) && !has_socket(skb, l2, packet)) {
        struct shim6_locator *own = bpf_map_lookup_elem(&locators, &packet->ip.destination);
        if (own && own->ifindex && own->ifindex != skb->ifindex)
            return appear_on(skb, l2, own->ifindex, own->ethernet, own->mac);
    }
    return appear_on_shim0(skb, l2);
}

#endif

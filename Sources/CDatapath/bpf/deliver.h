// Handing packets of a context to the stack, on the interface that the way back uses: a strict reverse-path filter
// drops them on any other.
#ifndef SHIM6_BPF_DELIVER_H
#define SHIM6_BPF_DELIVER_H

#include "packet.h"

/// Addresses a packet to another interface.
INLINE int set_target(struct __sk_buff *skb, __u32 l2, const __u8 *mac) {
    __u8 target[6];
    __builtin_memcpy(target, mac, sizeof target);
    if (!l2 && add_ethernet(skb)) return -1;
    return bpf_skb_store_bytes(skb, 0, target, sizeof target, 0);
}

/// Lets a packet come in through another interface.
INLINE int appear_on(struct __sk_buff *skb, __u32 l2, const struct shim6_locator *place) {
    __u32 ifindex = place->ifindex;
    if (ifindex == skb->ifindex) return TC_ACT_UNSPEC;
    if (place->ethernet && set_target(skb, l2, place->mac)) return drop(SHIM6_DROP_UNCHANGEABLE);
    return bpf_redirect(ifindex, BPF_F_INGRESS);
}

/// Lets a packet come in through shim0. Sent into the other end it is merged with its neighbours there (GRO), which an
/// uplink cannot do while it carries a header that the kernel does not know.
INLINE int appear_on_shim0(struct __sk_buff *skb, __u32 l2, int through_peer) {
    struct shim6_control *settled = settings();
    if (!settled || !settled->shim0) return TC_ACT_UNSPEC;
    if (set_target(skb, l2, settled->shim0_mac)) return drop(SHIM6_DROP_UNCHANGEABLE);
    return through_peer ? bpf_redirect(settled->shim0x, 0) : bpf_redirect(settled->shim0, BPF_F_INGRESS);
}

/// Hands over a packet whose way back is not rehomed: on the ULID's own interface.
INLINE int deliver(struct __sk_buff *skb, __u32 l2, const struct shim6_address *ulid) {
    struct shim6_locator *own = bpf_map_lookup_elem(&locators, ulid);
    return own && own->ifindex ? appear_on(skb, l2, own) : appear_on_shim0(skb, l2, 1);
}

enum waiting {
    NO_SOCKET,
    SOCKET,
    /// One that is bound to the interface. It was given the packet: it would not be found once the packet is on shim0.
    BOUND_SOCKET,
};

/// Whether a socket waits for this packet among those that take packets of the interface it is on.
NOINLINE int find_socket(struct __sk_buff *skb, __u32 l2, const struct packet *packet) {
    if (!packet || (packet->end.next != TCP && packet->end.next != UDP)) return SOCKET;
    struct bpf_sock_tuple tuple = {0};
    __builtin_memcpy(tuple.ipv6.saddr, &packet->ip.source, sizeof tuple.ipv6.saddr);
    __builtin_memcpy(tuple.ipv6.daddr, &packet->ip.destination, sizeof tuple.ipv6.daddr);
    if (bpf_skb_load_bytes(skb, l2 + packet->end.at, &tuple.ipv6.sport, 4)) return SOCKET;
    struct bpf_sock *socket;
    __u32 bound = 0;
    if (packet->end.next == TCP) {
        // Half-open and closing connections count as well.
        socket = bpf_skc_lookup_tcp(skb, &tuple, sizeof tuple.ipv6, BPF_F_CURRENT_NETNS, 0);
        if (socket) bound = socket->bound_dev_if;
        // The verifier wants each kind of socket to be read by an instruction of its own, which the compiler would
        // merge.
        asm volatile("# TCP" : "+r"(bound));
    } else {
        socket = bpf_sk_lookup_udp(skb, &tuple, sizeof tuple.ipv6, BPF_F_CURRENT_NETNS, 0);
        if (socket) bound = socket->bound_dev_if;
        asm volatile("# UDP" : "+r"(bound));
    }
    if (!socket) return NO_SOCKET;
    int found = bound && !bpf_sk_assign(skb, socket, 0) ? BOUND_SOCKET : SOCKET;
    bpf_sk_release(socket);
    return found;
}

/// Hands over a plain packet whose way back is steered: on shim0. The program there sends one that no socket waits
/// for to the ULID's own interface; if it finds none here either, it stays.
INLINE int deliver_steered(struct __sk_buff *skb, __u32 l2, const struct packet *packet) {
    struct shim6_locator *own = bpf_map_lookup_elem(&locators, &packet->ip.destination);
    if (!own || own->ifindex != skb->ifindex) return appear_on_shim0(skb, l2, 1);
    int found = find_socket(skb, l2, packet);
    // A packet with a socket of its own cannot be merged with others.
    return found == NO_SOCKET ? TC_ACT_UNSPEC : appear_on_shim0(skb, l2, found != BOUND_SOCKET);
}

#endif

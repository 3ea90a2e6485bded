// Handing packets of a context to the stack: on the uplink by which the way back leaves, or if there is none now on the
// one that they came by. Never on shim0: firewalls that go by interfaces see what they would see without Shim6, and a
// strict reverse-path filter drops what comes in anywhere else than where the way back leaves.
#ifndef SHIM6_BPF_DELIVER_H
#define SHIM6_BPF_DELIVER_H

#include "parse.h"

/// `tc_index` of a packet that was sent into an uplink's ingress: nothing on a wire can set it.
enum handed_over {
    /// For the stack to take there.
    TO_APPEAR = 0x6140,
    /// To look for a socket that is bound to that interface, before it appears on another.
    TO_FIND_SOCKET = 0x6141,
};

/// In place of the destination's link-layer address on the way through the veth pair: where a packet came in.
struct arrival {
    __u8 local[2];
    __u8 ifindex[4];
};

_Static_assert(sizeof(struct arrival) == 6, "the place of a link-layer address");

/// Sends a restored packet through the veth pair, where it is merged with its neighbours (GRO): an uplink cannot do
/// that while it carries a header that the kernel does not know. It comes out at `shim6_appear`.
INLINE int merge(struct __sk_buff *skb, __u32 l2) {
    struct shim6_control *settled = settings();
    if (!settled || !settled->shim0x) return TC_ACT_UNSPEC;
    struct arrival here = {.local = {2}};
    __u32 ifindex = skb->ifindex;
    __builtin_memcpy(here.ifindex, &ifindex, sizeof here.ifindex);
    if (!l2 && add_ethernet(skb)) return drop(SHIM6_DROP_UNCHANGEABLE);
    if (bpf_skb_store_bytes(skb, 0, &here, sizeof here, 0)) return drop(SHIM6_DROP_UNCHANGEABLE);
    return bpf_redirect(settled->shim0x, 0);
}

/// The uplink by which packets out of a session leave in the eyes of the stack; 0 if there is none now.
INLINE struct shim6_locator *way_back(const struct shim6_pair *pair) {
    struct shim6_outbound *out = bpf_map_lookup_elem(&pairs, pair);
    struct shim6_address by = out && out->steered ? out->way_back : pair->local;
    struct shim6_locator *place = bpf_map_lookup_elem(&locators, &by);
    return place && place->ifindex ? place : 0;
}

/// Sends a packet into the ingress of an uplink.
INLINE int appear_on(struct __sk_buff *skb, __u32 l2, const struct shim6_locator *place, enum handed_over as) {
    __u8 target[6];
    __u32 ifindex = place->ifindex;
    __builtin_memcpy(target, place->mac, sizeof target);
    // From an interface without Ethernet headers it would go as it is, to one that wants them.
    if (!l2 && add_ethernet(skb)) return drop(SHIM6_DROP_UNCHANGEABLE);
    if (place->ethernet && bpf_skb_store_bytes(skb, 0, target, sizeof target, 0)) return drop(SHIM6_DROP_UNCHANGEABLE);
    skb->tc_index = as;
    return bpf_redirect(ifindex, BPF_F_INGRESS);
}

/// Whether a socket waits for this packet among those that take packets of the interface it is on. One that is bound to
/// the interface is given the packet: it would not be found any more once the packet is on another.
NOINLINE int find_socket(struct __sk_buff *skb, __u32 l2, const struct packet *packet) {
    if (!packet || (packet->end.next != TCP && packet->end.next != UDP)) return 1;
    struct bpf_sock_tuple tuple = {0};
    __builtin_memcpy(tuple.ipv6.saddr, &packet->ip.source, sizeof tuple.ipv6.saddr);
    __builtin_memcpy(tuple.ipv6.daddr, &packet->ip.destination, sizeof tuple.ipv6.daddr);
    if (bpf_skb_load_bytes(skb, l2 + packet->end.at, &tuple.ipv6.sport, 4)) return 1;
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
    if (!socket) return 0;
    if (bound) (void)bpf_sk_assign(skb, socket, 0);
    bpf_sk_release(socket);
    return 1;
}

/// Hands over a packet with its ULIDs as addresses whose way back may be steered.
INLINE int deliver(struct __sk_buff *skb, __u32 l2, const struct packet *packet) {
    struct shim6_pair pair = pair_of(&packet->ip.destination, &packet->ip.source);
    struct shim6_locator *back = way_back(&pair);
    skb->tc_index = 0;
    if (!back || back->ifindex == skb->ifindex) return TC_ACT_UNSPEC;
    (void)find_socket(skb, l2, packet);
    return appear_on(skb, l2, back, TO_APPEAR);
}

#endif

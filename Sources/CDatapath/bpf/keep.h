// The last packet of a flow that goes out unanswered, kept so that it can be sent again, at once, on a pair that works: TCP
// itself would wait for its retransmission timer.
#ifndef SHIM6_BPF_KEEP_H
#define SHIM6_BPF_KEEP_H

#include "packet.h"

/// Whether the packets of a context have been unanswered for so long that the next may be the last before a failure is
/// noticed. While packets come in this is never so, and costs one comparison.
INLINE int is_unanswered(const struct shim6_activity *stamps, __u64 now) {
    __u64 start = stamps->send_start;
    return start && now > start + SHIM6_KEEP_AFTER;
}

/// Keeps the beginning of a packet, as its stack sent it; a super-packet up to the end of its first segment. TCP only:
/// others do not wait, and need not bear a packet twice.
NOINLINE void keep(struct __sk_buff *skb, __u32 l2, const struct packet *packet, __u32 slot) {
    if (!packet || packet->end.next != TCP) return;
    struct shim6_activity *stamps = bpf_map_lookup_elem(&activity, &slot);
    if (!stamps) return;
    __u64 now = bpf_ktime_get_ns();
    if (!is_unanswered(stamps, now)) return;
    __u32 ports = 0;
    __u8 offset = 0;
    if (bpf_skb_load_bytes(skb, l2 + packet->end.at, &ports, sizeof ports)) return;
    if (bpf_skb_load_bytes(skb, l2 + packet->end.at + 12, &offset, 1)) return;
    __u32 length = skb->len - l2;
    __u32 first = packet->end.at + (offset >> 4) * 4 + skb->gso_size;
    if (skb->gso_size && length > first) length = first;
    // A bound that the verifier follows.
    length &= 0x7ff;
    if (!length || length > SHIM6_KEPT_OCTETS) return;
    struct shim6_kept_key key = {.slot = slot, .flow = (ports ^ ports >> 16) % SHIM6_KEPT_FLOWS};
    struct shim6_kept *kept = bpf_map_lookup_elem(&kept_packets, &key);
    if (!kept) {
        __u32 zero = 0;
        struct shim6_kept *blank = bpf_map_lookup_elem(&blank_packet, &zero);
        if (!blank) return;
        bpf_map_update_elem(&kept_packets, &key, blank, BPF_NOEXIST);
        kept = bpf_map_lookup_elem(&kept_packets, &key);
        if (!kept) return;
    }
    kept->time = 0;
    if (bpf_skb_load_bytes(skb, l2, kept->octets, length)) return;
    kept->length = length;
    kept->transport = packet->end.at;
    kept->time = now;
}

#endif

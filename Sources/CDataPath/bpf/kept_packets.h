// The last packet of a flow that goes out unanswered, kept so that it can be sent again, at once, on a pair that works:
// TCP itself would wait for its retransmission timer. And the hint that TCP gives by sending something again.
#ifndef SHIM6_BPF_KEPT_PACKETS_H
#define SHIM6_BPF_KEPT_PACKETS_H

#include "events.h"
#include "parse.h"

/// Whether the packets of a context have been unanswered for so long that the next may be the last before a failure is
/// noticed. While packets come in this is never so, and costs one comparison.
INLINE int is_unanswered(const struct shim6_activity *stamps, __u64 now) {
    __u64 start = stamps->send_start;
    return start && now > start + SHIM6_KEEP_AFTER;
}

/// The part of a TCP header that is looked at.
struct tcp_start {
    __be32 ports;
    __be32 sequence;
    __be32 acknowledgement;
    __u8 offset;
};

/// Whether a socket of this host sends these octets again: what is new begins where it has come to.
INLINE int is_sent_again(struct __sk_buff *skb, __u32 sequence) {
    struct bpf_sock *sock = skb->sk;
    if (!sock) return 0;
    sock = bpf_sk_fullsock(sock);
    if (!sock) return 0;
    struct bpf_tcp_sock *tcp = bpf_tcp_sock(sock);
    return tcp && (__s32)(sequence - tcp->snd_nxt) < 0;
}

/// Keeps the beginning of a packet, as its stack sent it; a super-packet up to the end of its first segment. TCP only:
/// others do not wait, and need not bear a packet twice.
NOINLINE void keep(struct __sk_buff *skb, __u32 l2, const struct packet *packet, __u32 slot, __u64 tag) {
    if (!packet || packet->end.next != TCP) return;
    struct shim6_activity *stamps = bpf_map_lookup_elem(&activity, &slot);
    if (!stamps) return;
    __u64 now = bpf_ktime_get_ns();
    if (!is_unanswered(stamps, now)) return;
    struct tcp_start tcp = {0};
    if (bpf_skb_load_bytes(skb, l2 + packet->end.at, &tcp, 13)) return;
    __u32 data = packet->end.at + (tcp.offset >> 4) * 4;
    __u32 length = skb->len - l2;
    __u64 start = stamps->send_start;
    if (stamps->hinted != start && length > data && is_sent_again(skb, bpf_ntohl(tcp.sequence)) &&
        report_context(SHIM6_EVENT_RETRANSMISSION, slot, tag))
        stamps->hinted = start;
    struct shim6_control *settled = settings();
    if (!settled || !settled->keeps_packets) return;
    if (skb->gso_size && length > data + skb->gso_size) length = data + skb->gso_size;
    if (length > SHIM6_KEPT_OCTETS) return;
    // A bound that the verifier follows.
    length &= 0x7ff;
    if (length > SHIM6_KEPT_OCTETS) return;
    struct shim6_kept_key key = {.tag = tag, .flow = (tcp.ports ^ tcp.ports >> 16) % SHIM6_KEPT_FLOWS};
    struct shim6_kept *kept = bpf_map_lookup_elem(&kept_packets, &key);
    if (!kept) {
        __u32 zero = 0;
        struct shim6_kept *blank = bpf_map_lookup_elem(&blank_packet, &zero);
        if (!blank) return;
        bpf_map_update_elem(&kept_packets, &key, blank, BPF_NOEXIST);
        kept = bpf_map_lookup_elem(&kept_packets, &key);
        if (!kept) return;
    }
    if (__sync_val_compare_and_swap(&kept->writing, 0, 1)) return;
    kept->time = 0;
    // Linux 6.1 wants the lower bound here, on the register that is used.
    asm volatile("" : "+r"(length));
    length &= 0x7ff;
    asm volatile("if %0 > 39 goto +1\n\t%0 = 40\n\tif %0 < 1601 goto +1\n\t%0 = 40" : "+r"(length));
    if (!bpf_skb_load_bytes(skb, l2, kept->octets, length)) {
        kept->length = length;
        kept->transport = packet->end.at;
        kept->time = now;
    }
    __sync_val_compare_and_swap(&kept->writing, 1, 0);
}

#endif

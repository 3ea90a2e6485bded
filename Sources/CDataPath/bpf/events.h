// Reports to the daemon, through the ring.
#ifndef SHIM6_BPF_EVENTS_H
#define SHIM6_BPF_EVENTS_H

#include "maps.h"
#include "protocol_numbers.h"

INLINE struct shim6_event *begin_report(__u32 kind) {
    struct shim6_event *event = bpf_ringbuf_reserve(&events, sizeof *event, 0);
    if (!event) {
        count(SHIM6_LOST_REPORTS);
        return 0;
    }
    __builtin_memset(event, 0, sizeof *event);
    event->kind = kind;
    event->time = bpf_ktime_get_ns();
    return event;
}

/// Reports something about a context; 0 if the ring is full.
NOINLINE int report_context(__u32 kind, __u32 slot, __u64 tag) {
    struct shim6_event *event = begin_report(kind);
    if (!event) return 0;
    event->slot = slot;
    event->tag = tag;
    bpf_ringbuf_submit(event, 0);
    return 1;
}

/// Reports something about two addresses; 0 if the ring is full.
NOINLINE int report_addresses(
    __u32 kind, __u64 tag, const struct shim6_address *source, const struct shim6_address *destination) {
    if (!source || !destination) return 0;
    struct shim6_event *event = begin_report(kind);
    if (!event) return 0;
    event->tag = tag;
    event->source = *source;
    event->destination = *destination;
    bpf_ringbuf_submit(event, 0);
    return 1;
}

/// Reports a packet that is dropped, with its beginning.
NOINLINE void report_packet(struct __sk_buff *skb, __u32 l2, __u32 kind, const struct shim6_pair *pair, __u32 mtu) {
    if (!pair) return;
    struct shim6_event *event = begin_report(kind);
    if (!event) return;
    event->source = pair->local;
    event->destination = pair->peer;
    event->mtu = mtu;
    __u32 quoted = SHIM6_QUOTE;
    if (skb->len < l2 + SHIM6_QUOTE) quoted = skb->len - l2;
    // The compiler must not derive the bound from what it knows and the verifier does not. Linux 6.1's follows no
    // comparison of another register, but a mask: this changes no number from 1 to SHIM6_QUOTE.
    asm volatile("" : "+r"(quoted));
    quoted = ((quoted - 1) & (SHIM6_QUOTE - 1)) + 1;
    if (!bpf_skb_load_bytes(skb, l2, event->quote, quoted)) event->quoted = quoted;
    bpf_ringbuf_submit(event, 0);
}

/// Hands over a packet whole; 0 if that cannot be. `length` octets, at most SHIM6_LEAST_MTU.
NOINLINE int report_whole(struct __sk_buff *skb, __u32 l2, __u64 tag, __u32 length) {
    struct shim6_whole_packet *whole = bpf_ringbuf_reserve(&events, sizeof *whole, 0);
    if (!whole) {
        count(SHIM6_LOST_REPORTS);
        return 0;
    }
    __builtin_memset(&whole->event, 0, sizeof whole->event);
    whole->event.kind = SHIM6_EVENT_TO_FRAGMENT;
    whole->event.tag = tag;
    whole->event.time = bpf_ktime_get_ns();
    whole->event.quoted = length;
    // As above: a mask, and room for whatever passes it.
    int fits = length >= IPV6_LENGTH && length <= SHIM6_LEAST_MTU;
    asm volatile("" : "+r"(length));
    length = ((length - 1) & (sizeof whole->octets - 1)) + 1;
    if (!fits || bpf_skb_load_bytes(skb, l2, whole->octets, length)) {
        bpf_ringbuf_discard(whole, 0);
        return 0;
    }
    bpf_ringbuf_submit(whole, 0);
    return 1;
}

#endif

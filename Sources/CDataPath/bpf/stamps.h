// What a context's traffic leaves behind: the times and locators of its packets (docs/decisions/stamps.md).
#ifndef SHIM6_BPF_STAMPS_H
#define SHIM6_BPF_STAMPS_H

#include "events.h"
#include "parse.h"
#include "shim6_latch.h"

/// Clears a flag and reports it, once. A flag whose report found the ring full is set again.
NOINLINE void notify(struct shim6_activity *stamps, __u32 flag, __u32 kind, __u32 slot, __u64 tag) {
    if (!stamps) return;
    if (!(__sync_fetch_and_and(&stamps->flags, ~flag) & flag)) return;
    if (!report_context(kind, slot, tag)) __sync_fetch_and_or(&stamps->flags, flag);
}

/// Remembers the locators of a packet in, which are the same as those of the one before as good as always. Where two
/// processors have a change at once, the packet of one counts as the earlier one.
INLINE void note_locators(struct shim6_activity *stamps, const struct ipv6_header *ip) {
    const __u64 *old = shim6_incoming_now(stamps, stamps->incoming_version);
    __u64 new[4];
    __builtin_memcpy(new, &ip->source, sizeof new);
    if (old[0] == new[0] && old[1] == new[1] && old[2] == new[2] && old[3] == new[3]) return;
    (void)shim6_incoming_write(stamps, new);
}

/// The time of a packet. Reading the exact time costs more than all the rest of a packet that only passes, so it is
/// done where the daemon waits for the packet and compares; otherwise the time is that of the last tick, which is never
/// late and at most 10 ms early.
INLINE __u64 time_of_packet(const struct shim6_activity *stamps) {
    return stamps->flags ? bpf_ktime_get_ns() : bpf_ktime_get_coarse_ns();
}

/// Smooths the time between packets in: each counts an eighth.
INLINE __u32 smoothed(__u32 old, __u64 wait) {
    __u64 longest = (__u64)SHIM6_LONGEST_SPACING << 10;
    __u32 spacing = (wait < longest ? wait : longest) >> 10;
    if (old) spacing = old - (old >> 3) + (spacing >> 3);
    return spacing ? spacing : 1;
}

INLINE void stamp_in(__u32 slot, __u64 tag, const struct ipv6_header *ip) {
    struct shim6_activity *stamps = bpf_map_lookup_elem(&activity, &slot);
    if (!stamps) return;
    __u64 now = time_of_packet(stamps);
    stamps->spacing_in = smoothed(stamps->spacing_in, now > stamps->last_in ? now - stamps->last_in : 0);
    // Reading first keeps the cache line shared while nothing changes, and 0 is usual. A stamp never goes back.
    if (stamps->last_in < now) stamps->last_in = now;
    note_locators(stamps, ip);
    if (stamps->send_start) stamps->send_start = 0;
    if (!stamps->keep_start) __sync_val_compare_and_swap(&stamps->keep_start, 0, now);
    if (stamps->flags & SHIM6_NOTIFY_IN) notify(stamps, SHIM6_NOTIFY_IN, SHIM6_EVENT_ACTIVITY_IN, slot, tag);
}

INLINE void stamp_out(__u32 slot, __u64 tag) {
    struct shim6_activity *stamps = bpf_map_lookup_elem(&activity, &slot);
    if (!stamps) return;
    __u64 now = time_of_packet(stamps);
    if (stamps->last_out < now) stamps->last_out = now;
    if (stamps->keep_start) stamps->keep_start = 0;
    if (!stamps->send_start) __sync_val_compare_and_swap(&stamps->send_start, 0, now);
    if (stamps->flags & SHIM6_NOTIFY_OUT) notify(stamps, SHIM6_NOTIFY_OUT, SHIM6_EVENT_ACTIVITY_OUT, slot, tag);
}

#endif

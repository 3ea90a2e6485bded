// Which sessions are worth a context: those that have lived or carried enough, both ways, and those that this host
// keeps sending on.
#ifndef SHIM6_BPF_TRIGGER_H
#define SHIM6_BPF_TRIGGER_H

#include "events.h"

/// Notes that a packet came in (1) or went out (0).
INLINE void turn(struct shim6_candidate *candidate, __u32 direction) {
    __u32 turns = candidate->turns;
    if (turns < SHIM6_BOTH_WAYS_TWICE && (turns & 1) != direction) candidate->turns = turns + 1;
}

/// Notes when a packet went out. After a pause longer than the age that counts, sending begins anew.
INLINE void note_sending(struct shim6_candidate *candidate, __u64 now) {
    struct shim6_control *settled = settings();
    if (!settled) return;
    // Another processor may have noted a later packet.
    if ((__s64)(now - candidate->last_out) > (__s64)settled->trigger_age) candidate->sending_since = now;
    candidate->last_out = now;
}

/// Whether a session has lived or carried enough. Until it has gone both ways twice only how long this host has been
/// sending counts: a few forged packets can draw many octets, and what comes in shows nothing.
INLINE int is_worthwhile(const struct shim6_candidate *candidate, const struct shim6_control *settled, __u64 now) {
    if (candidate->turns < SHIM6_BOTH_WAYS_TWICE)
        return (__s64)(candidate->last_out - candidate->sending_since) >= (__s64)settled->trigger_age;
    return candidate->octets_in + candidate->octets_out >= settled->trigger_octets ||
           now - candidate->since >= settled->trigger_age;
}

/// Reports a session that is worth a context, once.
INLINE void judge(struct shim6_candidate *candidate, const struct shim6_pair *pair, __u64 now) {
    struct shim6_control *settled = settings();
    if (!settled || candidate->reported || !is_worthwhile(candidate, settled, now)) return;
    if (__sync_val_compare_and_swap(&candidate->reported, 0, 1)) return;
    if (!report_addresses(SHIM6_EVENT_TRIGGER, 0, &pair->local, &pair->peer)) candidate->reported = 0;
}

/// Counts a packet out of a session without a context. Only these make an entry: strangers' packets cannot fill the
/// table.
NOINLINE void count_out(const struct shim6_pair *pair, __u32 octets) {
    if (!pair) return;
    __u64 now = bpf_ktime_get_coarse_ns();
    struct shim6_candidate *candidate = bpf_map_lookup_elem(&candidates, pair);
    if (candidate) {
        __sync_fetch_and_add(&candidate->octets_out, octets);
        note_sending(candidate, now);
        turn(candidate, 0);
        judge(candidate, pair, now);
        return;
    }
    // Packets that this host only forwards are none of our business.
    if (!bpf_map_lookup_elem(&locators, &pair->local)) return;
    struct shim6_candidate fresh = {.since = now, .octets_out = octets, .sending_since = now, .last_out = now};
    bpf_map_update_elem(&candidates, pair, &fresh, BPF_NOEXIST);
}

NOINLINE void count_in(const struct shim6_pair *pair, __u32 octets) {
    if (!pair) return;
    struct shim6_candidate *candidate = bpf_map_lookup_elem(&candidates, pair);
    if (!candidate) return;
    __sync_fetch_and_add(&candidate->octets_in, octets);
    turn(candidate, 1);
    judge(candidate, pair, bpf_ktime_get_coarse_ns());
}

#endif

// Rates: how often something may happen that strangers can bring about.
#ifndef SHIM6_BPF_RATES_H
#define SHIM6_BPF_RATES_H

#include "maps.h"

/// Whether there is nothing left now of a rate that is used up to the time `used`.
INLINE int is_used_up(const struct shim6_rate *rate, __u64 used, __u64 now) {
    return rate->interval && used > now && used - now + rate->interval > rate->burst;
}

/// Takes one from a rate; 0 if nothing is left.
INLINE int take(const struct shim6_rate *rate, __u64 *used, __u64 now) {
    __u64 until = *used;
    if (is_used_up(rate, until, now)) return 0;
    // Another processor that came first has taken one too; that much inexactness does no harm.
    __sync_val_compare_and_swap(used, until, (until > now ? until : now) + rate->interval);
    return 1;
}

/// Takes one from the rate of whoever the key says.
NOINLINE int within_rate(const struct shim6_rate *rate, const struct shim6_limit_key *key) {
    if (!rate || !key) return 0;
    if (!rate->interval) return 1;
    __u64 now = bpf_ktime_get_coarse_ns();
    __u64 *used = bpf_map_lookup_elem(&limiters, key);
    if (used) return take(rate, used, now);
    __u64 next = now + rate->interval;
    bpf_map_update_elem(&limiters, key, &next, BPF_ANY);
    return 1;
}

/// Whether another message from the /48 around `source` may pass.
INLINE int within_prefix_rate(const struct shim6_rate *rate, __u32 kind, const struct shim6_address *source) {
    struct shim6_limit_key key = {.kind = kind};
    __builtin_memcpy(key.of.peer.octets, source->octets, 6);
    return within_rate(rate, &key);
}

INLINE int within_pair_rate(const struct shim6_rate *rate, __u32 kind, const struct shim6_pair *pair) {
    struct shim6_limit_key key = {.kind = kind, .of = *pair};
    return within_rate(rate, &key);
}

INLINE int within_tag_rate(const struct shim6_rate *rate, __u32 kind, __u64 tag) {
    struct shim6_limit_key key = {.kind = kind};
    __builtin_memcpy(key.of.local.octets, &tag, sizeof tag);
    return within_rate(rate, &key);
}

#endif

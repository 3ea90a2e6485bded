// The maps. Sizes that the loader chooses are 1 here.
#ifndef SHIM6_BPF_MAPS_H
#define SHIM6_BPF_MAPS_H

#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_helpers.h>

#include "shim6_maps.h"

#define INLINE static __attribute__((always_inline)) inline
#define NOINLINE static __attribute__((noinline))

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 1);
    __type(key, struct shim6_pair);
    __type(value, struct shim6_outbound);
} pairs SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, SHIM6_MOST_FLOWS);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, struct shim6_flow);
    __type(value, struct shim6_outbound);
} flows SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 1);
    __type(key, __u64);
    __type(value, struct shim6_inbound);
} tags SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 1);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, struct shim6_peer_locator);
    __type(value, __u8);
} peer_locators SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 1);
    __type(key, struct shim6_address);
    __type(value, struct shim6_locator);
} locators SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, SHIM6_MOST_NEXT_HOPS);
    __type(key, struct shim6_locator_pair);
    __type(value, struct shim6_address);
} next_hops SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct shim6_activity);
} activity SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct shim6_control);
} control SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 1);
    __type(key, struct shim6_pair);
    __type(value, struct shim6_candidate);
} candidates SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 1);
    __type(key, struct shim6_limit_key);
    __type(value, __u64);
} limiters SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 1);
    __type(key, struct shim6_kept_key);
    __type(value, struct shim6_kept);
} kept_packets SEC(".maps");

/// What a new entry of `kept_packets` begins with: too large for a program's stack.
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct shim6_kept);
} blank_packet SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, SHIM6_COUNTERS);
    __type(key, __u32);
    __type(value, __u64);
} counters SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 4096);
} events SEC(".maps");

INLINE struct shim6_control *settings(void) {
    __u32 zero = 0;
    return bpf_map_lookup_elem(&control, &zero);
}

INLINE void count(__u32 counter) {
    __u64 *value = bpf_map_lookup_elem(&counters, &counter);
    if (value) *value += 1;
}

INLINE int drop(__u32 counter) {
    count(counter);
    return TC_ACT_SHOT;
}

#endif

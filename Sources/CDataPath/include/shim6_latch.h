// How the locators of the last packet in are written and read: a sequence latch. docs/decisions/locators-in-memory.md
// says why.
//
// There are two copies, and a version. A writer makes the version odd, so that no other begins, writes the copy that
// does not count, and makes the version even again, by which that copy is the one that counts. So a reader always finds
// one that nobody writes. What it has copied is good unless a second change has begun meanwhile.
#ifndef SHIM6_LATCH_H
#define SHIM6_LATCH_H

#include "shim6_maps.h"

/// Reads or writes a number of shared memory in one access.
#define SHIM6_ONCE(number) (*(volatile __typeof__(number) *)&(number))

/// The copy that counts at this version.
static inline __attribute__((always_inline)) __u64 *shim6_incoming_now(struct shim6_activity *stamps, __u64 version) {
    return stamps->incoming[version >> 1 & 1];
}

/// Writes a struct shim6_locator_pair; 0 if another writer is at it. To change the version is a full barrier, for the
/// kernel program as well (a compare-and-exchange, by the memory model of BPF).
static inline __attribute__((always_inline)) int shim6_incoming_write(
    struct shim6_activity *stamps, const __u64 *pair) {
    __u64 version = SHIM6_ONCE(stamps->incoming_version);
    if (version & 1) return 0;
    if (__sync_val_compare_and_swap(&stamps->incoming_version, version, version + 1) != version) return 0;
    __u64 *next = shim6_incoming_now(stamps, version + 2);
    for (int i = 0; i < 4; i++) SHIM6_ONCE(next[i]) = pair[i];
    (void)__sync_val_compare_and_swap(&stamps->incoming_version, version + 1, version + 2);
    return 1;
}

#ifndef __bpf__
/// Reads the locators of the last packet in, those of one packet in any case. To be disturbed takes two packets with
/// other locators than the one before, while 32 octets are copied.
static inline struct shim6_locator_pair shim6_incoming_read(struct shim6_activity *stamps) {
    __u64 version, words[4];
    struct shim6_locator_pair pair;
    do {
        version = __atomic_load_n(&stamps->incoming_version, __ATOMIC_ACQUIRE) & ~1ULL;
        const __u64 *now = shim6_incoming_now(stamps, version);
        for (int i = 0; i < 4; i++) words[i] = SHIM6_ONCE(now[i]);
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
    } while (SHIM6_ONCE(stamps->incoming_version) - version > 2);
    __builtin_memcpy(&pair, words, sizeof pair);
    return pair;
}

/// Writes what shim6_incoming_read reads from now on. The kernel program is at it for some instructions at most.
static inline void shim6_incoming_set(struct shim6_activity *stamps, struct shim6_locator_pair pair) {
    __u64 words[4];
    __builtin_memcpy(words, &pair, sizeof words);
    while (!shim6_incoming_write(stamps, words)) {}
}
#endif

#endif

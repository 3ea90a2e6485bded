// Calls of Linux that the tests need and Swift does not see. They give -errno on failure.
#ifndef CTESTKERNEL_H
#define CTESTKERNEL_H

#include <stdint.h>

/// Moves the calling thread to a new network namespace.
int network_namespace_make(void);
/// Moves the calling thread to the network namespace behind a descriptor.
int network_namespace_enter(int descriptor);

/// Makes a tun device: a descriptor that reads and writes its packets, without a header of their own.
int tun_open(const char *name);

/// Somebody else's tc filter: it counts the packets with a mark and lets every packet pass.
struct witness {
    int map;
    int program;
};
/// Attaches a witness to a clsact hook behind or before others, as `priority` says.
int witness_attach(struct witness *witness, uint32_t ifindex, int ingress, uint32_t priority, uint32_t mark);
/// How many packets it has seen.
int64_t witness_count(const struct witness *witness);
void witness_close(struct witness *witness);

#endif

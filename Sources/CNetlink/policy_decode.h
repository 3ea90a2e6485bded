#ifndef POLICY_DECODE_H
#define POLICY_DECODE_H

#include <linux/netlink.h>

#include "include/cnl_policy.h"

struct policy_target {
    cnl_policy_handler handler;
    void *context;
};

// Hands the IPv6 policy that a message tells of, or whose expiry it tells of, to the `struct policy_target` at `target`;
// other messages are skipped.
int policy_decode(void *target, const struct nlmsghdr *message);

#endif

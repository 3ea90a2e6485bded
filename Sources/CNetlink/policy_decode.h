#ifndef POLICY_DECODE_H
#define POLICY_DECODE_H

#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <linux/xfrm.h>

#include "include/cnl_policy.h"

struct policy_target {
    cnl_policy_handler handler;
    void *context;
};

// Hands the IPv6 policy that a message tells of, or whose expiry it tells of, to the `struct policy_target` at
// `target`; other messages are skipped.
int policy_decode(void *target, const struct nlmsghdr *message);

// `row` holds the attributes behind `info`, by type.
struct cnl_policy policy_from_info(const struct xfrm_userpolicy_info *info, const struct nlattr *const *row);

#endif

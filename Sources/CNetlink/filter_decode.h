#ifndef FILTER_DECODE_H
#define FILTER_DECODE_H

#include <linux/netlink.h>

#include "include/cnl_filter.h"

struct filter_target {
    cnl_filter_handler handler;
    void *context;
    bool ingress;
};

// Hands the filter that a message tells of to the `struct filter_target` at `target`; other messages are skipped.
int decode_filter(void *target, const struct nlmsghdr *message);

#endif

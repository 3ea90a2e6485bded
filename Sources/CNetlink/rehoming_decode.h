#ifndef REHOMING_DECODE_H
#define REHOMING_DECODE_H

#include <libmnl/libmnl.h>
#include <linux/xfrm.h>

#include "include/cnl_rehoming.h"

// `care_of` may be NULL.
struct cnl_state state_from_info(const struct xfrm_usersa_info *info, const struct nlattr *care_of);

struct event_target {
    cnl_xfrm_event_handler handler;
    void *context;
};

// Hands the event that a message tells of to the `struct event_target` at `target`; other messages are skipped.
int decode_event(void *target, const struct nlmsghdr *message);

struct state_target {
    cnl_state_handler handler;
    void *context;
};

// Hands the state that a message tells of to the `struct state_target` at `target`; other messages are skipped.
int decode_state(void *target, const struct nlmsghdr *message);

#endif

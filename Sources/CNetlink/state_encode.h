// Requests about XFRM states.
#ifndef STATE_ENCODE_H
#define STATE_ENCODE_H

#include <linux/netlink.h>
#include <linux/xfrm.h>

#include "include/cnl_rehoming.h"

// Octets that any of the requests below fits into.
enum { state_request_room = 512 };

// Each makes a request in `room`, which has state_request_room octets and the alignment of a header.
struct nlmsghdr *encode_state(void *room, const struct cnl_state *state, uint16_t type);
struct nlmsghdr *encode_state_deletion(void *room, const struct cnl_state *state);

#endif

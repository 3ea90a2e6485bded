// XFRM requests as the kernel wants them.
#ifndef REHOMING_ENCODE_H
#define REHOMING_ENCODE_H

#include <linux/netlink.h>
#include <linux/xfrm.h>

#include "include/cnl_rehoming.h"

// Octets that any of the requests below fits into.
enum { rehoming_request_room = 1024 };

// Each makes a request in `room`, which has rehoming_request_room octets and the alignment of a header.
struct nlmsghdr *encode_state(void *room, const struct cnl_state *state, uint16_t type);
struct nlmsghdr *encode_state_deletion(void *room, const struct cnl_state *state);
struct nlmsghdr *encode_policy(void *room, const struct cnl_rehoming_policy *policy, uint16_t type);
struct nlmsghdr *encode_policy_deletion(void *room, const struct cnl_rehoming_policy *policy);

void encode_template(struct xfrm_user_tmpl *out, const struct cnl_template *in);

#endif

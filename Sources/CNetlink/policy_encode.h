// Requests about XFRM policies of the sub type, by libnl-xfrm.
#ifndef POLICY_ENCODE_H
#define POLICY_ENCODE_H

#include <netlink/msg.h>

#include "include/cnl_rehoming.h"

// Each returns a message that the caller frees or sends, NULL if there is no memory.

// A policy that goes after `idle_seconds` without a packet, 0 for never. `replace`: change it if it is there.
struct nl_msg *encode_policy(const struct cnl_rehoming_policy *policy, uint32_t idle_seconds, bool replace);
// By the selector or, if `index` is not 0, by that: an index is never used again for another policy soon.
struct nl_msg *encode_policy_deletion(const struct cnl_rehoming_policy *policy, uint32_t index);
// Asks for one policy, by its selector.
struct nl_msg *encode_policy_question(const struct cnl_rehoming_policy *policy);

// The inbound policy of an address pair, as idleness is watched with. It lets plain packets pass, and if `rehoming` is
// not 0 those that states with this request id have restored.
struct cnl_rehoming_policy pair_policy(
    const struct cnl_address *source, const struct cnl_address *destination, uint32_t priority, uint32_t rehoming);

#endif

// XFRM policies that only watch for silence: inbound, of the sub type, without IPsec templates, for one address pair.
// With `rehoming` they also let packets pass that a state in route optimisation mode has restored (cnl_rehoming.h).
//
// A policy is ours if it has all of that and the priority that the caller uses as its mark. No other is ever changed.
#ifndef CNL_POLICY_H
#define CNL_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cnl_address.h"

struct cnl_policy {
    struct cnl_prefix source;
    struct cnl_prefix destination;
    uint64_t hard_use_seconds;  // lifetime since the last packet, UINT64_MAX for ever
    uint64_t used;              // when a packet or lookup met it last, seconds since 1970; 0 for never
    uint32_t priority;
    uint32_t index;
    uint8_t direction;  // XFRM_POLICY_IN, _OUT, _FWD
    uint8_t action;     // XFRM_POLICY_ALLOW, _BLOCK
    bool sub;           // of the sub type
    bool narrowed;      // by ports, protocol, interface, mark or interface id
    bool templates;     // asks for IPsec
    bool rehoming;      // has templates in route optimisation mode
    bool hard;          // in an expiry: the policy is gone
};

typedef void (*cnl_policy_handler)(void *context, const struct cnl_policy *policy);

// Opens a socket for requests. Returns the file descriptor.
int cnl_policy_open(void);

// Adds a policy for packets from `source` to `destination`. `rehoming` is the request id of the states whose packets
// may pass, 0 for none. -EEXIST if there is a sub policy for the pair, whosever.
int cnl_policy_add(
    int fd, const struct cnl_address *source, const struct cnl_address *destination, uint32_t seconds,
    uint32_t priority, uint32_t rehoming);
struct cnl_policy_wish {
    struct cnl_address source;
    struct cnl_address destination;
    uint32_t seconds;
};

// `error` is 0 or the negative errno of wish number `position`.
typedef void (*cnl_policy_judge)(void *context, size_t position, int error);

// Adds many in a few system calls and tells of each that the kernel refused. A negative result is of all that nothing
// was told of.
int cnl_policy_add_all(
    int fd, const struct cnl_policy_wish *wishes, size_t count, uint32_t priority, uint32_t rehoming,
    cnl_policy_judge judge, void *context);
// -ENOENT if there is no sub policy for the pair, -EPERM if it is not ours.
int cnl_policy_delete(
    int fd, const struct cnl_address *source, const struct cnl_address *destination, uint32_t priority);
// Hands over every IPv6 policy, of whatever type and owner. -EINTR as with cnl_dump.
int cnl_policy_dump(int fd, cnl_policy_handler handler, void *context);
bool cnl_policy_is_ours(const struct cnl_policy *policy, uint32_t priority);
// Deletes all of ours. Returns how many there were.
int cnl_policy_flush(int fd, uint32_t priority);

// Opens a nonblocking socket that hears of expiries. `receive_buffer` in octets. Returns the file descriptor.
int cnl_expiry_open(int receive_buffer);
// Hands over the expiries that are waiting, of whatever policy. Waits for one at most `timeout` ms, -1 for ever; 0 does
// not wait. -ENOBUFS: some were lost and all that waited thrown away; compare a dump with what should be there.
int cnl_expiry_read(int fd, int timeout, cnl_policy_handler handler, void *context);

#endif

// XFRM policies and states in route optimisation mode: the kernel puts locators into packets on their way out, behind
// them a type 2 routing header and a Home Address option with the ULIDs (RFC 6275, sections 6.3 and 6.4), and the ULIDs
// back on their way in.
//
// States are found again by their request id, policies by type (sub) and priority; no others are ever changed.
#ifndef CNL_REHOMING_H
#define CNL_REHOMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cnl_address.h"
#include "cnl_policy.h"

enum {
    CNL_ROUTING_HEADER = 43,      // a state's or template's protocol: the destination is replaced
    CNL_DESTINATION_OPTIONS = 60  // the source is replaced
};

// One replacement. Outgoing, `source` and `destination` are the ULIDs and `care_of` the locator that takes the place of
// one of them. Incoming, they are what the header is restored to; `care_of` 0 accepts any locator, and so does a source
// of 0 together with `wildcard`.
struct cnl_state {
    struct cnl_address source;
    struct cnl_address destination;
    struct cnl_address care_of;
    uint32_t request;  // request id, our mark
    uint8_t protocol;
    bool wildcard;
    // What the kernel tells; seconds since 1970, 0 for never.
    uint64_t packets;
    uint64_t octets;
    uint64_t added;
    uint64_t used;
};

struct cnl_template {
    struct cnl_address source;
    struct cnl_address destination;
    uint32_t request;
    uint8_t protocol;
    bool optional;  // without a state packets pass unchanged
};

// A policy of the sub type that allows what it selects.
struct cnl_rehoming_policy {
    struct cnl_prefix source;
    struct cnl_prefix destination;
    uint32_t priority;
    uint8_t direction;    // XFRM_POLICY_IN, _OUT
    uint8_t next_header;  // 0 for all
    uint8_t icmp_type;    // with next header 58; 0 for all
    uint8_t template_count;
    struct cnl_template templates[2];  // outgoing: routing header first; incoming: destination options first
};

// Requests that the kernel takes in one go, in their order. No packet comes between them.
struct cnl_changes;

// NULL if there is no memory.
struct cnl_changes *cnl_changes_create(void);
void cnl_changes_destroy(struct cnl_changes *changes);
void cnl_changes_clear(struct cnl_changes *changes);
// Each adds one request; -ENOMEM. `replace`: change it, or add it if it is not there (policies), or fail with -ESRCH
// (states); else fail with -EEXIST if it is there.
int cnl_changes_put_state(struct cnl_changes *changes, const struct cnl_state *state, bool replace);
int cnl_changes_put_policy(struct cnl_changes *changes, const struct cnl_rehoming_policy *policy, bool replace);
int cnl_changes_delete_state(struct cnl_changes *changes, const struct cnl_state *state);
int cnl_changes_delete_policy(struct cnl_changes *changes, const struct cnl_rehoming_policy *policy);
// The requests as they are sent. Valid until the next request is added.
const uint8_t *cnl_changes_octets(const struct cnl_changes *changes, size_t *length);
// Sends all requests at once. The kernel carries on behind one that it refuses; the first refusal is returned, and its
// position in `refused` if that is not NULL. A request to delete what is not there is no refusal. Empties `changes`.
int cnl_changes_send(int fd, struct cnl_changes *changes, size_t *refused);

typedef void (*cnl_state_handler)(void *context, const struct cnl_state *state);

// Hands over every IPv6 state in route optimisation mode, whosever. `protocol` 0 for both. -EINTR as with cnl_dump.
int cnl_state_dump(int fd, uint8_t protocol, cnl_state_handler handler, void *context);
// Deletes all states with this request id, and all sub policies without IPsec templates and with a priority from
// `first_priority` to `last_priority`. Returns how many there were.
int cnl_rehoming_flush(int fd, uint32_t request, uint32_t first_priority, uint32_t last_priority);

enum cnl_xfrm_event_kind {
    CNL_ACQUIRE,         // a packet met a template without a state: `state` has its addresses, `policy` the policy
    CNL_STATE_EXPIRED,   // `state`; `policy.hard` says whether it is gone
    CNL_POLICY_EXPIRED,  // `policy`
};

struct cnl_xfrm_event {
    enum cnl_xfrm_event_kind kind;
    struct cnl_state state;
    struct cnl_policy policy;
    uint8_t next_header;  // of the packet that met the template
};

typedef void (*cnl_xfrm_event_handler)(void *context, const struct cnl_xfrm_event *event);

// Opens a nonblocking socket that hears of events. `receive_buffer` in octets. Returns the file descriptor.
int cnl_xfrm_events_open(int receive_buffer);
// Hands over what is waiting, of whatever policies and states. -ENOBUFS: some were lost and all that waited thrown
// away.
int cnl_xfrm_events_read(int fd, cnl_xfrm_event_handler handler, void *context);

#endif

#include <linux/xfrm.h>
#include <sys/socket.h>

#include "decode.h"
#include "octets.h"
#include "policy_decode.h"
#include "rehoming_decode.h"
#include "transport.h"

int cnl_xfrm_events_open(int receive_buffer) {
    static const unsigned int groups[] = {XFRMNLGRP_ACQUIRE, XFRMNLGRP_EXPIRE};
    return transport_listen(NETLINK_XFRM, groups, 2, receive_buffer);
}

static void decode_acquire(const struct nlmsghdr *message, const struct event_target *target) {
    const struct xfrm_user_acquire *acquire = mnl_nlmsg_get_payload(message);
    if (mnl_nlmsg_get_payload_len(message) < sizeof(*acquire) || acquire->sel.family != AF_INET6) return;
    const struct nlattr *row[XFRMA_MAX + 1];
    decode_attributes(message, sizeof(*acquire), row, XFRMA_MAX + 1);
    struct cnl_xfrm_event event = {
        .kind = CNL_ACQUIRE,
        .state =
            {.source = address_from_octets(&acquire->sel.saddr),
             .destination = address_from_octets(&acquire->sel.daddr),
             .protocol = acquire->id.proto},
        .policy = policy_from_info(&acquire->policy, row),
        .next_header = acquire->sel.proto,
    };
    target->handler(target->context, &event);
}

static void decode_expire(const struct nlmsghdr *message, const struct event_target *target) {
    const struct xfrm_user_expire *expire = mnl_nlmsg_get_payload(message);
    if (mnl_nlmsg_get_payload_len(message) < sizeof(*expire) || expire->state.family != AF_INET6) return;
    struct cnl_xfrm_event event = {.kind = CNL_STATE_EXPIRED, .state = state_from_info(&expire->state, NULL)};
    event.policy.hard = expire->hard != 0;
    target->handler(target->context, &event);
}

static void decode_policy_expiry(void *context, const struct cnl_policy *policy) {
    const struct event_target *target = context;
    struct cnl_xfrm_event event = {.kind = CNL_POLICY_EXPIRED, .policy = *policy};
    target->handler(target->context, &event);
}

int decode_event(void *context, const struct nlmsghdr *message) {
    struct event_target *target = context;
    struct policy_target expiry = {decode_policy_expiry, target};
    switch (message->nlmsg_type) {
    case XFRM_MSG_ACQUIRE:
        decode_acquire(message, target);
        return 0;
    case XFRM_MSG_EXPIRE:
        decode_expire(message, target);
        return 0;
    case XFRM_MSG_POLEXPIRE:
        return policy_decode(&expiry, message);
    default:
        return 0;
    }
}

int cnl_xfrm_events_read(int fd, cnl_xfrm_event_handler handler, void *context) {
    struct event_target target = {handler, context};
    return transport_drain(fd, decode_event, &target);
}

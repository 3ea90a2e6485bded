#include "include/cnl_policy.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/xfrm.h>
#include <netlink/xfrm/lifetime.h>
#include <netlink/xfrm/selector.h>
#include <netlink/xfrm/sp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "octets.h"
#include "policy_decode.h"
#include "rehoming_encode.h"
#include "transport.h"

int cnl_policy_open(void) {
    return transport_open(NETLINK_XFRM, 0);
}

static struct xfrmnl_sel *pair_selector(const struct cnl_address *source, const struct cnl_address *destination) {
    struct xfrmnl_sel *selector = xfrmnl_sel_alloc();
    struct nl_addr *from = address_to_nl(source, 128);
    struct nl_addr *to = address_to_nl(destination, 128);
    if (selector != NULL && from != NULL && to != NULL) {
        xfrmnl_sel_set_family(selector, AF_INET6);
        xfrmnl_sel_set_saddr(selector, from);
        xfrmnl_sel_set_prefixlen_s(selector, 128);
        xfrmnl_sel_set_daddr(selector, to);
        xfrmnl_sel_set_prefixlen_d(selector, 128);
    } else if (selector != NULL) {
        xfrmnl_sel_put(selector);
        selector = NULL;
    }
    nl_addr_put(from);
    nl_addr_put(to);
    return selector;
}

// An inbound policy for the pair, or with the index if that is not 0.
static struct xfrmnl_sp *inbound_object(
    const struct cnl_address *source, const struct cnl_address *destination, uint32_t index) {
    struct xfrmnl_sp *object = xfrmnl_sp_alloc();
    struct xfrmnl_sel *selector = pair_selector(source, destination);
    if (object != NULL && selector != NULL) {
        xfrmnl_sp_set_sel(object, selector);
        xfrmnl_sp_set_dir(object, XFRM_POLICY_IN);
        if (index != 0)
            xfrmnl_sp_set_index(object, index);
    } else if (object != NULL) {
        xfrmnl_sp_put(object);
        object = NULL;
    }
    if (selector != NULL)
        xfrmnl_sel_put(selector);
    return object;
}

static int set_idle_lifetime(struct xfrmnl_sp *object, uint32_t seconds) {
    struct xfrmnl_ltime_cfg *lifetime = xfrmnl_ltime_cfg_alloc();
    if (lifetime == NULL)
        return -1;
    xfrmnl_ltime_cfg_set_soft_bytelimit(lifetime, XFRM_INF);
    xfrmnl_ltime_cfg_set_hard_bytelimit(lifetime, XFRM_INF);
    xfrmnl_ltime_cfg_set_soft_packetlimit(lifetime, XFRM_INF);
    xfrmnl_ltime_cfg_set_hard_packetlimit(lifetime, XFRM_INF);
    xfrmnl_ltime_cfg_set_hard_useexpires(lifetime, seconds);
    xfrmnl_sp_set_lifetime_cfg(object, lifetime);
    xfrmnl_ltime_cfg_put(lifetime);
    return 0;
}

// Optional ones: plain packets pass as well.
static int put_rehoming_templates(
    struct nl_msg *message, const struct cnl_address *source, const struct cnl_address *destination, uint32_t request) {
    struct cnl_template hao = {*source, *destination, request, CNL_DESTINATION_OPTIONS, true};
    struct cnl_template route = {{0, 0}, *destination, request, CNL_ROUTING_HEADER, true};
    struct xfrm_user_tmpl templates[2];
    encode_template(&templates[0], &hao);
    encode_template(&templates[1], &route);
    return nla_put(message, XFRMA_TMPL, sizeof(templates), templates);
}

// NULL if there is no memory.
static struct nl_msg *add_request(
    const struct cnl_address *source, const struct cnl_address *destination, uint32_t seconds, uint32_t priority,
    uint32_t rehoming) {
    struct xfrmnl_sp *object = inbound_object(source, destination, 0);
    if (object == NULL)
        return NULL;
    xfrmnl_sp_set_priority(object, priority);
    xfrmnl_sp_set_action(object, XFRM_POLICY_ALLOW);
    xfrmnl_sp_set_userpolicy_type(object, XFRM_POLICY_TYPE_SUB);
    struct nl_msg *message = NULL;
    int built = set_idle_lifetime(object, seconds);
    if (built == 0)
        built = xfrmnl_sp_build_add_request(object, 0, &message);
    xfrmnl_sp_put(object);
    if (built == 0 && rehoming != 0)
        built = put_rehoming_templates(message, source, destination, rehoming);
    if (built == 0)
        return message;
    nlmsg_free(message);
    return NULL;
}

int cnl_policy_add(
    int fd, const struct cnl_address *source, const struct cnl_address *destination, uint32_t seconds,
    uint32_t priority, uint32_t rehoming) {
    struct nl_msg *message = add_request(source, destination, seconds, priority, rehoming);
    return transport_send(fd, message == NULL ? -1 : 0, message);
}

struct policy_batch {
    size_t first;  // number of its first wish
    cnl_policy_judge judge;
    void *context;
};

static void judge_batch(void *context, size_t position, const struct nlmsghdr *request, int error) {
    (void)request;
    const struct policy_batch *batch = context;
    if (error < 0)
        batch->judge(batch->context, batch->first + position, error);
}

int cnl_policy_add_all(
    int fd, const struct cnl_policy_wish *wishes, size_t count, uint32_t priority, uint32_t rehoming,
    cnl_policy_judge judge, void *context) {
    enum { batch_size = 128, request_room = 512 };
    char *requests = malloc(batch_size * request_room);
    int result = requests == NULL ? -ENOMEM : 0;
    for (size_t first = 0; first < count && result == 0; first += batch_size) {
        size_t length = 0;
        for (size_t i = first; i < count && i < first + batch_size && result == 0; i++) {
            const struct cnl_policy_wish *wish = &wishes[i];
            struct nl_msg *message =
                add_request(&wish->source, &wish->destination, wish->seconds, priority, rehoming);
            size_t needed = message == NULL ? SIZE_MAX : NLMSG_ALIGN(nlmsg_hdr(message)->nlmsg_len);
            if (needed > request_room) {
                result = -ENOMEM;
            } else {
                memset(requests + length, 0, needed);
                memcpy(requests + length, nlmsg_hdr(message), nlmsg_hdr(message)->nlmsg_len);
                length += needed;
            }
            nlmsg_free(message);
        }
        struct policy_batch batch = {first, judge, context};
        if (result == 0)
            result = transport_send_all(fd, requests, length, judge_batch, &batch);
    }
    free(requests);
    return result;
}

// libnl says the type only when it adds.
static int put_sub_type(struct nl_msg *message) {
    struct xfrm_userpolicy_type type = {.type = XFRM_POLICY_TYPE_SUB};
    return nla_put(message, XFRMA_POLICY_TYPE, sizeof(type), &type);
}

static void keep(void *context, const struct cnl_policy *policy) {
    *(struct cnl_policy *)context = *policy;
}

static int find(
    int fd, const struct cnl_address *source, const struct cnl_address *destination, struct cnl_policy *found) {
    struct xfrm_userpolicy_type type = {.type = XFRM_POLICY_TYPE_SUB};
    char room[256] __attribute__((aligned(NLMSG_ALIGNTO)));
    struct nlmsghdr *request = mnl_nlmsg_put_header(room);
    request->nlmsg_type = XFRM_MSG_GETPOLICY;
    struct xfrm_userpolicy_id *id = mnl_nlmsg_put_extra_header(request, sizeof(*id));
    id->dir = XFRM_POLICY_IN;
    id->sel.family = AF_INET6;
    id->sel.prefixlen_s = id->sel.prefixlen_d = 128;
    address_to_octets(source, &id->sel.saddr);
    address_to_octets(destination, &id->sel.daddr);
    mnl_attr_put(request, XFRMA_POLICY_TYPE, sizeof(type), &type);
    struct policy_target target = {keep, found};
    return transport_get(fd, request, policy_decode, &target);
}

// An index is never used again for another policy soon, so that what was looked at is what goes.
static int delete_found(int fd, const struct cnl_policy *policy) {
    struct xfrmnl_sp *object =
        inbound_object(&policy->source.address, &policy->destination.address, policy->index);
    if (object == NULL)
        return -ENOMEM;
    struct nl_msg *message = NULL;
    int built = xfrmnl_sp_build_delete_request(object, 0, &message);
    xfrmnl_sp_put(object);
    if (built == 0)
        built = put_sub_type(message);
    return transport_send(fd, built, message);
}

int cnl_policy_delete(
    int fd, const struct cnl_address *source, const struct cnl_address *destination, uint32_t priority) {
    struct cnl_policy found = {.index = 0};
    int result = find(fd, source, destination, &found);
    if (result < 0)
        return result;
    if (found.index == 0)
        return -ENOENT;
    return cnl_policy_is_ours(&found, priority) ? delete_found(fd, &found) : -EPERM;
}

bool cnl_policy_is_ours(const struct cnl_policy *policy, uint32_t priority) {
    return policy->sub && policy->direction == XFRM_POLICY_IN && policy->action == XFRM_POLICY_ALLOW &&
           policy->priority == priority && !policy->templates && !policy->narrowed && policy->source.length == 128 &&
           policy->destination.length == 128;
}

int cnl_policy_dump(int fd, cnl_policy_handler handler, void *context) {
    char room[64] __attribute__((aligned(NLMSG_ALIGNTO)));
    struct nlmsghdr *request = mnl_nlmsg_put_header(room);
    request->nlmsg_type = XFRM_MSG_GETPOLICY;
    struct policy_target target = {handler, context};
    return transport_dump(fd, request, policy_decode, &target);
}

struct own_policies {
    uint32_t priority;
    struct cnl_policy *policies;
    size_t count;
    size_t room;
    bool incomplete;  // there was no memory for all
};

static void collect(void *context, const struct cnl_policy *policy) {
    struct own_policies *own = context;
    if (own->incomplete || !cnl_policy_is_ours(policy, own->priority))
        return;
    if (own->count == own->room) {
        size_t room = 2 * own->room + 64;
        struct cnl_policy *policies = reallocarray(own->policies, room, sizeof(*policies));
        own->incomplete = policies == NULL;
        if (own->incomplete)
            return;
        own->policies = policies;
        own->room = room;
    }
    own->policies[own->count++] = *policy;
}

int cnl_policy_flush(int fd, uint32_t priority) {
    struct own_policies own = {.priority = priority};
    int result = -EINTR;
    for (int attempt = 0; result == -EINTR && attempt < 16; attempt++) {
        own.count = 0;
        result = cnl_policy_dump(fd, collect, &own);
    }
    int count = 0;
    for (size_t i = 0; result == 0 && i < own.count; i++) {
        result = delete_found(fd, &own.policies[i]);
        count += result == 0;
        // It may have expired meanwhile.
        result = result == -ENOENT ? 0 : result;
    }
    free(own.policies);
    if (result < 0)
        return result;
    return own.incomplete ? -ENOMEM : count;
}

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/xfrm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "changes.h"
#include "decode.h"
#include "octets.h"
#include "policy_encode.h"
#include "rehoming_decode.h"
#include "transport.h"

struct cnl_state state_from_info(const struct xfrm_usersa_info *info, const struct nlattr *care_of) {
    struct cnl_state state = {
        .source = address_from_octets(&info->saddr),
        .destination = address_from_octets(&info->id.daddr),
        .request = info->reqid,
        .protocol = info->id.proto,
        .wildcard = info->flags & XFRM_STATE_WILDRECV,
        .packets = info->curlft.packets,
        .octets = info->curlft.bytes,
        .added = info->curlft.add_time,
        .used = info->curlft.use_time,
    };
    if (care_of != NULL && mnl_attr_get_payload_len(care_of) >= 16)
        state.care_of = address_from_octets(mnl_attr_get_payload(care_of));
    return state;
}

int decode_state(void *context, const struct nlmsghdr *message) {
    const struct state_target *target = context;
    if (message->nlmsg_type != XFRM_MSG_NEWSA || mnl_nlmsg_get_payload_len(message) < sizeof(struct xfrm_usersa_info))
        return 0;
    const struct xfrm_usersa_info *info = mnl_nlmsg_get_payload(message);
    if (info->family != AF_INET6 || info->mode != XFRM_MODE_ROUTEOPTIMIZATION) return 0;
    const struct nlattr *row[XFRMA_MAX + 1];
    decode_attributes(message, sizeof(*info), row, XFRMA_MAX + 1);
    struct cnl_state state = state_from_info(info, row[XFRMA_COADDR]);
    target->handler(target->context, &state);
    return 0;
}

int cnl_state_dump(int fd, uint8_t protocol, cnl_state_handler handler, void *context) {
    char room[64] __attribute__((aligned(NLMSG_ALIGNTO)));
    struct nlmsghdr *request = mnl_nlmsg_put_header(room);
    request->nlmsg_type = XFRM_MSG_GETSA;
    if (protocol != 0) mnl_attr_put_u8(request, XFRMA_PROTO, protocol);
    struct state_target target = {handler, context};
    return transport_dump(fd, request, decode_state, &target);
}

// What is to be deleted.
struct gathering {
    struct cnl_changes *changes;
    uint32_t request;
    uint32_t first_priority;
    uint32_t last_priority;
    int count;
    int error;
};

static void gather_state(void *context, const struct cnl_state *state) {
    struct gathering *gathering = context;
    if (state->request != gathering->request) return;
    int result = cnl_changes_delete_state(gathering->changes, state);
    gathering->error = result < 0 ? result : gathering->error;
    gathering->count++;
}

static void gather_policy(void *context, const struct cnl_policy *policy) {
    struct gathering *gathering = context;
    if (!policy->sub || policy->templates || policy->action != XFRM_POLICY_ALLOW ||
        policy->priority < gathering->first_priority || policy->priority > gathering->last_priority)
        return;
    struct cnl_rehoming_policy wanted = {.direction = policy->direction};
    int result = changes_append(gathering->changes, encode_policy_deletion(&wanted, policy->index));
    gathering->error = result < 0 ? result : gathering->error;
    gathering->count++;
}

static int delete_gathered(int fd, int dumped, struct gathering *gathering) {
    int result = dumped < 0 ? dumped : gathering->error;
    if (result == 0) result = changes_send_in_parts(fd, gathering->changes);
    return result;
}

int cnl_rehoming_flush(int fd, uint32_t request, uint32_t first_priority, uint32_t last_priority) {
    struct gathering gathering = {cnl_changes_create(), request, first_priority, last_priority, 0, 0};
    if (gathering.changes == NULL) return -ENOMEM;
    // Policies first: without its states one would hold packets back.
    int result = delete_gathered(fd, cnl_policy_dump(fd, gather_policy, &gathering), &gathering);
    if (result == 0) result = delete_gathered(fd, cnl_state_dump(fd, 0, gather_state, &gathering), &gathering);
    cnl_changes_destroy(gathering.changes);
    return result < 0 ? result : gathering.count;
}

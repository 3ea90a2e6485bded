#include "state_encode.h"

#include <libmnl/libmnl.h>
#include <sys/socket.h>

#include "octets.h"

static void no_limits(struct xfrm_lifetime_cfg *lifetime) {
    lifetime->soft_byte_limit = lifetime->hard_byte_limit = XFRM_INF;
    lifetime->soft_packet_limit = lifetime->hard_packet_limit = XFRM_INF;
}

struct nlmsghdr *encode_state(void *room, const struct cnl_state *state, uint16_t type) {
    struct nlmsghdr *request = mnl_nlmsg_put_header(room);
    request->nlmsg_type = type;
    struct xfrm_usersa_info *info = mnl_nlmsg_put_extra_header(request, sizeof(*info));
    address_to_octets(&state->source, &info->saddr);
    address_to_octets(&state->destination, &info->id.daddr);
    info->id.proto = state->protocol;
    info->family = info->sel.family = AF_INET6;
    info->mode = XFRM_MODE_ROUTEOPTIMIZATION;
    info->reqid = state->request;
    info->flags = state->wildcard ? XFRM_STATE_WILDRECV : 0;
    no_limits(&info->lft);
    uint8_t care_of[16];
    address_to_octets(&state->care_of, care_of);
    mnl_attr_put(request, XFRMA_COADDR, sizeof(care_of), care_of);
    return request;
}

struct nlmsghdr *encode_state_deletion(void *room, const struct cnl_state *state) {
    struct nlmsghdr *request = mnl_nlmsg_put_header(room);
    request->nlmsg_type = XFRM_MSG_DELSA;
    struct xfrm_usersa_id *id = mnl_nlmsg_put_extra_header(request, sizeof(*id));
    address_to_octets(&state->destination, &id->daddr);
    id->family = AF_INET6;
    id->proto = state->protocol;
    uint8_t source[16];
    address_to_octets(&state->source, source);
    mnl_attr_put(request, XFRMA_SRCADDR, sizeof(source), source);
    return request;
}

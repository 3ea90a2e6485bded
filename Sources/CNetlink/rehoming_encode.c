// By libmnl: libnl 3.7 puts a pointer where the care-of address belongs.
#include "rehoming_encode.h"

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

static void encode_selector(struct xfrm_selector *selector, const struct cnl_rehoming_policy *policy) {
    selector->family = AF_INET6;
    address_to_octets(&policy->source.address, &selector->saddr);
    address_to_octets(&policy->destination.address, &selector->daddr);
    selector->prefixlen_s = policy->source.length;
    selector->prefixlen_d = policy->destination.length;
    selector->proto = policy->next_header;
    if (policy->icmp_type != 0) {
        // The kernel keeps an ICMPv6 type where it keeps ports.
        selector->sport = htons(policy->icmp_type);
        selector->sport_mask = 0xffff;
    }
}

static void put_sub_type(struct nlmsghdr *request) {
    struct xfrm_userpolicy_type type = {.type = XFRM_POLICY_TYPE_SUB};
    mnl_attr_put(request, XFRMA_POLICY_TYPE, sizeof(type), &type);
}

void encode_template(struct xfrm_user_tmpl *out, const struct cnl_template *in) {
    *out = (struct xfrm_user_tmpl){
        .id.proto = in->protocol,
        .family = AF_INET6,
        .reqid = in->request,
        .mode = XFRM_MODE_ROUTEOPTIMIZATION,
        .optional = in->optional,
        .aalgos = UINT32_MAX,
        .ealgos = UINT32_MAX,
        .calgos = UINT32_MAX,
    };
    address_to_octets(&in->source, &out->saddr);
    address_to_octets(&in->destination, &out->id.daddr);
}

struct nlmsghdr *encode_policy(void *room, const struct cnl_rehoming_policy *policy, uint16_t type) {
    struct nlmsghdr *request = mnl_nlmsg_put_header(room);
    request->nlmsg_type = type;
    struct xfrm_userpolicy_info *info = mnl_nlmsg_put_extra_header(request, sizeof(*info));
    encode_selector(&info->sel, policy);
    info->priority = policy->priority;
    info->dir = policy->direction;
    info->action = XFRM_POLICY_ALLOW;
    no_limits(&info->lft);
    put_sub_type(request);
    struct xfrm_user_tmpl templates[2];
    for (int i = 0; i < policy->template_count && i < 2; i++) encode_template(&templates[i], &policy->templates[i]);
    if (policy->template_count > 0)
        mnl_attr_put(request, XFRMA_TMPL, policy->template_count * sizeof(templates[0]), templates);
    return request;
}

struct nlmsghdr *encode_policy_deletion(void *room, const struct cnl_rehoming_policy *policy) {
    struct nlmsghdr *request = mnl_nlmsg_put_header(room);
    request->nlmsg_type = XFRM_MSG_DELPOLICY;
    struct xfrm_userpolicy_id *id = mnl_nlmsg_put_extra_header(request, sizeof(*id));
    encode_selector(&id->sel, policy);
    id->dir = policy->direction;
    put_sub_type(request);
    return request;
}

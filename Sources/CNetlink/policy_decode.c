#include "policy_decode.h"

#include <linux/xfrm.h>
#include <sys/socket.h>

#include "decode.h"
#include "octets.h"

static bool is_narrowed(const struct xfrm_selector *selector, const struct nlattr *const *row) {
    return selector->sport_mask != 0 || selector->dport_mask != 0 || selector->proto != 0 || selector->ifindex != 0 ||
           selector->user != 0 || row[XFRMA_MARK] != NULL || row[XFRMA_IF_ID] != NULL || row[XFRMA_SEC_CTX] != NULL;
}

static void decode_templates(const struct nlattr *attribute, struct cnl_policy *policy) {
    if (attribute == NULL) return;
    const struct xfrm_user_tmpl *templates = mnl_attr_get_payload(attribute);
    size_t count = mnl_attr_get_payload_len(attribute) / sizeof(*templates);
    for (size_t i = 0; i < count; i++) {
        bool rehoming = templates[i].mode == XFRM_MODE_ROUTEOPTIMIZATION;
        policy->rehoming |= rehoming;
        policy->templates |= !rehoming;
    }
}

struct cnl_policy policy_from_info(const struct xfrm_userpolicy_info *info, const struct nlattr *const *row) {
    struct cnl_policy policy = {
        .source = {address_from_octets(&info->sel.saddr), info->sel.prefixlen_s},
        .destination = {address_from_octets(&info->sel.daddr), info->sel.prefixlen_d},
        .hard_use_seconds = info->lft.hard_use_expires_seconds,
        .used = info->curlft.use_time,
        .priority = info->priority,
        .index = info->index,
        .direction = info->dir,
        .action = info->action,
        // The type is the first octet of the attribute.
        .sub = decode_u8(row[XFRMA_POLICY_TYPE]) == XFRM_POLICY_TYPE_SUB,
        .narrowed = is_narrowed(&info->sel, row),
    };
    decode_templates(row[XFRMA_TMPL], &policy);
    return policy;
}

int policy_decode(void *context, const struct nlmsghdr *message) {
    const struct policy_target *target = context;
    bool expiry = message->nlmsg_type == XFRM_MSG_POLEXPIRE;
    if (!expiry && message->nlmsg_type != XFRM_MSG_NEWPOLICY) return 0;
    size_t header_size = expiry ? sizeof(struct xfrm_user_polexpire) : sizeof(struct xfrm_userpolicy_info);
    if (mnl_nlmsg_get_payload_len(message) < header_size) return 0;
    // Both headers begin with the policy.
    const struct xfrm_userpolicy_info *info = mnl_nlmsg_get_payload(message);
    if (info->sel.family != AF_INET6) return 0;
    const struct nlattr *row[XFRMA_MAX + 1];
    decode_attributes(message, header_size, row, XFRMA_MAX + 1);
    struct cnl_policy policy = policy_from_info(info, row);
    policy.hard = expiry && ((const struct xfrm_user_polexpire *)info)->hard != 0;
    target->handler(target->context, &policy);
    return 0;
}

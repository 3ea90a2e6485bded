#include "policy_encode.h"

#include <linux/xfrm.h>
#include <netlink/xfrm/lifetime.h>
#include <netlink/xfrm/selector.h>
#include <netlink/xfrm/sp.h>
#include <netlink/xfrm/template.h>
#include <sys/socket.h>

#include "octets.h"

static struct xfrmnl_sel *selector_object(const struct cnl_rehoming_policy *policy) {
    struct xfrmnl_sel *selector = xfrmnl_sel_alloc();
    struct nl_addr *from = address_to_nl(&policy->source.address, policy->source.length);
    struct nl_addr *to = address_to_nl(&policy->destination.address, policy->destination.length);
    if (selector != NULL && from != NULL && to != NULL) {
        xfrmnl_sel_set_family(selector, AF_INET6);
        xfrmnl_sel_set_saddr(selector, from);
        xfrmnl_sel_set_prefixlen_s(selector, policy->source.length);
        xfrmnl_sel_set_daddr(selector, to);
        xfrmnl_sel_set_prefixlen_d(selector, policy->destination.length);
        xfrmnl_sel_set_proto(selector, policy->next_header);
        // The kernel keeps an ICMPv6 type where it keeps ports.
        xfrmnl_sel_set_sport(selector, policy->icmp_type);
        xfrmnl_sel_set_sportmask(selector, policy->icmp_type != 0 ? UINT16_MAX : 0);
    } else if (selector != NULL) {
        xfrmnl_sel_put(selector);
        selector = NULL;
    }
    nl_addr_put(from);
    nl_addr_put(to);
    return selector;
}

static struct xfrmnl_sp *policy_object(const struct cnl_rehoming_policy *policy) {
    struct xfrmnl_sp *object = xfrmnl_sp_alloc();
    struct xfrmnl_sel *selector = selector_object(policy);
    if (object != NULL && selector != NULL) {
        xfrmnl_sp_set_sel(object, selector);
        xfrmnl_sp_set_dir(object, policy->direction);
    } else if (object != NULL) {
        xfrmnl_sp_put(object);
        object = NULL;
    }
    if (selector != NULL) xfrmnl_sel_put(selector);
    return object;
}

static int set_lifetime(struct xfrmnl_sp *object, uint32_t idle_seconds) {
    struct xfrmnl_ltime_cfg *lifetime = xfrmnl_ltime_cfg_alloc();
    if (lifetime == NULL) return -1;
    xfrmnl_ltime_cfg_set_soft_bytelimit(lifetime, XFRM_INF);
    xfrmnl_ltime_cfg_set_hard_bytelimit(lifetime, XFRM_INF);
    xfrmnl_ltime_cfg_set_soft_packetlimit(lifetime, XFRM_INF);
    xfrmnl_ltime_cfg_set_hard_packetlimit(lifetime, XFRM_INF);
    xfrmnl_ltime_cfg_set_hard_useexpires(lifetime, idle_seconds);
    xfrmnl_sp_set_lifetime_cfg(object, lifetime);
    xfrmnl_ltime_cfg_put(lifetime);
    return 0;
}

static int add_template(struct xfrmnl_sp *object, const struct cnl_template *template) {
    struct xfrmnl_user_tmpl *out = xfrmnl_user_tmpl_alloc();
    struct nl_addr *from = address_to_nl(&template->source, 128);
    struct nl_addr *to = address_to_nl(&template->destination, 128);
    int result = out == NULL || from == NULL || to == NULL ? -1 : 0;
    if (result == 0) {
        xfrmnl_user_tmpl_set_family(out, AF_INET6);
        xfrmnl_user_tmpl_set_saddr(out, from);
        xfrmnl_user_tmpl_set_daddr(out, to);
        xfrmnl_user_tmpl_set_proto(out, template->protocol);
        xfrmnl_user_tmpl_set_reqid(out, template->request);
        xfrmnl_user_tmpl_set_mode(out, XFRM_MODE_ROUTEOPTIMIZATION);
        xfrmnl_user_tmpl_set_optional(out, template->optional);
        xfrmnl_user_tmpl_set_aalgos(out, UINT32_MAX);
        xfrmnl_user_tmpl_set_ealgos(out, UINT32_MAX);
        xfrmnl_user_tmpl_set_calgos(out, UINT32_MAX);
        // It belongs to the policy from now on.
        xfrmnl_sp_add_usertemplate(object, out);
    } else if (out != NULL) {
        xfrmnl_user_tmpl_free(out);
    }
    nl_addr_put(from);
    nl_addr_put(to);
    return result;
}

struct nl_msg *encode_policy(const struct cnl_rehoming_policy *policy, uint32_t idle_seconds, bool replace) {
    struct xfrmnl_sp *object = policy_object(policy);
    if (object == NULL) return NULL;
    xfrmnl_sp_set_priority(object, policy->priority);
    xfrmnl_sp_set_action(object, XFRM_POLICY_ALLOW);
    xfrmnl_sp_set_userpolicy_type(object, XFRM_POLICY_TYPE_SUB);
    int built = set_lifetime(object, idle_seconds);
    for (int i = 0; i < policy->template_count && i < 2 && built == 0; i++)
        built = add_template(object, &policy->templates[i]);
    struct nl_msg *message = NULL;
    if (built == 0) (void)(replace ? xfrmnl_sp_build_update_request : xfrmnl_sp_build_add_request)(object, 0, &message);
    xfrmnl_sp_put(object);
    return message;
}

struct nl_msg *encode_policy_deletion(const struct cnl_rehoming_policy *policy, uint32_t index) {
    struct xfrmnl_sp *object = policy_object(policy);
    if (object == NULL) return NULL;
    if (index != 0) xfrmnl_sp_set_index(object, index);
    struct nl_msg *message = NULL;
    int built = xfrmnl_sp_build_delete_request(object, 0, &message);
    xfrmnl_sp_put(object);
    // libnl says the type only when it adds.
    struct xfrm_userpolicy_type type = {.type = XFRM_POLICY_TYPE_SUB};
    if (built < 0 || nla_put(message, XFRMA_POLICY_TYPE, sizeof(type), &type) == 0) return message;
    nlmsg_free(message);
    return NULL;
}

struct nl_msg *encode_policy_question(const struct cnl_rehoming_policy *policy) {
    // libnl asks by index only; the kernel takes the same question as for a deletion.
    struct nl_msg *message = encode_policy_deletion(policy, 0);
    if (message != NULL) nlmsg_hdr(message)->nlmsg_type = XFRM_MSG_GETPOLICY;
    return message;
}

struct cnl_rehoming_policy pair_policy(
    const struct cnl_address *source, const struct cnl_address *destination, uint32_t priority, uint32_t rehoming) {
    return (struct cnl_rehoming_policy){
        .source = {*source, 128},
        .destination = {*destination, 128},
        .priority = priority,
        .direction = XFRM_POLICY_IN,
        .template_count = rehoming == 0 ? 0 : 2,
        .templates =
            {{*source, *destination, rehoming, CNL_DESTINATION_OPTIONS, true},
             {{0, 0}, *destination, rehoming, CNL_ROUTING_HEADER, true}},
    };
}

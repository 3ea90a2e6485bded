#include <errno.h>
#include <linux/fib_rules.h>
#include <netlink/route/rule.h>
#include <string.h>
#include <sys/socket.h>

#include "include/cnl_route.h"
#include "octets.h"
#include "transport.h"

typedef int (*prefix_setter)(struct rtnl_rule *, struct nl_addr *);

static int set_prefix(struct rtnl_rule *object, const struct cnl_prefix *prefix, prefix_setter setter) {
    if (prefix->length == 0) return 0;
    struct nl_addr *addr = address_to_nl(&prefix->address, prefix->length);
    int result = addr == NULL ? -1 : setter(object, addr);
    nl_addr_put(addr);
    return result;
}

static struct rtnl_rule *rule_object(const struct cnl_rule *rule) {
    struct rtnl_rule *object = rtnl_rule_alloc();
    if (object == NULL) return NULL;
    rtnl_rule_set_family(object, AF_INET6);
    rtnl_rule_set_prio(object, rule->priority);
    rtnl_rule_set_table(object, rule->table);
    rtnl_rule_set_action(object, rule->action == 0 ? FR_ACT_TO_TBL : rule->action);
    if (rule->target != 0) rtnl_rule_set_goto(object, rule->target);
    rtnl_rule_set_protocol(object, rule->protocol);
    if (rule->mark != 0 || rule->mark_mask != 0) {
        rtnl_rule_set_mark(object, rule->mark);
        rtnl_rule_set_mask(object, rule->mark_mask);
    }
    if (rule->ip_protocol != 0) rtnl_rule_set_ipproto(object, rule->ip_protocol);
    int result = set_prefix(object, &rule->source, rtnl_rule_set_src);
    if (result == 0) result = set_prefix(object, &rule->destination, rtnl_rule_set_dst);
    if (result == 0 && rule->incoming[0] != 0) result = rtnl_rule_set_iif(object, rule->incoming);
    if (result == 0 && rule->outgoing[0] != 0) result = rtnl_rule_set_oif(object, rule->outgoing);
    if (result == 0) return object;
    rtnl_rule_put(object);
    return NULL;
}

typedef int (*rule_builder)(struct rtnl_rule *, int, struct nl_msg **);

static int send_rule(int fd, const struct cnl_rule *rule, rule_builder build, int flags) {
    if (memchr(rule->incoming, 0, CNL_NAME_SIZE) == NULL || memchr(rule->outgoing, 0, CNL_NAME_SIZE) == NULL)
        return -EINVAL;
    struct rtnl_rule *object = rule_object(rule);
    struct nl_msg *message = NULL;
    int built = object == NULL ? -1 : build(object, flags, &message);
    rtnl_rule_put(object);
    // libnl has no setters for these.
    if (built == 0 && rule->inverted) ((struct fib_rule_hdr *)nlmsg_data(nlmsg_hdr(message)))->flags = FIB_RULE_INVERT;
    if (built == 0 && rule->suppresses && nla_put_u32(message, FRA_SUPPRESS_PREFIXLEN, rule->suppressed_length) < 0) {
        nlmsg_free(message);
        return -ENOMEM;
    }
    return transport_send(fd, built, message);
}

int cnl_rule_add(int fd, const struct cnl_rule *rule) {
    return send_rule(fd, rule, rtnl_rule_build_add_request, NLM_F_CREATE | NLM_F_EXCL);
}

int cnl_rule_delete(int fd, const struct cnl_rule *rule) {
    return send_rule(fd, rule, rtnl_rule_build_delete_request, 0);
}

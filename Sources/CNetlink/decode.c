#include "decode.h"

#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_addrlabel.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "octets.h"

static void note(const struct nlattr *attribute, const struct nlattr **table, uint16_t count) {
    uint16_t type = mnl_attr_get_type(attribute);
    if (type < count) table[type] = attribute;
}

void decode_attributes(
    const struct nlmsghdr *message, size_t header_size, const struct nlattr **table, uint16_t count) {
    memset(table, 0, count * sizeof(*table));
    const struct nlattr *attribute;
    mnl_attr_for_each(attribute, message, header_size) note(attribute, table, count);
}

void decode_nested(const struct nlattr *nest, const struct nlattr **table, uint16_t count) {
    memset(table, 0, count * sizeof(*table));
    if (nest == NULL) return;
    const struct nlattr *attribute;
    mnl_attr_for_each_nested(attribute, nest) note(attribute, table, count);
}

uint32_t decode_u32(const struct nlattr *attribute) {
    return attribute != NULL && mnl_attr_get_payload_len(attribute) >= sizeof(uint32_t) ? mnl_attr_get_u32(attribute)
                                                                                        : 0;
}

uint8_t decode_u8(const struct nlattr *attribute) {
    return attribute != NULL && mnl_attr_get_payload_len(attribute) >= sizeof(uint8_t) ? mnl_attr_get_u8(attribute) : 0;
}

static struct cnl_address decode_address(const struct nlattr *attribute) {
    if (attribute == NULL || mnl_attr_get_payload_len(attribute) < sizeof(struct in6_addr))
        return (struct cnl_address){0, 0};
    return address_from_octets(mnl_attr_get_payload(attribute));
}

void decode_text(char *text, size_t size, const struct nlattr *attribute) {
    memset(text, 0, size);
    if (attribute == NULL) return;
    size_t length = mnl_attr_get_payload_len(attribute);
    memcpy(text, mnl_attr_get_payload(attribute), length < size ? length : size - 1);
}

static void decode_name(char name[CNL_NAME_SIZE], const struct nlattr *attribute) {
    decode_text(name, CNL_NAME_SIZE, attribute);
}

static void decode_link(const struct nlmsghdr *message, struct cnl_change *change, const struct decode_target *target) {
    const struct ifinfomsg *header = mnl_nlmsg_get_payload(message);
    // A bridge tells of its ports in messages of its own family; there "removed" means only that a port left it.
    if (header->ifi_family != AF_UNSPEC) return;
    const struct nlattr *row[IFLA_MAX + 1], *info[IFLA_INFO_MAX + 1];
    decode_attributes(message, sizeof(*header), row, IFLA_MAX + 1);
    decode_nested(row[IFLA_LINKINFO], info, IFLA_INFO_MAX + 1);
    change->kind = CNL_LINK;
    struct cnl_link *link = &change->link;
    *link = (struct cnl_link){
        .index = (uint32_t)header->ifi_index,
        .flags = header->ifi_flags,
        .type = header->ifi_type,
        .mtu = decode_u32(row[IFLA_MTU]),
        .gso_max_size = decode_u32(row[IFLA_GSO_MAX_SIZE]),
        .operstate = decode_u8(row[IFLA_OPERSTATE]),
        .carrier = decode_u8(row[IFLA_CARRIER]) != 0,
    };
    decode_name(link->name, row[IFLA_IFNAME]);
    decode_name(link->kind, info[IFLA_INFO_KIND]);
    if (strcmp(link->kind, "veth") == 0 && row[IFLA_LINK_NETNSID] == NULL) link->peer = decode_u32(row[IFLA_LINK]);
    target->handler(target->context, change);
}

static void decode_interface_address(
    const struct nlmsghdr *message, struct cnl_change *change, const struct decode_target *target) {
    const struct ifaddrmsg *header = mnl_nlmsg_get_payload(message);
    if (header->ifa_family != AF_INET6) return;
    const struct nlattr *row[IFA_MAX + 1];
    decode_attributes(message, sizeof(*header), row, IFA_MAX + 1);
    // On a point-to-point address IFA_ADDRESS is the other end.
    const struct nlattr *local = row[IFA_LOCAL] != NULL ? row[IFA_LOCAL] : row[IFA_ADDRESS];
    change->kind = CNL_ADDRESS;
    change->address = (struct cnl_interface_address){
        .address = decode_address(local),
        .index = header->ifa_index,
        .flags = row[IFA_FLAGS] != NULL ? decode_u32(row[IFA_FLAGS]) : header->ifa_flags,
        .preferred = UINT32_MAX,
        .valid = UINT32_MAX,
        .prefix_length = header->ifa_prefixlen,
        .scope = header->ifa_scope,
        .protocol = decode_u8(row[IFA_PROTO]),
    };
    const struct nlattr *cache = row[IFA_CACHEINFO];
    if (cache != NULL && mnl_attr_get_payload_len(cache) >= sizeof(struct ifa_cacheinfo)) {
        const struct ifa_cacheinfo *lifetimes = mnl_attr_get_payload(cache);
        change->address.preferred = lifetimes->ifa_prefered;
        change->address.valid = lifetimes->ifa_valid;
    }
    target->handler(target->context, change);
}

// The next hops of a multipath route, one route each.
static void decode_next_hops(
    const struct nlattr *multipath, struct cnl_change *change, const struct decode_target *target) {
    const char *position = mnl_attr_get_payload(multipath);
    size_t left = mnl_attr_get_payload_len(multipath);
    uint32_t route_flags = change->route.flags;
    while (left >= sizeof(struct rtnexthop)) {
        const struct rtnexthop *hop = (const struct rtnexthop *)position;
        if (hop->rtnh_len < sizeof(*hop) || hop->rtnh_len > left) return;
        const struct nlattr *row[RTA_MAX + 1] = {NULL}, *attr;
        mnl_attr_for_each_payload((const void *)(hop + 1), hop->rtnh_len - sizeof(*hop)) note(attr, row, RTA_MAX + 1);
        change->route.index = (uint32_t)hop->rtnh_ifindex;
        change->route.flags = route_flags | hop->rtnh_flags;
        change->route.has_gateway = row[RTA_GATEWAY] != NULL;
        change->route.gateway = decode_address(row[RTA_GATEWAY]);
        target->handler(target->context, change);
        size_t step = RTNH_ALIGN(hop->rtnh_len);
        if (step >= left) return;
        position += step;
        left -= step;
    }
}

static void decode_route(
    const struct nlmsghdr *message, struct cnl_change *change, const struct decode_target *target) {
    const struct rtmsg *header = mnl_nlmsg_get_payload(message);
    if (header->rtm_family != AF_INET6 || header->rtm_flags & RTM_F_CLONED) return;
    const struct nlattr *row[RTA_MAX + 1], *metrics[RTAX_MAX + 1];
    decode_attributes(message, sizeof(*header), row, RTA_MAX + 1);
    decode_nested(row[RTA_METRICS], metrics, RTAX_MAX + 1);
    change->kind = CNL_ROUTE;
    change->route = (struct cnl_route){
        .destination = {decode_address(row[RTA_DST]), header->rtm_dst_len},
        .source = {decode_address(row[RTA_SRC]), header->rtm_src_len},
        .gateway = decode_address(row[RTA_GATEWAY]),
        .has_gateway = row[RTA_GATEWAY] != NULL,
        .index = decode_u32(row[RTA_OIF]),
        .table = row[RTA_TABLE] != NULL ? decode_u32(row[RTA_TABLE]) : header->rtm_table,
        .metric = decode_u32(row[RTA_PRIORITY]),
        .mtu = decode_u32(metrics[RTAX_MTU]),
        .flags = header->rtm_flags,
        .protocol = header->rtm_protocol,
        .type = header->rtm_type,
    };
    if (row[RTA_MULTIPATH] != NULL) change->effect = CNL_UNCLEAR;
    else if (change->effect == CNL_PUT && message->nlmsg_flags & NLM_F_REPLACE) change->effect = CNL_REPLACED;
    if (row[RTA_MULTIPATH] != NULL) decode_next_hops(row[RTA_MULTIPATH], change, target);
    else target->handler(target->context, change);
}

static void decode_rule(const struct nlmsghdr *message, struct cnl_change *change, const struct decode_target *target) {
    const struct fib_rule_hdr *header = mnl_nlmsg_get_payload(message);
    if (header->family != AF_INET6) return;
    const struct nlattr *row[FRA_MAX + 1];
    decode_attributes(message, sizeof(*header), row, FRA_MAX + 1);
    change->kind = CNL_RULE;
    change->rule = (struct cnl_rule){
        .source = {decode_address(row[FRA_SRC]), header->src_len},
        .destination = {decode_address(row[FRA_DST]), header->dst_len},
        .priority = decode_u32(row[FRA_PRIORITY]),
        .table = row[FRA_TABLE] != NULL ? decode_u32(row[FRA_TABLE]) : header->table,
        .mark = decode_u32(row[FRA_FWMARK]),
        .mark_mask = decode_u32(row[FRA_FWMASK]),
        .target = decode_u32(row[FRA_GOTO]),
        .inverted = (header->flags & FIB_RULE_INVERT) != 0,
        .protocol = decode_u8(row[FRA_PROTOCOL]),
        .action = header->action,
        .ip_protocol = decode_u8(row[FRA_IP_PROTO]),
        .has_other_selectors = header->tos != 0 || row[FRA_UID_RANGE] != NULL || row[FRA_SPORT_RANGE] != NULL ||
                               row[FRA_DPORT_RANGE] != NULL || row[FRA_TUN_ID] != NULL || row[FRA_FLOW] != NULL ||
                               row[FRA_L3MDEV] != NULL,
    };
    // The kernel tells -1 where nothing is suppressed.
    uint32_t suppressed = row[FRA_SUPPRESS_PREFIXLEN] != NULL ? decode_u32(row[FRA_SUPPRESS_PREFIXLEN]) : UINT32_MAX;
    if (suppressed <= 128) {
        change->rule.suppresses = true;
        change->rule.suppressed_length = (uint8_t)suppressed;
    }
    decode_name(change->rule.incoming, row[FRA_IIFNAME]);
    decode_name(change->rule.outgoing, row[FRA_OIFNAME]);
    target->handler(target->context, change);
}

static void decode_neighbour(
    const struct nlmsghdr *message, struct cnl_change *change, const struct decode_target *target) {
    const struct ndmsg *header = mnl_nlmsg_get_payload(message);
    if (header->ndm_family != AF_INET6) return;
    const struct nlattr *row[NDA_MAX + 1];
    decode_attributes(message, sizeof(*header), row, NDA_MAX + 1);
    change->kind = CNL_NEIGHBOUR;
    change->neighbour = (struct cnl_neighbour){
        .address = decode_address(row[NDA_DST]),
        .index = (uint32_t)header->ndm_ifindex,
        .state = header->ndm_state,
        .router = (header->ndm_flags & NTF_ROUTER) != 0,
    };
    target->handler(target->context, change);
}

static void decode_advertised_prefix(
    const struct nlmsghdr *message, struct cnl_change *change, const struct decode_target *target) {
    enum { prefix_autoconf = 2 };  // the kernel's IF_PREFIX_AUTOCONF
    const struct prefixmsg *header = mnl_nlmsg_get_payload(message);
    if (header->prefix_family != AF_INET6) return;
    const struct nlattr *row[PREFIX_MAX + 1];
    decode_attributes(message, sizeof(*header), row, PREFIX_MAX + 1);
    const struct nlattr *cache = row[PREFIX_CACHEINFO];
    if (cache == NULL || mnl_attr_get_payload_len(cache) < sizeof(struct prefix_cacheinfo)) return;
    const struct prefix_cacheinfo *lifetimes = mnl_attr_get_payload(cache);
    change->kind = CNL_ADVERTISED_PREFIX;
    change->advertised_prefix = (struct cnl_advertised_prefix){
        .prefix = {decode_address(row[PREFIX_ADDRESS]), header->prefix_len},
        .index = (uint32_t)header->prefix_ifindex,
        .preferred = lifetimes->preferred_time,
        .valid = lifetimes->valid_time,
        .autonomous = (header->prefix_flags & prefix_autoconf) != 0,
    };
    target->handler(target->context, change);
}

static void decode_label(
    const struct nlmsghdr *message, struct cnl_change *change, const struct decode_target *target) {
    const struct ifaddrlblmsg *header = mnl_nlmsg_get_payload(message);
    if (header->ifal_family != AF_INET6) return;
    const struct nlattr *row[IFAL_MAX + 1];
    decode_attributes(message, sizeof(*header), row, IFAL_MAX + 1);
    change->kind = CNL_LABEL;
    change->label = (struct cnl_label){
        .prefix = {decode_address(row[IFAL_ADDRESS]), header->ifal_prefixlen},
        .label = decode_u32(row[IFAL_LABEL]),
    };
    target->handler(target->context, change);
}

static void decode_filtered(
    const struct nlmsghdr *message, struct cnl_change *change, const struct decode_target *target) {
    const struct tcmsg *header = mnl_nlmsg_get_payload(message);
    change->kind = CNL_FILTERS;
    change->filtered = (uint32_t)header->tcm_ifindex;
    target->handler(target->context, change);
}

int decode_route_message(void *context, const struct nlmsghdr *message) {
    const struct decode_target *target = context;
    struct cnl_change change = {.effect = CNL_PUT};
    size_t length = mnl_nlmsg_get_payload_len(message);
    switch (message->nlmsg_type) {
    case RTM_DELLINK:
        change.effect = CNL_REMOVED;  // fall through
    case RTM_NEWLINK:
        if (length >= sizeof(struct ifinfomsg)) decode_link(message, &change, target);
        break;
    case RTM_DELADDR:
        change.effect = CNL_REMOVED;  // fall through
    case RTM_NEWADDR:
        if (length >= sizeof(struct ifaddrmsg)) decode_interface_address(message, &change, target);
        break;
    case RTM_DELROUTE:
        change.effect = CNL_REMOVED;  // fall through
    case RTM_NEWROUTE:
        if (length >= sizeof(struct rtmsg)) decode_route(message, &change, target);
        break;
    case RTM_DELRULE:
        change.effect = CNL_REMOVED;  // fall through
    case RTM_NEWRULE:
        if (length >= sizeof(struct fib_rule_hdr)) decode_rule(message, &change, target);
        break;
    case RTM_DELNEIGH:
        change.effect = CNL_REMOVED;  // fall through
    case RTM_NEWNEIGH:
        if (length >= sizeof(struct ndmsg)) decode_neighbour(message, &change, target);
        break;
    case RTM_NEWPREFIX:
        if (length >= sizeof(struct prefixmsg)) decode_advertised_prefix(message, &change, target);
        break;
    case RTM_NEWADDRLABEL:
        if (length >= sizeof(struct ifaddrlblmsg)) decode_label(message, &change, target);
        break;
    case RTM_DELQDISC:
    case RTM_NEWQDISC:
    case RTM_DELTFILTER:
    case RTM_NEWTFILTER:
        if (length >= sizeof(struct tcmsg)) decode_filtered(message, &change, target);
        break;
    default:
        break;
    }
    return 0;
}

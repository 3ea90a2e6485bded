#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>

#include "decode.h"
#include "include/cnl_route.h"
#include "octets.h"
#include "transport.h"

typedef int (*prefix_setter)(struct rtnl_route *, struct nl_addr *);

static int set_prefix(struct rtnl_route *object, const struct cnl_prefix *prefix, prefix_setter setter) {
    struct nl_addr *addr = address_to_nl(&prefix->address, prefix->length);
    int result = addr == NULL ? -1 : setter(object, addr);
    nl_addr_put(addr);
    return result;
}

static int add_next_hop(struct rtnl_route *object, const struct cnl_route *route) {
    struct rtnl_nexthop *hop = rtnl_route_nh_alloc();
    if (hop == NULL) return -1;
    rtnl_route_nh_set_ifindex(hop, (int)route->index);
    if (route->has_gateway) {
        struct nl_addr *gateway = address_to_nl(&route->gateway, 128);
        if (gateway == NULL) {
            rtnl_route_nh_free(hop);
            return -1;
        }
        rtnl_route_nh_set_gateway(hop, gateway);
        nl_addr_put(gateway);
    }
    rtnl_route_add_nexthop(object, hop);
    return 0;
}

static struct rtnl_route *route_object(const struct cnl_route *route) {
    struct rtnl_route *object = rtnl_route_alloc();
    if (object == NULL) return NULL;
    rtnl_route_set_family(object, AF_INET6);
    rtnl_route_set_table(object, route->table);
    rtnl_route_set_protocol(object, route->protocol);
    rtnl_route_set_scope(object, RT_SCOPE_UNIVERSE);
    rtnl_route_set_type(object, route->type == 0 ? RTN_UNICAST : route->type);
    if (route->metric != 0) rtnl_route_set_priority(object, route->metric);
    int result = set_prefix(object, &route->destination, rtnl_route_set_dst);
    if (result == 0 && route->source.length > 0) result = set_prefix(object, &route->source, rtnl_route_set_src);
    if (result == 0 && route->mtu != 0) result = rtnl_route_set_metric(object, RTAX_MTU, route->mtu);
    if (result == 0 && (route->index != 0 || route->has_gateway)) result = add_next_hop(object, route);
    if (result == 0) return object;
    rtnl_route_put(object);
    return NULL;
}

static int add(int fd, const struct cnl_route *route, int flags) {
    struct rtnl_route *object = route_object(route);
    struct nl_msg *message = NULL;
    int built = object == NULL ? -1 : rtnl_route_build_add_request(object, flags, &message);
    rtnl_route_put(object);
    return transport_send(fd, built, message);
}

int cnl_route_add(int fd, const struct cnl_route *route) { return add(fd, route, NLM_F_EXCL); }

int cnl_route_replace(int fd, const struct cnl_route *route) { return add(fd, route, NLM_F_REPLACE); }

int cnl_route_delete(int fd, const struct cnl_route *route) {
    struct rtnl_route *object = route_object(route);
    struct nl_msg *message = NULL;
    int built = object == NULL ? -1 : rtnl_route_build_del_request(object, 0, &message);
    rtnl_route_put(object);
    return transport_send(fd, built, message);
}

// Asks for the route that packets from `source`, which may be NULL, to `destination` take when they leave by an
// interface.
static int ask(
    int fd, uint32_t index, const struct cnl_address *source, const struct cnl_address *destination,
    transport_handler handler, void *context) {
    char room[128] __attribute__((aligned(NLMSG_ALIGNTO)));
    struct nlmsghdr *request = mnl_nlmsg_put_header(room);
    request->nlmsg_type = RTM_GETROUTE;
    struct rtmsg *header = mnl_nlmsg_put_extra_header(request, sizeof(*header));
    header->rtm_family = AF_INET6;
    header->rtm_dst_len = 128;
    struct in6_addr octets;
    if (source != NULL) {
        header->rtm_src_len = 128;
        octets = address_to_in6(source);
        mnl_attr_put(request, RTA_SRC, sizeof(octets), &octets);
    }
    octets = address_to_in6(destination);
    mnl_attr_put(request, RTA_DST, sizeof(octets), &octets);
    mnl_attr_put_u32(request, RTA_OIF, index);
    return transport_get(fd, request, handler, context);
}

struct found {
    bool there;
    struct cnl_address source;
};

static int find_source(void *context, const struct nlmsghdr *message) {
    struct found *found = context;
    if (message->nlmsg_type != RTM_NEWROUTE || mnl_nlmsg_get_payload_len(message) < sizeof(struct rtmsg)) return 0;
    const struct nlattr *row[RTA_MAX + 1];
    decode_attributes(message, sizeof(struct rtmsg), row, RTA_MAX + 1);
    const struct nlattr *source = row[RTA_PREFSRC];
    if (source == NULL || mnl_attr_get_payload_len(source) < sizeof(struct in6_addr)) return 0;
    *found = (struct found){.there = true, .source = address_from_octets(mnl_attr_get_payload(source))};
    return 0;
}

int cnl_route_source(int fd, uint32_t index, const struct cnl_address *destination, struct cnl_address *source) {
    struct found found = {.there = false};
    int result = ask(fd, index, NULL, destination, find_source, &found);
    if (result < 0) return result;
    *source = found.source;
    return found.there ? 0 : -EADDRNOTAVAIL;
}

static void keep_route(void *context, const struct cnl_change *change) {
    if (change->kind == CNL_ROUTE) *(struct cnl_route *)context = change->route;
}

int cnl_route_next_hop(
    int fd, uint32_t index, const struct cnl_address *source, const struct cnl_address *destination,
    struct cnl_address *next_hop) {
    struct cnl_route found = {.type = RTN_UNSPEC};
    struct decode_target target = {keep_route, &found};
    int result = ask(fd, index, source, destination, decode_route_message, &target);
    if (result < 0) return result;
    if (found.type != RTN_UNICAST || found.index != index) return -EHOSTUNREACH;
    *next_hop = found.has_gateway ? found.gateway : *destination;
    return 0;
}

#include <errno.h>
#include <linux/rtnetlink.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>

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
    if (hop == NULL)
        return -1;
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
    if (object == NULL)
        return NULL;
    rtnl_route_set_family(object, AF_INET6);
    rtnl_route_set_table(object, route->table);
    rtnl_route_set_protocol(object, route->protocol);
    rtnl_route_set_scope(object, RT_SCOPE_UNIVERSE);
    rtnl_route_set_type(object, route->type == 0 ? RTN_UNICAST : route->type);
    if (route->metric != 0)
        rtnl_route_set_priority(object, route->metric);
    int result = set_prefix(object, &route->destination, rtnl_route_set_dst);
    if (result == 0 && route->source.length > 0)
        result = set_prefix(object, &route->source, rtnl_route_set_src);
    if (result == 0 && route->mtu != 0)
        result = rtnl_route_set_metric(object, RTAX_MTU, route->mtu);
    if (result == 0 && (route->index != 0 || route->has_gateway))
        result = add_next_hop(object, route);
    if (result == 0)
        return object;
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

int cnl_route_add(int fd, const struct cnl_route *route) {
    return add(fd, route, NLM_F_EXCL);
}

int cnl_route_replace(int fd, const struct cnl_route *route) {
    return add(fd, route, NLM_F_REPLACE);
}

int cnl_route_delete(int fd, const struct cnl_route *route) {
    struct rtnl_route *object = route_object(route);
    struct nl_msg *message = NULL;
    int built = object == NULL ? -1 : rtnl_route_build_del_request(object, 0, &message);
    rtnl_route_put(object);
    return transport_send(fd, built, message);
}

#include <linux/if_addr.h>
#include <netlink/route/addr.h>

#include "include/cnl_route.h"
#include "octets.h"
#include "transport.h"

static struct rtnl_addr *address_object(const struct cnl_interface_address *address) {
    struct rtnl_addr *object = rtnl_addr_alloc();
    struct nl_addr *local = address_to_nl(&address->address, address->prefix_length);
    if (object == NULL || local == NULL || rtnl_addr_set_local(object, local) < 0) {
        rtnl_addr_put(object);
        object = NULL;
    }
    nl_addr_put(local);
    if (object == NULL) return NULL;
    rtnl_addr_set_ifindex(object, (int)address->index);
    rtnl_addr_set_flags(object, address->flags);
    rtnl_addr_set_preferred_lifetime(object, address->preferred);
    rtnl_addr_set_valid_lifetime(object, address->valid);
    return object;
}

static int add(int fd, const struct cnl_interface_address *address, int flags) {
    struct rtnl_addr *object = address_object(address);
    struct nl_msg *message = NULL;
    int built = object == NULL ? -1 : rtnl_addr_build_add_request(object, flags, &message);
    rtnl_addr_put(object);
    if (built == 0 && address->protocol != 0) built = nla_put_u8(message, IFA_PROTO, address->protocol);
    return transport_send(fd, built, message);
}

int cnl_address_add(int fd, const struct cnl_interface_address *address) {
    return add(fd, address, NLM_F_CREATE | NLM_F_EXCL);
}

int cnl_address_replace(int fd, const struct cnl_interface_address *address) {
    return add(fd, address, NLM_F_CREATE | NLM_F_REPLACE);
}

int cnl_address_delete(int fd, const struct cnl_interface_address *address) {
    struct rtnl_addr *object = address_object(address);
    struct nl_msg *message = NULL;
    int built = object == NULL ? -1 : rtnl_addr_build_delete_request(object, 0, &message);
    rtnl_addr_put(object);
    return transport_send(fd, built, message);
}

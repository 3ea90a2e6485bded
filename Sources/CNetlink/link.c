#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/route/link.h>
#include <netlink/route/link/veth.h>
#include <sys/socket.h>

#include "include/cnl_route.h"
#include "transport.h"

enum { request_room = 256 };

static struct nlmsghdr *link_request(char *room, uint16_t type, uint32_t index, uint32_t flags, uint32_t mask) {
    struct nlmsghdr *request = mnl_nlmsg_put_header(room);
    request->nlmsg_type = type;
    struct ifinfomsg *header = mnl_nlmsg_put_extra_header(request, sizeof(*header));
    header->ifi_family = AF_UNSPEC;
    header->ifi_index = (int)index;
    header->ifi_flags = flags;
    header->ifi_change = mask;
    return request;
}

static int set_number(int fd, uint32_t index, uint16_t attribute, uint32_t value) {
    char room[request_room] __attribute__((aligned(NLMSG_ALIGNTO)));
    struct nlmsghdr *request = link_request(room, RTM_SETLINK, index, 0, 0);
    mnl_attr_put_u32(request, attribute, value);
    return transport_request(fd, request);
}

int cnl_link_set_flags(int fd, uint32_t index, uint32_t flags, uint32_t mask) {
    char room[request_room] __attribute__((aligned(NLMSG_ALIGNTO)));
    return transport_request(fd, link_request(room, RTM_SETLINK, index, flags & mask, mask));
}

int cnl_link_set_mtu(int fd, uint32_t index, uint32_t mtu) { return set_number(fd, index, IFLA_MTU, mtu); }

int cnl_link_set_gso_max_size(int fd, uint32_t index, uint32_t octets) {
    return set_number(fd, index, IFLA_GSO_MAX_SIZE, octets);
}

int cnl_link_set_no_address_generation(int fd, uint32_t index) {
    char room[request_room] __attribute__((aligned(NLMSG_ALIGNTO)));
    struct nlmsghdr *request = link_request(room, RTM_SETLINK, index, 0, 0);
    struct nlattr *families = mnl_attr_nest_start(request, IFLA_AF_SPEC);
    struct nlattr *family = mnl_attr_nest_start(request, AF_INET6);
    mnl_attr_put_u8(request, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
    mnl_attr_nest_end(request, family);
    mnl_attr_nest_end(request, families);
    return transport_request(fd, request);
}

int cnl_veth_add(int fd, const char *name, const char *peer) {
    struct rtnl_link *link = rtnl_link_veth_alloc();
    if (link == NULL) return -ENOMEM;
    struct rtnl_link *other = rtnl_link_veth_get_peer(link);
    rtnl_link_set_name(link, name);
    rtnl_link_set_name(other, peer);
    struct nl_msg *message = NULL;
    int built = rtnl_link_build_add_request(link, NLM_F_CREATE | NLM_F_EXCL, &message);
    rtnl_link_put(other);
    rtnl_link_veth_release(link);
    return transport_send(fd, built, message);
}

int cnl_link_delete(int fd, uint32_t index) {
    // Without index or name the kernel takes a group of links, the default group among them.
    if (index == 0) return -ENODEV;
    char room[request_room] __attribute__((aligned(NLMSG_ALIGNTO)));
    return transport_request(fd, link_request(room, RTM_DELLINK, index, 0, 0));
}

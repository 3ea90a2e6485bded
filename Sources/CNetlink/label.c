#include <libmnl/libmnl.h>
#include <linux/if_addrlabel.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "include/cnl_route.h"
#include "octets.h"
#include "transport.h"

static int request(int fd, const struct cnl_label *label, uint16_t type, uint16_t flags) {
    char room[128] __attribute__((aligned(NLMSG_ALIGNTO)));
    struct nlmsghdr *message = mnl_nlmsg_put_header(room);
    message->nlmsg_type = type;
    message->nlmsg_flags = flags;
    struct ifaddrlblmsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
    header->ifal_family = AF_INET6;
    header->ifal_prefixlen = label->prefix.length;
    struct in6_addr address = address_to_in6(&label->prefix.address);
    mnl_attr_put(message, IFAL_ADDRESS, sizeof(address), &address);
    mnl_attr_put_u32(message, IFAL_LABEL, label->label);
    return transport_request(fd, message);
}

int cnl_label_add(int fd, const struct cnl_label *label) {
    return request(fd, label, RTM_NEWADDRLABEL, NLM_F_CREATE | NLM_F_EXCL);
}

int cnl_label_delete(int fd, const struct cnl_label *label) { return request(fd, label, RTM_DELADDRLABEL, 0); }

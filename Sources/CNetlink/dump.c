#include "dump.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_addrlabel.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "decode.h"

int cnl_route_open(void) { return transport_open(NETLINK_ROUTE); }

int dump_rows(int fd, enum cnl_kind kind, transport_handler handler, void *context) {
    static const struct {
        uint16_t type;
        uint8_t family;
        uint8_t header_size;
    } requests[] = {
        [CNL_LINK] = {RTM_GETLINK, AF_UNSPEC, sizeof(struct ifinfomsg)},
        [CNL_ADDRESS] = {RTM_GETADDR, AF_INET6, sizeof(struct ifaddrmsg)},
        [CNL_ROUTE] = {RTM_GETROUTE, AF_INET6, sizeof(struct rtmsg)},
        [CNL_RULE] = {RTM_GETRULE, AF_INET6, sizeof(struct fib_rule_hdr)},
        [CNL_NEIGHBOUR] = {RTM_GETNEIGH, AF_INET6, sizeof(struct ndmsg)},
        [CNL_LABEL] = {RTM_GETADDRLABEL, AF_INET6, sizeof(struct ifaddrlblmsg)},
    };
    if ((unsigned)kind >= sizeof(requests) / sizeof(requests[0]) || requests[kind].type == 0) return -EINVAL;
    char room[64] __attribute__((aligned(NLMSG_ALIGNTO)));
    struct nlmsghdr *request = mnl_nlmsg_put_header(room);
    request->nlmsg_type = requests[kind].type;
    // Each of these headers begins with the address family and is zero else.
    uint8_t *header = mnl_nlmsg_put_extra_header(request, requests[kind].header_size);
    header[0] = requests[kind].family;
    return transport_dump(fd, request, handler, context);
}

int cnl_dump(int fd, enum cnl_kind kind, cnl_change_handler handler, void *context) {
    struct decode_target target = {handler, context};
    return dump_rows(fd, kind, decode_route_message, &target);
}

#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include "decode.h"
#include "transport.h"

int cnl_monitor_open(int receive_buffer) {
    static const unsigned int groups[] = {
        RTNLGRP_LINK, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV6_RULE,
        RTNLGRP_NEIGH, RTNLGRP_IPV6_PREFIX,
    };
    int fd = transport_open(NETLINK_ROUTE, SOCK_NONBLOCK);
    if (fd < 0)
        return fd;
    int result = transport_set_receive_buffer(fd, receive_buffer);
    if (result == 0)
        result = transport_join(fd, groups, sizeof(groups) / sizeof(groups[0]));
    if (result == 0)
        return fd;
    close(fd);
    return result;
}

int cnl_monitor_read(int fd, cnl_change_handler handler, void *context) {
    struct decode_target target = {handler, context};
    return transport_drain(fd, decode_route_message, &target);
}

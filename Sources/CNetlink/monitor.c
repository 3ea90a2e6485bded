#include <linux/rtnetlink.h>

#include "decode.h"
#include "transport.h"

int cnl_monitor_open(int receive_buffer) {
    static const unsigned int groups[] = {
        RTNLGRP_LINK,  RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV6_RULE,
        RTNLGRP_NEIGH, RTNLGRP_IPV6_PREFIX, RTNLGRP_TC,
    };
    return transport_listen(NETLINK_ROUTE, groups, sizeof(groups) / sizeof(groups[0]), receive_buffer);
}

int cnl_monitor_read(int fd, cnl_change_handler handler, void *context) {
    struct decode_target target = {handler, context};
    return transport_drain(fd, decode_route_message, &target);
}

#include <errno.h>
#include <linux/xfrm.h>
#include <poll.h>

#include "policy_decode.h"
#include "transport.h"

int cnl_expiry_open(int receive_buffer) {
    static const unsigned int group = XFRMNLGRP_EXPIRE;
    return transport_listen(NETLINK_XFRM, &group, 1, receive_buffer);
}

int cnl_expiry_read(int fd, int timeout, cnl_policy_handler handler, void *context) {
    struct pollfd waiting = {.fd = fd, .events = POLLIN};
    int ready = poll(&waiting, 1, timeout);
    if (ready < 0 && errno != EINTR) return -errno;
    struct policy_target target = {handler, context};
    return ready > 0 ? transport_drain(fd, policy_decode, &target) : 0;
}

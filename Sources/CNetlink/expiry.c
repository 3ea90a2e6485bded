#include <errno.h>
#include <linux/xfrm.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "policy_decode.h"
#include "transport.h"

int cnl_expiry_open(int receive_buffer) {
    static const unsigned int group = XFRMNLGRP_EXPIRE;
    int fd = transport_open(NETLINK_XFRM, SOCK_NONBLOCK);
    if (fd < 0)
        return fd;
    int result = transport_set_receive_buffer(fd, receive_buffer);
    if (result == 0)
        result = transport_join(fd, &group, 1);
    if (result == 0)
        return fd;
    close(fd);
    return result;
}

int cnl_expiry_read(int fd, int timeout, cnl_policy_handler handler, void *context) {
    struct pollfd waiting = {.fd = fd, .events = POLLIN};
    int ready = poll(&waiting, 1, timeout);
    if (ready < 0 && errno != EINTR)
        return -errno;
    struct policy_target target = {handler, context};
    return ready > 0 ? transport_drain(fd, policy_decode, &target) : 0;
}

#ifndef SOCKET_DECODE_H
#define SOCKET_DECODE_H

#include <linux/netlink.h>

#include "include/cnl_socket.h"

struct socket_target {
    cnl_socket_handler handler;
    void *context;
};

// Hands the IPv6 socket that a message tells of to the `struct socket_target` at `target`; other messages are skipped.
int decode_socket(void *target, const struct nlmsghdr *message);

#endif

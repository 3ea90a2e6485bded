// Requests and replies on a netlink socket. Messages are built by libnl, or by libmnl where libnl has no builder, and read
// by libmnl; they travel here, so that the kernel's errno arrives unchanged.
#ifndef TRANSPORT_H
#define TRANSPORT_H

#include <linux/netlink.h>
#include <netlink/msg.h>

// Opens a socket of this netlink family (NETLINK_...). `flags` may be SOCK_NONBLOCK.
int transport_open(int family, int flags);
// Makes the receive buffer hold `octets`, beyond the system's limit if the caller may.
int transport_set_receive_buffer(int fd, int octets);
int transport_join(int fd, const unsigned int *groups, int count);

typedef int (*transport_handler)(void *context, const struct nlmsghdr *message);

// Sends a request and waits for its acknowledgement.
int transport_request(int fd, struct nlmsghdr *request);
// The same for a message of libnl's, which is freed. If `built`, what libnl's builder returned, is an error, which can
// only be a lack of memory, nothing is sent.
int transport_send(int fd, int built, struct nl_msg *message);

// Sends a request that is answered with a message, which is handed to `handler`, and waits for its acknowledgement.
int transport_get(int fd, struct nlmsghdr *request, transport_handler handler, void *context);

typedef void (*transport_judge)(void *context, size_t position, const struct nlmsghdr *request, int error);

// Sends the requests that stand one behind the other in `requests`, all at once, and tells of each whether the kernel took
// it (0) or why not (-errno), in their order. For as many as fit into the socket's buffer, some hundreds.
int transport_send_all(int fd, char *requests, size_t length, transport_judge judge, void *context);

// Sends a request for a dump and hands every message of the reply to `handler`, whose negative result is passed on in the end.
// -EINTR: what was dumped changed meanwhile.
int transport_dump(int fd, struct nlmsghdr *request, transport_handler handler, void *context);

// Hands over all messages that wait on a nonblocking socket. Not more than some at once, so that a flood starves nobody.
// -ENOBUFS: messages were lost, and all that waited have been thrown away.
int transport_drain(int fd, transport_handler handler, void *context);

#endif

// The one way to the kernel by netlink, for rtnetlink, XFRM and sock_diag. What comes from anybody but the kernel or
// answers another request is passed over. Interrupted calls are repeated, answers that stay away end in -ETIMEDOUT,
// messages that were cut off in -ENOBUFS, and the kernel's errno arrives unchanged.
//
// Who builds and reads what:
//   libnl-route  requests about rows of rtnetlink: addresses, routes, rules, veth pairs
//   libnl-xfrm   requests about XFRM policies
//   libnl        the messages of both, in which the two put them together
//   libmnl       all that is read, all dumps, and the requests that libnl has no builder for or a wrong one: links by
//                index, labels, neighbours, questions about routes, filters, sockets, and XFRM states, where libnl 3.7
//                puts a pointer in the place of the care-of address
// No socket and no cache of libnl's is used.
#ifndef TRANSPORT_H
#define TRANSPORT_H

#include <linux/netlink.h>
#include <netlink/msg.h>

// Opens a blocking socket for requests to this netlink family (NETLINK_...).
int transport_open(int family);
// Opens a nonblocking socket that hears of these groups of a family. `receive_buffer` in octets, beyond the system's
// limit if the caller may.
int transport_listen(int family, const unsigned int *groups, int count, int receive_buffer);

typedef int (*transport_handler)(void *context, const struct nlmsghdr *message);

// Sends a request and waits for its acknowledgement.
int transport_request(int fd, struct nlmsghdr *request);
// The same for a message of libnl's, which is freed. If `built`, what libnl's builder returned, is an error, which can
// only be a lack of memory, nothing is sent.
int transport_send(int fd, int built, struct nl_msg *message);

// Sends a request that is answered with a message, which is handed to `handler`, and waits for its acknowledgement.
int transport_get(int fd, struct nlmsghdr *request, transport_handler handler, void *context);

typedef void (*transport_judge)(void *context, size_t position, const struct nlmsghdr *request, int error);

// Sends the requests that stand one behind the other in `requests`, all at once, and tells of each whether the kernel
// took it (0) or why not (-errno), in their order. For as many as fit into the socket's buffer, some hundreds.
int transport_send_all(int fd, char *requests, size_t length, transport_judge judge, void *context);

// Sends a request for a dump, and when all of it is there hands every message to `handler`, which may use the socket
// and whose first negative result is passed on at once. What changed meanwhile is dumped again. -EINTR: it changed each
// time, and nothing was handed over.
int transport_dump(int fd, struct nlmsghdr *request, transport_handler handler, void *context);

// Hands over all messages that wait on a nonblocking socket. Not more than some at once, so that a flood starves
// nobody. -ENOBUFS: messages were lost, and all that waited have been thrown away.
int transport_drain(int fd, transport_handler handler, void *context);

#endif

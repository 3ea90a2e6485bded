#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "octets.h"
#include "socket_decode.h"
#include "transport.h"

enum { request_room = 128 };

int cnl_sockets_open(void) { return transport_open(NETLINK_SOCK_DIAG); }

static struct cnl_endpoint endpoint(const uint32_t address[4], uint16_t port) {
    return (struct cnl_endpoint){.address = address_from_octets(address), .port = ntohs(port)};
}

int decode_socket(void *context, const struct nlmsghdr *message) {
    const struct socket_target *target = context;
    if (message->nlmsg_type != SOCK_DIAG_BY_FAMILY || mnl_nlmsg_get_payload_len(message) < sizeof(struct inet_diag_msg))
        return 0;
    const struct inet_diag_msg *row = mnl_nlmsg_get_payload(message);
    if (row->idiag_family != AF_INET6) return 0;
    struct cnl_socket socket = {
        .local = endpoint(row->id.idiag_src, row->id.idiag_sport),
        .peer = endpoint(row->id.idiag_dst, row->id.idiag_dport),
        .user = row->idiag_uid,
        .inode = row->idiag_inode,
        .state = row->idiag_state,
    };
    target->handler(target->context, &socket);
    return 0;
}

// A question without extensions: what they tell is not needed, and costs the kernel most.
static struct nlmsghdr *question(char *room, uint8_t protocol, uint32_t states, struct inet_diag_sockid **id) {
    struct nlmsghdr *request = mnl_nlmsg_put_header(room);
    request->nlmsg_type = SOCK_DIAG_BY_FAMILY;
    struct inet_diag_req_v2 *wanted = mnl_nlmsg_put_extra_header(request, sizeof(*wanted));
    wanted->sdiag_family = AF_INET6;
    wanted->sdiag_protocol = protocol;
    wanted->idiag_states = states;
    *id = &wanted->id;
    return request;
}

int cnl_sockets_dump(int fd, uint8_t protocol, uint32_t states, cnl_socket_handler handler, void *context) {
    char room[request_room] __attribute__((aligned(NLMSG_ALIGNTO)));
    struct inet_diag_sockid *id;
    struct nlmsghdr *request = question(room, protocol, states, &id);
    struct socket_target target = {handler, context};
    return transport_dump(fd, request, decode_socket, &target);
}

struct search {
    const struct cnl_endpoint *local;
    const struct cnl_endpoint *peer;
    struct cnl_socket *found;
    bool is_found;
};

static bool is_same(const struct cnl_endpoint *left, const struct cnl_endpoint *right) {
    return left->port == right->port && left->address.high == right->address.high &&
           left->address.low == right->address.low;
}

static void look(void *context, const struct cnl_socket *socket) {
    struct search *search = context;
    // Where no such connection is, the kernel tells of a socket that listens on the address.
    if (!is_same(&socket->local, search->local) || !is_same(&socket->peer, search->peer)) return;
    *search->found = *socket;
    search->is_found = true;
}

int cnl_socket_find(
    int fd, const struct cnl_endpoint *local, const struct cnl_endpoint *peer, struct cnl_socket *found) {
    char room[request_room] __attribute__((aligned(NLMSG_ALIGNTO)));
    struct inet_diag_sockid *id;
    struct nlmsghdr *request = question(room, IPPROTO_TCP, 1 << CNL_ESTABLISHED, &id);
    id->idiag_sport = htons(local->port);
    id->idiag_dport = htons(peer->port);
    address_to_octets(&local->address, id->idiag_src);
    address_to_octets(&peer->address, id->idiag_dst);
    id->idiag_cookie[0] = INET_DIAG_NOCOOKIE;
    id->idiag_cookie[1] = INET_DIAG_NOCOOKIE;
    struct search search = {local, peer, found, false};
    struct socket_target target = {look, &search};
    int result = transport_get(fd, request, decode_socket, &target);
    return result < 0 ? result : search.is_found ? 0 : -ENOENT;
}

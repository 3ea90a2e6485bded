#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "include/cnl_socket.h"
#include "octets.h"
#include "transport.h"

struct socket_target {
    const struct inet_diag_sockid *asked;
    struct cnl_socket *found;
    bool is_found;
};

static int decode_socket(void *context, const struct nlmsghdr *message) {
    struct socket_target *target = context;
    if (message->nlmsg_type != SOCK_DIAG_BY_FAMILY || mnl_nlmsg_get_payload_len(message) < sizeof(struct inet_diag_msg))
        return 0;
    const struct inet_diag_msg *answer = mnl_nlmsg_get_payload(message);
    const struct inet_diag_sockid *asked = target->asked;
    // Where no such connection is, the kernel tells of a socket that listens on the address.
    if (answer->idiag_family != AF_INET6 || answer->id.idiag_sport != asked->idiag_sport ||
        answer->id.idiag_dport != asked->idiag_dport ||
        memcmp(answer->id.idiag_src, asked->idiag_src, sizeof(asked->idiag_src)) != 0 ||
        memcmp(answer->id.idiag_dst, asked->idiag_dst, sizeof(asked->idiag_dst)) != 0)
        return 0;
    *target->found = (struct cnl_socket){
        .user = answer->idiag_uid,
        .inode = answer->idiag_inode,
        .established = answer->idiag_state == TCP_ESTABLISHED,
    };
    target->is_found = true;
    return 0;
}

int cnl_socket_find(const struct cnl_endpoint *local, const struct cnl_endpoint *remote, struct cnl_socket *found) {
    int fd = transport_open(NETLINK_SOCK_DIAG, 0);
    if (fd < 0)
        return fd;
    char room[128] __attribute__((aligned(NLMSG_ALIGNTO)));
    struct nlmsghdr *request = mnl_nlmsg_put_header(room);
    request->nlmsg_type = SOCK_DIAG_BY_FAMILY;
    struct inet_diag_req_v2 *question = mnl_nlmsg_put_extra_header(request, sizeof(*question));
    question->sdiag_family = AF_INET6;
    question->sdiag_protocol = IPPROTO_TCP;
    question->idiag_states = 1 << TCP_ESTABLISHED;
    question->id.idiag_sport = htons(local->port);
    question->id.idiag_dport = htons(remote->port);
    address_to_octets(&local->address, question->id.idiag_src);
    address_to_octets(&remote->address, question->id.idiag_dst);
    question->id.idiag_cookie[0] = INET_DIAG_NOCOOKIE;
    question->id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
    struct socket_target target = {&question->id, found, false};
    int result = transport_get(fd, request, decode_socket, &target);
    close(fd);
    return result < 0 ? result : target.is_found ? 0 : -ENOENT;
}

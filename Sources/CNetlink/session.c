#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "include/cnl_session.h"
#include "octets.h"
#include "transport.h"

// The kernel's TCP_ESTABLISHED and so on, which it gives user space only together with what <netinet/in.h> defines too.
enum { established = 1, syn_sent = 2, fin_wait_1 = 4, close_wait = 8 };

struct target {
    cnl_session_handler handler;
    void *context;
};

int cnl_sessions_open(void) {
    return transport_open(NETLINK_SOCK_DIAG, 0);
}

static int decode(void *context, const struct nlmsghdr *message) {
    const struct target *target = context;
    if (message->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
        mnl_nlmsg_get_payload_len(message) < sizeof(struct inet_diag_msg))
        return 0;
    const struct inet_diag_msg *socket = mnl_nlmsg_get_payload(message);
    if (socket->idiag_family != AF_INET6)
        return 0;
    struct cnl_session session = {
        .local = address_from_octets(socket->id.idiag_src),
        .peer = address_from_octets(socket->id.idiag_dst),
        .waiting = socket->idiag_state == syn_sent,
    };
    target->handler(target->context, &session);
    return 0;
}

int cnl_sessions_dump(int fd, uint8_t protocol, cnl_session_handler handler, void *context) {
    char room[128] __attribute__((aligned(NLMSG_ALIGNTO)));
    struct nlmsghdr *request = mnl_nlmsg_put_header(room);
    request->nlmsg_type = SOCK_DIAG_BY_FAMILY;
    struct inet_diag_req_v2 *wanted = mnl_nlmsg_put_extra_header(request, sizeof(*wanted));
    wanted->sdiag_family = AF_INET6;
    wanted->sdiag_protocol = protocol;
    wanted->idiag_states = 1 << established | 1 << syn_sent | 1 << fin_wait_1 | 1 << close_wait;
    struct target target = {handler, context};
    return transport_dump(fd, request, decode, &target);
}

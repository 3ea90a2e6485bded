#define _GNU_SOURCE
#include "transport.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

// The kernel fills at most 32 KiB at once.
enum { message_room = 32768, drain_limit = 256, drop_limit = 1 << 20 };

static atomic_uint last_sequence;

int transport_open(int family, int flags) {
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | flags, family);
    if (fd < 0)
        return -errno;
    struct sockaddr_nl self = {.nl_family = AF_NETLINK};
    int on = 1;
    if (bind(fd, (struct sockaddr *)&self, sizeof(self)) < 0 ||
        setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on)) < 0) {
        int error = errno;
        close(fd);
        return -error;
    }
    // An acknowledgement need not carry the request back. Old kernels lack it, nothing depends on it.
    (void)setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
    return fd;
}

int transport_set_receive_buffer(int fd, int octets) {
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &octets, sizeof(octets)) == 0)
        return 0;
    return setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &octets, sizeof(octets)) < 0 ? -errno : 0;
}

int transport_join(int fd, const unsigned int *groups, int count) {
    for (int i = 0; i < count; i++)
        if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &groups[i], sizeof(groups[i])) < 0)
            return -errno;
    return 0;
}

static int receive(int fd, char *buffer, size_t size) {
    for (;;) {
        struct sockaddr_nl sender;
        struct iovec part = {.iov_base = buffer, .iov_len = size};
        struct msghdr header = {.msg_name = &sender, .msg_namelen = sizeof(sender), .msg_iov = &part, .msg_iovlen = 1};
        ssize_t length = recvmsg(fd, &header, 0);
        if (length < 0 && errno == EINTR)
            continue;
        if (length < 0)
            return -errno;
        // Any process may send to a netlink socket; only the kernel has port 0.
        if (header.msg_namelen != sizeof(sender) || sender.nl_pid != 0)
            continue;
        return header.msg_flags & MSG_TRUNC ? -ENOBUFS : (int)length;
    }
}

static int send_request(int fd, struct nlmsghdr *request, uint16_t flags) {
    request->nlmsg_flags |= NLM_F_REQUEST | flags;
    request->nlmsg_seq = atomic_fetch_add(&last_sequence, 1) + 1;
    request->nlmsg_pid = 0;
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    for (;;) {
        ssize_t sent = sendto(fd, request, request->nlmsg_len, 0, (struct sockaddr *)&kernel, sizeof(kernel));
        if (sent >= 0)
            return 0;
        if (errno != EINTR)
            return -errno;
    }
}

static int error_code(const struct nlmsghdr *message) {
    if (mnl_nlmsg_get_payload_len(message) < sizeof(int))
        return -EBADMSG;
    return *(const int *)mnl_nlmsg_get_payload(message);
}

int transport_get(int fd, struct nlmsghdr *request, transport_handler handler, void *context) {
    int result = send_request(fd, request, NLM_F_ACK);
    if (result < 0)
        return result;
    char buffer[message_room] __attribute__((aligned(NLMSG_ALIGNTO)));
    for (;;) {
        int length = receive(fd, buffer, sizeof(buffer));
        if (length < 0)
            return length;
        const struct nlmsghdr *message = (const struct nlmsghdr *)buffer;
        for (; mnl_nlmsg_ok(message, length); message = mnl_nlmsg_next(message, &length)) {
            // What else is there is left over from a dump that went wrong.
            if (message->nlmsg_seq != request->nlmsg_seq)
                continue;
            if (message->nlmsg_type == NLMSG_ERROR)
                return result < 0 ? result : error_code(message);
            int step = handler != NULL && message->nlmsg_type >= NLMSG_MIN_TYPE ? handler(context, message) : 0;
            if (step < 0 && result == 0)
                result = step;
        }
    }
}

int transport_request(int fd, struct nlmsghdr *request) {
    return transport_get(fd, request, NULL, NULL);
}

int transport_send(int fd, int built, struct nl_msg *message) {
    int result = built < 0 ? -ENOMEM : transport_request(fd, nlmsg_hdr(message));
    nlmsg_free(message);
    return result;
}

static struct nlmsghdr *request_at(char *requests, size_t *position) {
    struct nlmsghdr *request = (struct nlmsghdr *)(requests + *position);
    *position += NLMSG_ALIGN(request->nlmsg_len);
    return request;
}

int transport_send_all(int fd, char *requests, size_t length, transport_judge judge, void *context) {
    struct nlmsghdr *last = NULL;
    for (size_t position = 0; position < length;) {
        last = request_at(requests, &position);
        last->nlmsg_flags |= NLM_F_REQUEST;
        last->nlmsg_seq = atomic_fetch_add(&last_sequence, 1) + 1;
    }
    if (last == NULL)
        return 0;
    // The kernel tells of errors unasked, and answers in the order of the requests.
    last->nlmsg_flags |= NLM_F_ACK;
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    ssize_t sent;
    do sent = sendto(fd, requests, length, 0, (struct sockaddr *)&kernel, sizeof(kernel));
    while (sent < 0 && errno == EINTR);
    if (sent < 0)
        return -errno;
    char buffer[message_room] __attribute__((aligned(NLMSG_ALIGNTO)));
    size_t position = 0, judged = 0;
    while (position < length) {
        int got = receive(fd, buffer, sizeof(buffer));
        if (got < 0)
            return got;
        const struct nlmsghdr *message = (const struct nlmsghdr *)buffer;
        for (; mnl_nlmsg_ok(message, got); message = mnl_nlmsg_next(message, &got)) {
            const struct nlmsghdr *first = (const struct nlmsghdr *)(requests + position);
            // What else is there is left over from a dump that went wrong.
            if (message->nlmsg_type != NLMSG_ERROR || position >= length ||
                message->nlmsg_seq - first->nlmsg_seq > last->nlmsg_seq - first->nlmsg_seq)
                continue;
            const struct nlmsghdr *request;
            do {
                request = request_at(requests, &position);
                bool is_it = request->nlmsg_seq == message->nlmsg_seq;
                judge(context, judged++, request, is_it ? error_code(message) : 0);
            } while (request->nlmsg_seq != message->nlmsg_seq && position < length);
        }
    }
    return 0;
}

int transport_dump(int fd, struct nlmsghdr *request, transport_handler handler, void *context) {
    int result = send_request(fd, request, NLM_F_DUMP);
    if (result < 0)
        return result;
    char buffer[message_room] __attribute__((aligned(NLMSG_ALIGNTO)));
    bool interrupted = false;
    for (;;) {
        int length = receive(fd, buffer, sizeof(buffer));
        if (length < 0)
            return length;
        const struct nlmsghdr *message = (const struct nlmsghdr *)buffer;
        for (; mnl_nlmsg_ok(message, length); message = mnl_nlmsg_next(message, &length)) {
            if (message->nlmsg_seq != request->nlmsg_seq)
                continue;
            interrupted |= message->nlmsg_flags & NLM_F_DUMP_INTR;
            int step = 0;
            switch (message->nlmsg_type) {
            case NLMSG_NOOP:
                break;
            case NLMSG_ERROR:
            case NLMSG_DONE:
                step = error_code(message);
                if (step < 0)
                    return step;
                return result < 0 ? result : interrupted ? -EINTR : 0;
            default:
                step = handler(context, message);
            }
            if (step < 0 && result == 0)
                result = step;
        }
    }
}

static int drop_everything(int fd, char *buffer, size_t size) {
    for (int i = 0; i < drop_limit; i++)
        if (receive(fd, buffer, size) == -EAGAIN)
            break;
    return -ENOBUFS;
}

int transport_drain(int fd, transport_handler handler, void *context) {
    char buffer[message_room] __attribute__((aligned(NLMSG_ALIGNTO)));
    for (int i = 0; i < drain_limit; i++) {
        int length = receive(fd, buffer, sizeof(buffer));
        if (length == -EAGAIN)
            return 0;
        if (length == -ENOBUFS)
            return drop_everything(fd, buffer, sizeof(buffer));
        if (length < 0)
            return length;
        const struct nlmsghdr *message = (const struct nlmsghdr *)buffer;
        for (; mnl_nlmsg_ok(message, length); message = mnl_nlmsg_next(message, &length)) {
            int result = message->nlmsg_type < NLMSG_MIN_TYPE ? 0 : handler(context, message);
            if (result < 0)
                return result;
        }
    }
    return 0;
}

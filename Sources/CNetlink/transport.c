#define _GNU_SOURCE
#include "transport.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

// The kernel fills at most 32 KiB at once.
enum { message_room = 32768, drain_limit = 256, drop_limit = 1 << 20, dump_attempts = 16, answer_seconds = 10 };

static atomic_uint last_sequence;

static int set_number(int fd, int level, int option, int value) {
    return setsockopt(fd, level, option, &value, sizeof(value)) < 0 ? -errno : 0;
}

static int open_socket(int family, int flags) {
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | flags, family);
    if (fd < 0) return -errno;
    struct sockaddr_nl self = {.nl_family = AF_NETLINK};
    int result = bind(fd, (struct sockaddr *)&self, sizeof(self)) < 0 ? -errno : 0;
    if (result == 0) result = set_number(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1);
    if (result == 0) return fd;
    close(fd);
    return result;
}

int transport_open(int family) {
    int fd = open_socket(family, 0);
    if (fd < 0) return fd;
    // An acknowledgement need not carry the request back. Old kernels lack it, nothing depends on it.
    (void)set_number(fd, SOL_NETLINK, NETLINK_CAP_ACK, 1);
    // An answer for which the kernel had no memory never comes.
    struct timeval patience = {.tv_sec = answer_seconds};
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0) return fd;
    int error = errno;
    close(fd);
    return -error;
}

int transport_listen(int family, const unsigned int *groups, int count, int receive_buffer) {
    int fd = open_socket(family, SOCK_NONBLOCK);
    if (fd < 0) return fd;
    int result = set_number(fd, SOL_SOCKET, SO_RCVBUFFORCE, receive_buffer);
    if (result < 0) result = set_number(fd, SOL_SOCKET, SO_RCVBUF, receive_buffer);
    for (int i = 0; i < count && result == 0; i++)
        result = set_number(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, (int)groups[i]);
    if (result == 0) return fd;
    close(fd);
    return result;
}

static int receive(int fd, char *buffer, size_t size) {
    for (;;) {
        struct sockaddr_nl sender;
        struct iovec part = {.iov_base = buffer, .iov_len = size};
        struct msghdr header = {.msg_name = &sender, .msg_namelen = sizeof(sender), .msg_iov = &part, .msg_iovlen = 1};
        ssize_t length = recvmsg(fd, &header, 0);
        if (length < 0 && errno == EINTR) continue;
        if (length < 0) return -errno;
        // Any process may send to a netlink socket; only the kernel has port 0.
        if (header.msg_namelen != sizeof(sender) || sender.nl_pid != 0) continue;
        return header.msg_flags & MSG_TRUNC ? -ENOBUFS : (int)length;
    }
}

static int send_octets(int fd, const void *octets, size_t length) {
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    for (;;) {
        if (sendto(fd, octets, length, 0, (struct sockaddr *)&kernel, sizeof(kernel)) >= 0) return 0;
        if (errno != EINTR) return -errno;
    }
}

static void number(struct nlmsghdr *request, uint16_t flags) {
    request->nlmsg_flags |= NLM_F_REQUEST | flags;
    request->nlmsg_seq = atomic_fetch_add(&last_sequence, 1) + 1;
    request->nlmsg_pid = 0;
}

static int send_request(int fd, struct nlmsghdr *request, uint16_t flags) {
    number(request, flags);
    return send_octets(fd, request, request->nlmsg_len);
}

// What is read next of the answers to requests on a blocking socket.
static int receive_answer(int fd, char *buffer) {
    int length = receive(fd, buffer, message_room);
    return length == -EAGAIN ? -ETIMEDOUT : length;
}

static int error_code(const struct nlmsghdr *message) {
    if (mnl_nlmsg_get_payload_len(message) < sizeof(int)) return -EBADMSG;
    return *(const int *)mnl_nlmsg_get_payload(message);
}

int transport_get(int fd, struct nlmsghdr *request, transport_handler handler, void *context) {
    int result = send_request(fd, request, NLM_F_ACK);
    if (result < 0) return result;
    char buffer[message_room] __attribute__((aligned(NLMSG_ALIGNTO)));
    for (;;) {
        int length = receive_answer(fd, buffer);
        if (length < 0) return length;
        const struct nlmsghdr *message = (const struct nlmsghdr *)buffer;
        for (; mnl_nlmsg_ok(message, length); message = mnl_nlmsg_next(message, &length)) {
            // What else is there is left over from a dump that went wrong.
            if (message->nlmsg_seq != request->nlmsg_seq) continue;
            if (message->nlmsg_type == NLMSG_ERROR) return result < 0 ? result : error_code(message);
            int step = handler != NULL && message->nlmsg_type >= NLMSG_MIN_TYPE ? handler(context, message) : 0;
            if (step < 0 && result == 0) result = step;
        }
    }
}

int transport_request(int fd, struct nlmsghdr *request) { return transport_get(fd, request, NULL, NULL); }

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
        number(last, 0);
    }
    if (last == NULL) return 0;
    // The kernel tells of errors unasked, and answers in the order of the requests.
    last->nlmsg_flags |= NLM_F_ACK;
    int result = send_octets(fd, requests, length);
    if (result < 0) return result;
    char buffer[message_room] __attribute__((aligned(NLMSG_ALIGNTO)));
    size_t position = 0, judged = 0;
    while (position < length) {
        int got = receive_answer(fd, buffer);
        if (got < 0) return got;
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

// Messages, one behind the other.
struct reply {
    char *octets;
    size_t length;
    size_t room;
};

static int keep(struct reply *reply, const struct nlmsghdr *message) {
    size_t length = NLMSG_ALIGN(message->nlmsg_len);
    if (length > reply->room - reply->length) {
        size_t room = 2 * reply->room + message_room;
        char *octets = realloc(reply->octets, room);
        if (octets == NULL) return -ENOMEM;
        reply->octets = octets;
        reply->room = room;
    }
    memcpy(reply->octets + reply->length, message, message->nlmsg_len);
    reply->length += length;
    return 0;
}

// Gathers the reply to a request for a dump. -EINTR: the kernel says that it is not consistent.
static int gather(int fd, struct nlmsghdr *request, struct reply *reply) {
    reply->length = 0;
    int result = send_request(fd, request, NLM_F_DUMP);
    if (result < 0) return result;
    char buffer[message_room] __attribute__((aligned(NLMSG_ALIGNTO)));
    bool interrupted = false;
    // To its end in any case: else the kernel would take no other request for a dump on this socket.
    for (;;) {
        int length = receive_answer(fd, buffer);
        if (length < 0) return length;
        const struct nlmsghdr *message = (const struct nlmsghdr *)buffer;
        for (; mnl_nlmsg_ok(message, length); message = mnl_nlmsg_next(message, &length)) {
            if (message->nlmsg_seq != request->nlmsg_seq) continue;
            interrupted |= message->nlmsg_flags & NLM_F_DUMP_INTR;
            if (message->nlmsg_type == NLMSG_ERROR || message->nlmsg_type == NLMSG_DONE) {
                int error = error_code(message);
                if (error < 0 || result < 0) return error < 0 ? error : result;
                return interrupted ? -EINTR : 0;
            }
            if (message->nlmsg_type >= NLMSG_MIN_TYPE && result == 0) result = keep(reply, message);
        }
    }
}

int transport_dump(int fd, struct nlmsghdr *request, transport_handler handler, void *context) {
    struct reply reply = {NULL, 0, 0};
    int result = -EINTR;
    // A table that always changes is no reason to spin.
    for (int attempt = 0; attempt < dump_attempts && result == -EINTR; attempt++) result = gather(fd, request, &reply);
    for (size_t position = 0; result == 0 && position < reply.length;) {
        const struct nlmsghdr *message = (const struct nlmsghdr *)(reply.octets + position);
        position += NLMSG_ALIGN(message->nlmsg_len);
        int step = handler(context, message);
        result = step < 0 ? step : 0;
    }
    free(reply.octets);
    return result;
}

static int drop_everything(int fd, char *buffer, size_t size) {
    for (int i = 0; i < drop_limit; i++)
        if (receive(fd, buffer, size) == -EAGAIN) break;
    return -ENOBUFS;
}

int transport_drain(int fd, transport_handler handler, void *context) {
    char buffer[message_room] __attribute__((aligned(NLMSG_ALIGNTO)));
    for (int i = 0; i < drain_limit; i++) {
        int length = receive(fd, buffer, sizeof(buffer));
        if (length == -EAGAIN) return 0;
        if (length == -ENOBUFS) return drop_everything(fd, buffer, sizeof(buffer));
        if (length < 0) return length;
        const struct nlmsghdr *message = (const struct nlmsghdr *)buffer;
        for (; mnl_nlmsg_ok(message, length); message = mnl_nlmsg_next(message, &length)) {
            int result = message->nlmsg_type < NLMSG_MIN_TYPE ? 0 : handler(context, message);
            if (result < 0) return result;
        }
    }
    return 0;
}

// Deletes rows by their mark: each is sent back as the kernel told it, as a request to delete exactly that.
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"
#include "dump.h"

struct flushing {
    int fd;
    uint8_t protocol;
    uint16_t deletion;  // RTM_DEL...
    int count;
};

static uint8_t row_protocol(const struct nlmsghdr *message) {
    const struct nlattr *row[FRA_MAX + 1];
    size_t length = mnl_nlmsg_get_payload_len(message);
    switch (message->nlmsg_type) {
    case RTM_NEWADDR:
        if (length < sizeof(struct ifaddrmsg)) return 0;
        decode_attributes(message, sizeof(struct ifaddrmsg), row, IFA_MAX + 1);
        return decode_u8(row[IFA_PROTO]);
    case RTM_NEWROUTE:
        return length < sizeof(struct rtmsg) ? 0 : ((const struct rtmsg *)mnl_nlmsg_get_payload(message))->rtm_protocol;
    case RTM_NEWRULE:
        if (length < sizeof(struct fib_rule_hdr)) return 0;
        decode_attributes(message, sizeof(struct fib_rule_hdr), row, FRA_MAX + 1);
        return decode_u8(row[FRA_PROTOCOL]);
    default:
        return 0;
    }
}

static int delete_row(void *context, const struct nlmsghdr *message) {
    struct flushing *flushing = context;
    if (row_protocol(message) != flushing->protocol) return 0;
    struct nlmsghdr *request = malloc(message->nlmsg_len);
    if (request == NULL) return -ENOMEM;
    memcpy(request, message, message->nlmsg_len);
    request->nlmsg_type = flushing->deletion;
    request->nlmsg_flags = 0;
    int result = transport_request(flushing->fd, request);
    free(request);
    if (result == 0) flushing->count++;
    bool is_gone = result == -ESRCH || result == -ENOENT || result == -EADDRNOTAVAIL || result == -ENODEV;
    return is_gone ? 0 : result;
}

static int flush(int fd, uint8_t protocol, enum cnl_kind kind, uint16_t deletion) {
    if (protocol == 0) return -EINVAL;
    struct flushing flushing = {fd, protocol, deletion, 0};
    int result = dump_rows(fd, kind, delete_row, &flushing);
    return result < 0 ? result : flushing.count;
}

int cnl_flush_addresses(int fd, uint8_t protocol) { return flush(fd, protocol, CNL_ADDRESS, RTM_DELADDR); }

int cnl_flush_routes(int fd, uint8_t protocol) { return flush(fd, protocol, CNL_ROUTE, RTM_DELROUTE); }

int cnl_flush_rules(int fd, uint8_t protocol) { return flush(fd, protocol, CNL_RULE, RTM_DELRULE); }

// Deletes rows by their mark: each is sent back as the kernel told it, as a request to delete exactly that.
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"
#include "dump.h"

struct collection {
    uint8_t protocol;
    char *octets;
    size_t length;
    size_t room;
};

static uint8_t row_protocol(const struct nlmsghdr *message) {
    const struct nlattr *row[FRA_MAX + 1];
    size_t length = mnl_nlmsg_get_payload_len(message);
    switch (message->nlmsg_type) {
    case RTM_NEWADDR:
        if (length < sizeof(struct ifaddrmsg))
            return 0;
        decode_attributes(message, sizeof(struct ifaddrmsg), row, IFA_MAX + 1);
        return decode_u8(row[IFA_PROTO]);
    case RTM_NEWROUTE:
        return length < sizeof(struct rtmsg) ? 0 : ((const struct rtmsg *)mnl_nlmsg_get_payload(message))->rtm_protocol;
    case RTM_NEWRULE:
        if (length < sizeof(struct fib_rule_hdr))
            return 0;
        decode_attributes(message, sizeof(struct fib_rule_hdr), row, FRA_MAX + 1);
        return decode_u8(row[FRA_PROTOCOL]);
    default:
        return 0;
    }
}

static int collect(void *context, const struct nlmsghdr *message) {
    struct collection *collection = context;
    if (row_protocol(message) != collection->protocol)
        return 0;
    size_t length = NLMSG_ALIGN(message->nlmsg_len);
    if (collection->length + length > collection->room) {
        size_t room = 2 * collection->room + length;
        char *octets = realloc(collection->octets, room);
        if (octets == NULL)
            return -ENOMEM;
        collection->octets = octets;
        collection->room = room;
    }
    memcpy(collection->octets + collection->length, message, message->nlmsg_len);
    collection->length += length;
    return 0;
}

static int delete_all(int fd, const struct collection *collection, uint16_t type) {
    int count = 0;
    for (size_t position = 0; position < collection->length;) {
        struct nlmsghdr *request = (struct nlmsghdr *)(collection->octets + position);
        position += NLMSG_ALIGN(request->nlmsg_len);
        request->nlmsg_type = type;
        request->nlmsg_flags = 0;
        int result = transport_request(fd, request);
        if (result == 0)
            count++;
        else if (result != -ESRCH && result != -ENOENT && result != -EADDRNOTAVAIL && result != -ENODEV)
            return result;
    }
    return count;
}

static int flush(int fd, uint8_t protocol, enum cnl_kind kind, uint16_t delete) {
    if (protocol == 0)
        return -EINVAL;
    struct collection collection = {.protocol = protocol};
    int result = -EINTR;
    for (int attempt = 0; result == -EINTR && attempt < 16; attempt++) {
        collection.length = 0;
        result = dump_rows(fd, kind, collect, &collection);
    }
    if (result == 0)
        result = delete_all(fd, &collection, delete);
    free(collection.octets);
    return result;
}

int cnl_flush_addresses(int fd, uint8_t protocol) {
    return flush(fd, protocol, CNL_ADDRESS, RTM_DELADDR);
}

int cnl_flush_routes(int fd, uint8_t protocol) {
    return flush(fd, protocol, CNL_ROUTE, RTM_DELROUTE);
}

int cnl_flush_rules(int fd, uint8_t protocol) {
    return flush(fd, protocol, CNL_RULE, RTM_DELRULE);
}

#define _GNU_SOURCE
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "decode.h"
#include "filter_decode.h"
#include "include/CNetlinkFuzz.h"
#include "policy_decode.h"
#include "rehoming_decode.h"
#include "socket_decode.h"

static int made;

static void take_change(void *context, const struct cnl_change *change) {
    (void)context, (void)change;
    made++;
}

static void take_policy(void *context, const struct cnl_policy *policy) {
    (void)context, (void)policy;
    made++;
}

static void take_state(void *context, const struct cnl_state *state) {
    (void)context, (void)state;
    made++;
}

static void take_event(void *context, const struct cnl_xfrm_event *event) {
    (void)context, (void)event;
    made++;
}

static void take_filter(void *context, const struct cnl_filter *filter) {
    (void)context, (void)filter;
    made++;
}

static void take_socket(void *context, const struct cnl_socket *socket) {
    (void)context, (void)socket;
    made++;
}

// Pages with one behind them that cannot be read, so that a decoder that reads too far ends the process.
static char *room(size_t *size) {
    static char *start;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    *size = 16 * page;
    if (start != NULL) return start;
    char *pages = mmap(NULL, *size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED || mprotect(pages + *size, page, PROT_NONE) != 0) return NULL;
    return start = pages;
}

int netlink_fuzz(uint16_t type, const uint8_t *octets, size_t length) {
    size_t size;
    char *start = room(&size);
    if (start == NULL || length > size - NLMSG_HDRLEN) return -1;
    // The kernel aligns messages.
    struct nlmsghdr *message = (struct nlmsghdr *)(start + size - NLMSG_ALIGN(NLMSG_HDRLEN + length));
    memset(message, 0, NLMSG_HDRLEN);
    message->nlmsg_len = (uint32_t)(NLMSG_HDRLEN + length);
    message->nlmsg_type = type;
    memcpy((char *)message + NLMSG_HDRLEN, octets, length);
    made = 0;
    struct decode_target changes = {take_change, NULL};
    struct policy_target policies = {take_policy, NULL};
    struct state_target states = {take_state, NULL};
    struct event_target events = {take_event, NULL};
    struct filter_target filters = {take_filter, NULL, true};
    struct socket_target sockets = {take_socket, NULL};
    decode_route_message(&changes, message);
    policy_decode(&policies, message);
    decode_state(&states, message);
    decode_event(&events, message);
    decode_filter(&filters, message);
    decode_socket(&sockets, message);
    return made;
}

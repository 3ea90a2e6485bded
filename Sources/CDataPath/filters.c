#include "filters.h"

#include <errno.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "CDataPath.h"

static void copy_text(char *out, size_t capacity, const struct rtattr *attribute) {
    size_t length = RTA_PAYLOAD(attribute);
    if (length >= capacity) length = capacity - 1;
    memcpy(out, RTA_DATA(attribute), length);
    out[length] = 0;
}

static void read_options(struct shim6_filter *filter, struct rtattr *options) {
    int left = (int)RTA_PAYLOAD(options);
    for (struct rtattr *part = RTA_DATA(options); RTA_OK(part, left); part = RTA_NEXT(part, left)) {
        if (part->rta_type == TCA_BPF_NAME) copy_text(filter->name, sizeof filter->name, part);
    }
}

static void take(struct shim6_filter_list *out, const struct nlmsghdr *message, bool ingress) {
    struct tcmsg *about = NLMSG_DATA(message);
    // The kernel lists each classifier once without a handle, before its filters.
    if (!about->tcm_handle || out->count >= SHIM6_MOST_FILTERS) return;
    struct shim6_filter *filter = &out->filters[out->count++];
    *filter = (struct shim6_filter){
        .priority = TC_H_MAJ(about->tcm_info) >> 16, .handle = about->tcm_handle, .ingress = ingress};
    struct rtattr *options = NULL;
    int left = (int)(message->nlmsg_len - NLMSG_LENGTH(sizeof *about));
    for (struct rtattr *part = TCA_RTA(about); RTA_OK(part, left); part = RTA_NEXT(part, left)) {
        if (part->rta_type == TCA_KIND) copy_text(filter->kind, sizeof filter->kind, part);
        if (part->rta_type == TCA_OPTIONS) options = part;
    }
    if (options && !strcmp(filter->kind, "bpf")) read_options(filter, options);
}

/// Asks for the filters of one hook.
static int ask(int descriptor, uint32_t ifindex, bool ingress) {
    struct {
        struct nlmsghdr header;
        struct tcmsg about;
    } request = {
        .header = {
            .nlmsg_len = sizeof request,
            .nlmsg_type = RTM_GETTFILTER,
            .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
        },
        .about = {
            .tcm_family = AF_UNSPEC,
            .tcm_ifindex = (int)ifindex,
            .tcm_parent = TC_H_MAKE(TC_H_CLSACT, ingress ? TC_H_MIN_INGRESS : TC_H_MIN_EGRESS),
        },
    };
    return send(descriptor, &request, sizeof request, 0) < 0 ? -errno : 0;
}

static int collect(int descriptor, struct shim6_filter_list *out, bool ingress) {
    _Alignas(struct nlmsghdr) char buffer[32768];
    for (;;) {
        ssize_t length = recv(descriptor, buffer, sizeof buffer, 0);
        if (length < 0) {
            if (errno == EINTR) continue;
            return -errno;
        }
        struct nlmsghdr *message = (struct nlmsghdr *)buffer;
        for (ssize_t left = length; NLMSG_OK(message, left); message = NLMSG_NEXT(message, left)) {
            if (message->nlmsg_type == NLMSG_DONE) return 0;
            if (message->nlmsg_type == NLMSG_ERROR) return ((struct nlmsgerr *)NLMSG_DATA(message))->error;
            if (message->nlmsg_type == RTM_NEWTFILTER) take(out, message, ingress);
        }
    }
}

int shim6_filters(uint32_t ifindex, struct shim6_filter_list *out) {
    out->count = 0;
    int descriptor = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (descriptor < 0) return -errno;
    int code = 0;
    for (int ingress = 0; ingress < 2 && !code; ingress++) {
        code = ask(descriptor, ifindex, ingress);
        if (!code) code = collect(descriptor, out, ingress);
    }
    close(descriptor);
    return code == -EINVAL ? 0 : code;
}

bool shim6_is_ours(const struct shim6_filter *filter) {
    return filter->priority == SHIM6_FILTER_PRIORITY &&
           (filter->handle == SHIM6_FILTER_HANDLE || filter->handle == SHIM6_FILTER_HANDLE_OWN_QDISC) &&
           !strcmp(filter->kind, "bpf") && !strncmp(filter->name, "shim6_", 6);
}

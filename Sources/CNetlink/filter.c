#include "include/cnl_filter.h"

#include <errno.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "decode.h"
#include "filter_decode.h"
#include "transport.h"

int decode_filter(void *context, const struct nlmsghdr *message) {
    const struct filter_target *target = context;
    if (message->nlmsg_type != RTM_NEWTFILTER || mnl_nlmsg_get_payload_len(message) < sizeof(struct tcmsg)) return 0;
    const struct tcmsg *header = mnl_nlmsg_get_payload(message);
    // The kernel lists each classifier once without a handle, before its filters.
    if (header->tcm_handle == 0) return 0;
    const struct nlattr *row[TCA_MAX + 1], *options[TCA_BPF_MAX + 1];
    decode_attributes(message, sizeof(*header), row, TCA_MAX + 1);
    struct cnl_filter filter = {
        .priority = TC_H_MAJ(header->tcm_info) >> 16,
        .handle = header->tcm_handle,
        .ingress = target->ingress,
    };
    decode_text(filter.kind, sizeof(filter.kind), row[TCA_KIND]);
    if (strcmp(filter.kind, "bpf") == 0) {
        decode_nested(row[TCA_OPTIONS], options, TCA_BPF_MAX + 1);
        decode_text(filter.name, sizeof(filter.name), options[TCA_BPF_NAME]);
        filter.program = decode_u32(options[TCA_BPF_ID]);
    }
    target->handler(target->context, &filter);
    return 0;
}

int cnl_filter_dump(int fd, uint32_t index, cnl_filter_handler handler, void *context) {
    int result = 0;
    for (int ingress = 0; ingress < 2 && result == 0; ingress++) {
        char room[64] __attribute__((aligned(NLMSG_ALIGNTO)));
        struct nlmsghdr *request = mnl_nlmsg_put_header(room);
        request->nlmsg_type = RTM_GETTFILTER;
        struct tcmsg *header = mnl_nlmsg_put_extra_header(request, sizeof(*header));
        header->tcm_family = AF_UNSPEC;
        header->tcm_ifindex = (int)index;
        header->tcm_parent = TC_H_MAKE(TC_H_CLSACT, ingress ? TC_H_MIN_INGRESS : TC_H_MIN_EGRESS);
        struct filter_target target = {handler, context, ingress != 0};
        result = transport_dump(fd, request, decode_filter, &target);
    }
    // The kernel's word for a qdisc that is not there.
    return result == -EINVAL ? 0 : result;
}

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "data_path.h"

struct query {
    struct nlmsghdr header;
    struct rtmsg route;
    struct rtattr source_type;
    struct shim6_address source;
    struct rtattr destination_type;
    struct shim6_address destination;
    struct rtattr interface_type;
    uint32_t interface;
};

/// Reads the kernel's answer: the gateway, else the destination itself. 0 if the route leaves by `ifindex`.
static int read_answer(const char *buffer, ssize_t length, const struct query *query, struct shim6_address *next_hop) {
    const struct nlmsghdr *header = (const struct nlmsghdr *)buffer;
    if (!NLMSG_OK(header, length)) return -EBADMSG;
    if (header->nlmsg_type == NLMSG_ERROR) return ((const struct nlmsgerr *)NLMSG_DATA(header))->error;
    if (header->nlmsg_type != RTM_NEWROUTE) return -EBADMSG;
    const struct rtmsg *route = NLMSG_DATA(header);
    if (route->rtm_type != RTN_UNICAST) return -EHOSTUNREACH;
    *next_hop = query->destination;
    uint32_t ifindex = 0;
    int left = (int)(header->nlmsg_len - NLMSG_LENGTH(sizeof *route));
    for (const struct rtattr *part = RTM_RTA(route); RTA_OK(part, left); part = RTA_NEXT(part, left)) {
        if (part->rta_type == RTA_GATEWAY && RTA_PAYLOAD(part) == sizeof *next_hop)
            memcpy(next_hop, RTA_DATA(part), sizeof *next_hop);
        if (part->rta_type == RTA_OIF && RTA_PAYLOAD(part) == sizeof ifindex)
            memcpy(&ifindex, RTA_DATA(part), sizeof ifindex);
    }
    return ifindex == query->interface ? 0 : -EHOSTUNREACH;
}

/// Asks for the route that packets of a locator pair take when they leave by `ifindex`.
static int find(const struct shim6_locator_pair *pair, uint32_t ifindex, struct shim6_address *next_hop) {
    const struct query query = {
        .header = {.nlmsg_len = sizeof query, .nlmsg_type = RTM_GETROUTE, .nlmsg_flags = NLM_F_REQUEST},
        .route = {.rtm_family = AF_INET6, .rtm_src_len = 128, .rtm_dst_len = 128},
        .source_type = {.rta_len = RTA_LENGTH(sizeof query.source), .rta_type = RTA_SRC},
        .source = pair->source,
        .destination_type = {.rta_len = RTA_LENGTH(sizeof query.destination), .rta_type = RTA_DST},
        .destination = pair->destination,
        .interface_type = {.rta_len = RTA_LENGTH(sizeof query.interface), .rta_type = RTA_OIF},
        .interface = ifindex,
    };
    int descriptor = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (descriptor < 0) return -errno;
    _Alignas(struct nlmsghdr) char answer[4096];
    int code = send(descriptor, &query, sizeof query, 0) < 0 ? -errno : 0;
    ssize_t length = code ? 0 : recv(descriptor, answer, sizeof answer, 0);
    if (length < 0) code = -errno;
    close(descriptor);
    return code ? code : read_answer(answer, length, &query, next_hop);
}

int shim6_next_hop_update(struct shim6_datapath *datapath, const struct shim6_locator_pair *pair) {
    struct shim6_locator uplink;
    struct shim6_address next_hop;
    int code = bpf_map_lookup_elem(datapath->locators, &pair->source, &uplink);
    if (!code) code = uplink.ifindex ? find(pair, uplink.ifindex, &next_hop) : -ENODEV;
    if (!code) return bpf_map_update_elem(datapath->next_hops, pair, &next_hop, BPF_ANY);
    bpf_map_delete_elem(datapath->next_hops, pair);
    return code;
}

int shim6_next_hops_refresh(struct shim6_datapath *datapath, const struct shim6_address *source) {
    struct shim6_locator_pair pair, next;
    // The next key is taken before an entry may go: from a key that is gone the walk would start again.
    int more = !bpf_map_get_next_key(datapath->next_hops, NULL, &next);
    for (int i = 0; more && i < SHIM6_MOST_NEXT_HOPS; i++) {
        pair = next;
        more = !bpf_map_get_next_key(datapath->next_hops, &pair, &next);
        if (!source || !memcmp(&pair.source, source, sizeof *source)) (void)shim6_next_hop_update(datapath, &pair);
    }
    return 0;
}

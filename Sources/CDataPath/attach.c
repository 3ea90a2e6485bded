#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "data_path.h"
#include "filters.h"

static int interface_request(uint32_t ifindex, struct ifreq *request) {
    int descriptor = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -errno;
    memset(request, 0, sizeof *request);
    request->ifr_ifindex = (int)ifindex;
    int code = ioctl(descriptor, SIOCGIFNAME, request) ? -errno : 0;
    if (!code && ioctl(descriptor, SIOCGIFHWADDR, request)) code = -errno;
    close(descriptor);
    return code;
}

int shim6_link_layer(uint32_t ifindex, struct shim6_locator *out) {
    struct ifreq request;
    int code = interface_request(ifindex, &request);
    if (code) return code;
    switch (request.ifr_hwaddr.sa_family) {
    case ARPHRD_ETHER:
    case ARPHRD_LOOPBACK:
        out->ethernet = 1;
        memcpy(out->mac, request.ifr_hwaddr.sa_data, sizeof out->mac);
        return 0;
    case ARPHRD_NONE:
    case ARPHRD_PPP:
    case ARPHRD_RAWIP:
    case ARPHRD_TUNNEL6:
    case ARPHRD_SIT:
        out->ethernet = 0;
        return 0;
    default:
        return -EPROTONOSUPPORT;
    }
}

/// Our handle on an interface: the one that earlier filters of ours have, else one that tells whether the qdisc is
/// ours.
static int handle_for(uint32_t ifindex, uint32_t *handle) {
    struct shim6_filter_list list;
    int code = shim6_filters(ifindex, &list);
    if (code) return code;
    for (size_t i = 0; i < list.count; i++) {
        if (!shim6_is_ours(&list.filters[i])) continue;
        *handle = list.filters[i].handle;
        return 0;
    }
    LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
    code = bpf_tc_hook_create(&hook);
    if (code && code != -EEXIST) return code;
    *handle = code ? SHIM6_FILTER_HANDLE : SHIM6_FILTER_HANDLE_OWN_QDISC;
    return 0;
}

static int attach(uint32_t ifindex, enum bpf_tc_attach_point point, uint32_t handle, int program) {
    LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = point);
    LIBBPF_OPTS(
        bpf_tc_opts, options, .handle = handle, .priority = SHIM6_FILTER_PRIORITY, .prog_fd = program,
        .flags = BPF_TC_F_REPLACE);
    return bpf_tc_attach(&hook, &options);
}

int shim6_attach_uplink(struct shim6_datapath *datapath, uint32_t ifindex) {
    struct shim6_locator link = {0};
    uint32_t handle;
    int code = shim6_link_layer(ifindex, &link);
    if (!code) code = handle_for(ifindex, &handle);
    if (code) return code;
    int out = datapath->programs[link.ethernet ? SHIM6_UPLINK_OUT : SHIM6_UPLINK_OUT_L3];
    int in = datapath->programs[link.ethernet ? SHIM6_UPLINK_IN : SHIM6_UPLINK_IN_L3];
    // In first: what the peer answers to a rehomed packet must be understood.
    code = attach(ifindex, BPF_TC_INGRESS, handle, in);
    if (!code) code = attach(ifindex, BPF_TC_EGRESS, handle, out);
    if (code) (void)shim6_detach(ifindex);
    return code;
}

/// Whether this run's program is on a hook; -errno on failure.
static int is_attached(
    struct shim6_datapath *datapath, const struct shim6_filter_list *list, bool ingress, int number) {
    struct bpf_prog_info info = {0};
    uint32_t length = sizeof info;
    if (bpf_obj_get_info_by_fd(datapath->programs[number], &info, &length)) return -errno;
    for (size_t i = 0; i < list->count; i++) {
        const struct cnl_filter *filter = &list->filters[i];
        if (shim6_is_ours(filter) && filter->ingress == ingress && filter->program == info.id) return 1;
    }
    return 0;
}

int shim6_is_attached_to_uplink(struct shim6_datapath *datapath, uint32_t ifindex) {
    struct shim6_locator link = {0};
    struct shim6_filter_list list;
    int code = shim6_link_layer(ifindex, &link);
    if (!code) code = shim6_filters(ifindex, &list);
    if (code) return code;
    int in = is_attached(datapath, &list, true, link.ethernet ? SHIM6_UPLINK_IN : SHIM6_UPLINK_IN_L3);
    if (in <= 0) return in;
    return is_attached(datapath, &list, false, link.ethernet ? SHIM6_UPLINK_OUT : SHIM6_UPLINK_OUT_L3);
}

int shim6_is_attached_to_steering(struct shim6_datapath *datapath, uint32_t shim0, uint32_t shim0x) {
    struct shim6_filter_list list;
    int code = shim6_filters(shim0x, &list);
    int there = code ? code : is_attached(datapath, &list, true, SHIM6_SEGMENT_IN);
    if (there > 0) there = (code = shim6_filters(shim0, &list)) ? code : 1;
    if (there > 0) there = is_attached(datapath, &list, true, SHIM6_APPEAR_IN);
    if (there > 0) there = is_attached(datapath, &list, false, SHIM6_STEER_OUT);
    return there;
}

int shim6_attach_steering(struct shim6_datapath *datapath, uint32_t shim0, uint32_t shim0x) {
    struct shim6_locator link = {0};
    uint32_t handle, handle_x;
    int code = shim6_link_layer(shim0, &link);
    if (!code && !link.ethernet) code = -EPROTONOSUPPORT;
    if (!code) code = handle_for(shim0, &handle);
    if (!code) code = handle_for(shim0x, &handle_x);
    if (!code) code = attach(shim0x, BPF_TC_INGRESS, handle_x, datapath->programs[SHIM6_SEGMENT_IN]);
    if (!code) code = attach(shim0, BPF_TC_INGRESS, handle, datapath->programs[SHIM6_APPEAR_IN]);
    if (!code) code = attach(shim0, BPF_TC_EGRESS, handle, datapath->programs[SHIM6_STEER_OUT]);
    if (code) return code;
    __atomic_store_n(&datapath->control->shim0x, shim0x, __ATOMIC_RELEASE);
    __atomic_store_n(&datapath->control->shim0, shim0, __ATOMIC_RELEASE);
    return 0;
}

int shim6_detach(uint32_t ifindex) {
    struct shim6_filter_list list;
    int code = shim6_filters(ifindex, &list);
    if (code) return code;
    size_t others = list.count;
    int own_qdisc = 0;
    int found = 0;
    for (size_t i = 0; i < list.count; i++) {
        const struct cnl_filter *filter = &list.filters[i];
        if (!shim6_is_ours(filter)) continue;
        LIBBPF_OPTS(
            bpf_tc_hook, hook, .ifindex = (int)ifindex,
            .attach_point = filter->ingress ? BPF_TC_INGRESS : BPF_TC_EGRESS);
        LIBBPF_OPTS(bpf_tc_opts, options, .handle = filter->handle, .priority = filter->priority);
        int removed = bpf_tc_detach(&hook, &options);
        if (removed) return removed;
        own_qdisc |= filter->handle == SHIM6_FILTER_HANDLE_OWN_QDISC;
        others -= 1;
        found = 1;
    }
    if (own_qdisc && !others) {
        LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
        code = bpf_tc_hook_destroy(&hook);
    }
    return code && code != -ENOENT ? code : found;
}

/// BPF_TCX_INGRESS and BPF_TCX_EGRESS of kernels since 6.6; older headers do not have them.
enum { TCX_INGRESS = 46, TCX_EGRESS = 47 };

static int same_classifier(const struct shim6_foreign_filter *left, const struct cnl_filter *right) {
    return left->ingress == right->ingress && left->priority == right->priority && !strcmp(left->kind, right->kind);
}

int shim6_foreign_filters(uint32_t ifindex, struct shim6_foreign_filter *out, size_t capacity) {
    size_t count = 0;
    for (int ingress = 1; ingress >= 0; ingress--) {
        uint32_t found = 0;
        uint32_t flags = 0;
        // A kernel without tcx refuses, and then there is nothing to find.
        enum bpf_attach_type hook = (enum bpf_attach_type)(ingress ? TCX_INGRESS : TCX_EGRESS);
        if (bpf_prog_query((int)ifindex, hook, 0, &flags, NULL, &found)) continue;
        for (uint32_t i = 0; i < found; i++, count++) {
            if (count < capacity) out[count] = (struct shim6_foreign_filter){.ingress = ingress, .kind = "bpf"};
        }
    }
    struct shim6_filter_list list;
    int code = shim6_filters(ifindex, &list);
    if (code) return code;
    for (size_t i = 0; i < list.count; i++) {
        const struct cnl_filter *filter = &list.filters[i];
        if (shim6_is_ours(filter) || filter->priority > SHIM6_FILTER_PRIORITY) continue;
        if (count && count <= capacity && same_classifier(&out[count - 1], filter)) continue;
        if (count++ >= capacity) continue;
        out[count - 1] = (struct shim6_foreign_filter){.priority = filter->priority, .ingress = filter->ingress};
        memcpy(out[count - 1].kind, filter->kind, sizeof filter->kind);
    }
    return (int)count;
}

#define _GNU_SOURCE
#include "include/cnl_capability.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef struct __user_cap_data_struct capability_half;

static int read_sets(capability_half halves[2]) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    return syscall(SYS_capget, &header, halves) < 0 ? -errno : 0;
}

int cnl_capabilities_effective(uint64_t *set) {
    capability_half halves[2];
    int result = read_sets(halves);
    if (result == 0) *set = halves[0].effective | (uint64_t)halves[1].effective << 32;
    return result;
}

static int cut_bounding_set(uint64_t set) {
    // The kernel says which numbers exist: it answers EINVAL behind the last.
    for (int capability = 0; capability < 64; capability++) {
        int present = prctl(PR_CAPBSET_READ, capability, 0, 0, 0);
        if (present < 0) break;
        if (present == 1 && !(set >> capability & 1) && prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0) return -errno;
    }
    return 0;
}

int cnl_capabilities_keep(uint64_t set) {
    capability_half halves[2];
    int result = read_sets(halves);
    if (result < 0) return result;
    uint64_t permitted = halves[0].permitted | (uint64_t)halves[1].permitted << 32;
    uint64_t effective = halves[0].effective | (uint64_t)halves[1].effective << 32;
    if (set & ~permitted) return -EPERM;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return -errno;
    // Cutting the bounding set takes a capability itself, so it comes first. Who has not got it can gain nothing by a
    // bounding set either, now that no_new_privs is set.
    if (effective >> CAP_SETPCAP & 1) result = cut_bounding_set(set);
    if (result < 0) return result;
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0) return -errno;
    for (int half = 0; half < 2; half++) {
        halves[half].permitted = halves[half].effective = (uint32_t)(set >> 32 * half);
        halves[half].inheritable = 0;
    }
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    return syscall(SYS_capset, &header, halves) < 0 ? -errno : 0;
}

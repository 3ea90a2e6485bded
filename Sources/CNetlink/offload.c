#include "include/cnl_offload.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if.h>
#include <linux/sockios.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { feature_limit = 1024 };

// A device's features: their names, and a socket to ask about them.
struct features {
    int fd;
    struct ifreq request;
    uint32_t count;
    struct ethtool_gstrings *names;
    struct ethtool_gfeatures *states;
};

static int ask(struct features *features, void *command) {
    features->request.ifr_data = command;
    int result = ioctl(features->fd, SIOCETHTOOL, &features->request);
    return result < 0 ? -errno : result;
}

static uint32_t blocks(const struct features *features) { return (features->count + 31) / 32; }

static int read_states(struct features *features) {
    features->states->cmd = ETHTOOL_GFEATURES;
    features->states->size = blocks(features);
    return ask(features, features->states);
}

static int read_names(struct features *features) {
    char room[sizeof(struct ethtool_sset_info) + sizeof(uint32_t)] __attribute__((aligned(8))) = {0};
    struct ethtool_sset_info *info = (struct ethtool_sset_info *)room;
    info->cmd = ETHTOOL_GSSET_INFO;
    info->sset_mask = 1ull << ETH_SS_FEATURES;
    int result = ask(features, info);
    if (result < 0) return result;
    if (info->sset_mask == 0 || info->data[0] > feature_limit) return -EOPNOTSUPP;
    features->count = info->data[0];
    features->names = calloc(1, sizeof(*features->names) + features->count * ETH_GSTRING_LEN);
    features->states = calloc(1, sizeof(*features->states) + blocks(features) * sizeof(features->states->features[0]));
    if (features->names == NULL || features->states == NULL) return -ENOMEM;
    features->names->cmd = ETHTOOL_GSTRINGS;
    features->names->string_set = ETH_SS_FEATURES;
    features->names->len = features->count;
    return ask(features, features->names);
}

static void close_features(struct features *features) {
    free(features->names);
    free(features->states);
    if (features->fd >= 0) close(features->fd);
}

static int open_features(struct features *features, const char *device) {
    memset(features, 0, sizeof(*features));
    features->fd = -1;
    if (strlen(device) >= IFNAMSIZ) return -ENODEV;
    strcpy(features->request.ifr_name, device);
    features->fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (features->fd < 0) return -errno;
    int result = read_names(features);
    if (result >= 0) result = read_states(features);
    return result < 0 ? result : 0;
}

static bool is_active(const struct features *features, uint32_t position) {
    return features->states->features[position / 32].active >> position % 32 & 1;
}

// Empty for a number without a name.
static void copy_name(const struct features *features, uint32_t position, char name[ETH_GSTRING_LEN + 1]) {
    memcpy(name, features->names->data + position * ETH_GSTRING_LEN, ETH_GSTRING_LEN);
    name[ETH_GSTRING_LEN] = 0;
}

static bool is_segmentation(const struct features *features, uint32_t position) {
    static const char start[] = "tx-", end[] = "-segmentation";
    char name[ETH_GSTRING_LEN + 1];
    copy_name(features, position, name);
    size_t length = strlen(name);
    if (strncmp(name, start, sizeof(start) - 1) != 0) return false;
    return strcmp(name, "tx-gso-list") == 0 || strcmp(name, "tx-gso-partial") == 0 ||
           (length >= sizeof(end) - 1 && strcmp(name + length - (sizeof(end) - 1), end) == 0);
}

static int active_segmentation(const struct features *features) {
    int count = 0;
    for (uint32_t i = 0; i < features->count; i++) count += is_segmentation(features, i) && is_active(features, i);
    return count;
}

int cnl_features(const char *device, cnl_feature_handler handler, void *context) {
    struct features features;
    int result = open_features(&features, device);
    for (uint32_t i = 0; result == 0 && i < features.count; i++) {
        char name[ETH_GSTRING_LEN + 1];
        copy_name(&features, i, name);
        if (name[0] != 0) handler(context, name, is_active(&features, i));
    }
    close_features(&features);
    return result;
}

int cnl_segmentation_count(const char *device) {
    struct features features;
    int result = open_features(&features, device);
    if (result == 0) result = active_segmentation(&features);
    close_features(&features);
    return result;
}

static int turn_off(struct features *features) {
    struct ethtool_sfeatures *wish =
        calloc(1, sizeof(*wish) + blocks(features) * sizeof(struct ethtool_set_features_block));
    if (wish == NULL) return -ENOMEM;
    wish->cmd = ETHTOOL_SFEATURES;
    wish->size = blocks(features);
    for (uint32_t i = 0; i < features->count; i++)
        // The kernel refuses the whole wish if it names a feature that cannot be changed.
        if (is_segmentation(features, i) && features->states->features[i / 32].available >> i % 32 & 1)
            wish->features[i / 32].valid |= 1u << i % 32;
    int result = ask(features, wish);
    free(wish);
    if (result >= 0) result = read_states(features);
    if (result < 0) return result;
    return active_segmentation(features) == 0 ? 0 : -EOPNOTSUPP;
}

int cnl_merging_on(const char *device) {
    struct features features;
    int result = open_features(&features, device);
    struct ethtool_value wish = {.cmd = ETHTOOL_SGRO, .data = 1};
    if (result == 0) result = ask(&features, &wish);
    close_features(&features);
    return result < 0 ? result : 0;
}

int cnl_segmentation_off(const char *device) {
    struct features features;
    int result = open_features(&features, device);
    if (result == 0) result = turn_off(&features);
    close_features(&features);
    return result;
}

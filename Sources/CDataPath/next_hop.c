#include <endian.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cnl_route.h"
#include "data_path.h"

static struct cnl_address from_octets(const struct shim6_address *address) {
    uint64_t halves[2];
    memcpy(halves, address, sizeof halves);
    return (struct cnl_address){.high = be64toh(halves[0]), .low = be64toh(halves[1])};
}

/// Where packets of a locator pair go first when they leave by `ifindex`.
static int find(int socket, const struct shim6_locator_pair *pair, uint32_t ifindex, struct shim6_address *next_hop) {
    struct cnl_address source = from_octets(&pair->source), destination = from_octets(&pair->destination), found;
    int code = cnl_route_next_hop(socket, ifindex, &source, &destination, &found);
    if (code) return code;
    uint64_t halves[2] = {htobe64(found.high), htobe64(found.low)};
    memcpy(next_hop, halves, sizeof halves);
    return 0;
}

static int update(int socket, struct shim6_datapath *datapath, const struct shim6_locator_pair *pair) {
    struct shim6_locator uplink;
    struct shim6_address next_hop;
    int code = bpf_map_lookup_elem(datapath->locators, &pair->source, &uplink);
    if (!code) code = uplink.ifindex ? find(socket, pair, uplink.ifindex, &next_hop) : -ENODEV;
    if (!code) return bpf_map_update_elem(datapath->next_hops, pair, &next_hop, BPF_ANY);
    bpf_map_delete_elem(datapath->next_hops, pair);
    return code;
}

int shim6_next_hop_update(struct shim6_datapath *datapath, const struct shim6_locator_pair *pair) {
    int socket = cnl_route_open();
    if (socket < 0) return socket;
    int code = update(socket, datapath, pair);
    close(socket);
    return code;
}

int shim6_next_hops_refresh(struct shim6_datapath *datapath, const struct shim6_address *source) {
    struct shim6_locator_pair pair, next;
    // The next key is taken before an entry may go: from a key that is gone the walk would start again.
    int more = !bpf_map_get_next_key(datapath->next_hops, NULL, &next);
    if (!more) return 0;
    int socket = cnl_route_open();
    if (socket < 0) return socket;
    for (int i = 0; more && i < SHIM6_MOST_NEXT_HOPS; i++) {
        pair = next;
        more = !bpf_map_get_next_key(datapath->next_hops, &pair, &next);
        if (!source || !memcmp(&pair.source, source, sizeof *source)) (void)update(socket, datapath, &pair);
    }
    close(socket);
    return 0;
}

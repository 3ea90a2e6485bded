#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "datapath.h"

static int absent_is_fine(int code) { return code == -ENOENT ? 0 : code; }

static int same(const struct shim6_address *left, const struct shim6_address *right) {
    return memcmp(left, right, sizeof *left) == 0;
}

static int put_inbound(struct shim6_datapath *datapath, uint64_t tag, const struct shim6_inbound *wanted) {
    struct shim6_inbound present;
    if (!bpf_map_lookup_elem(datapath->tags, &tag, &present) && !memcmp(&present, wanted, sizeof present)) return 0;
    return bpf_map_update_elem(datapath->tags, &tag, wanted, BPF_ANY);
}

int shim6_context_put(struct shim6_datapath *datapath, const struct shim6_context *context) {
    int rehomed =
        !same(&context->source, &context->ulids.local) || !same(&context->destination, &context->ulids.peer);
    struct shim6_inbound inbound = {
        .ulids = context->ulids, .slot = context->slot, .mode = context->mode, .steered = rehomed};
    struct shim6_outbound outbound = {
        .source = context->source,
        .destination = context->destination,
        .local_tag = context->local_tag,
        .peer_tag = context->peer_tag,
        .slot = context->slot,
        .rehomed = rehomed ? context->form : SHIM6_PLAIN,
    };
    struct shim6_locator_pair locators = {.source = context->source, .destination = context->destination};
    struct shim6_address known;
    // Without a known next hop the program asks for the route with every packet: slower, not worse.
    if (rehomed && bpf_map_lookup_elem(datapath->next_hops, &locators, &known))
        (void)shim6_next_hop_update(datapath, &locators);
    // The route through shim0 is there before the first rehomed packet and goes after the last: so does `steered`.
    int code = rehomed ? put_inbound(datapath, context->local_tag, &inbound) : 0;
    if (!code) code = bpf_map_update_elem(datapath->pairs, &context->ulids, &outbound, BPF_ANY);
    if (!code && !rehomed) code = put_inbound(datapath, context->local_tag, &inbound);
    return code;
}

int shim6_context_remove(struct shim6_datapath *datapath, const struct shim6_pair *ulids, uint64_t local_tag) {
    struct shim6_outbound present;
    int code = 0;
    // Another context may have taken the pair over in the meantime.
    if (!bpf_map_lookup_elem(datapath->pairs, ulids, &present) && present.local_tag == local_tag)
        code = absent_is_fine(bpf_map_delete_elem(datapath->pairs, ulids));
    int second = absent_is_fine(bpf_map_delete_elem(datapath->tags, &local_tag));
    return code ? code : second;
}

int shim6_locator_put(struct shim6_datapath *datapath, const struct shim6_address *address, uint32_t ifindex) {
    struct shim6_locator locator = {.ifindex = ifindex};
    int code = ifindex ? shim6_link_layer(ifindex, &locator) : 0;
    if (!code) code = bpf_map_update_elem(datapath->locators, address, &locator, BPF_ANY);
    return code ? code : shim6_next_hops_refresh(datapath, address);
}

int shim6_locator_remove(struct shim6_datapath *datapath, const struct shim6_address *address) {
    return absent_is_fine(bpf_map_delete_elem(datapath->locators, address));
}

int shim6_next_hop_read(
    struct shim6_datapath *datapath, const struct shim6_locator_pair *pair, struct shim6_address *next_hop) {
    return bpf_map_lookup_elem(datapath->next_hops, pair, next_hop);
}

int shim6_candidate_forget(struct shim6_datapath *datapath, const struct shim6_pair *pair) {
    return absent_is_fine(bpf_map_delete_elem(datapath->candidates, pair));
}

int shim6_counters_read(struct shim6_datapath *datapath, uint64_t *out) {
    int processors = libbpf_num_possible_cpus();
    if (processors < 0) return processors;
    uint64_t *values = calloc((size_t)processors, sizeof *values);
    if (!values) return -ENOMEM;
    int code = 0;
    for (uint32_t i = 0; i < SHIM6_COUNTERS && !code; i++) {
        code = bpf_map_lookup_elem(datapath->counters, &i, values);
        out[i] = 0;
        for (int cpu = 0; cpu < processors && !code; cpu++) out[i] += values[cpu];
    }
    free(values);
    return code;
}

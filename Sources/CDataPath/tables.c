#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "data_path.h"

static int absent_is_fine(int code) { return code == -ENOENT ? 0 : code; }

static int put_inbound(struct shim6_datapath *datapath, uint64_t tag, const struct shim6_inbound *wanted) {
    struct shim6_inbound present;
    if (!bpf_map_lookup_elem(datapath->tags, &tag, &present) && !memcmp(&present, wanted, sizeof present)) return 0;
    return bpf_map_update_elem(datapath->tags, &tag, wanted, BPF_ANY);
}

/// The entry of a ULID pair, made if need be, without a context of its own.
static void read_pair(struct shim6_datapath *datapath, const struct shim6_pair *ulids, struct shim6_outbound *out) {
    if (!bpf_map_lookup_elem(datapath->pairs, ulids, out)) return;
    *out = (struct shim6_outbound){.source = ulids->local, .destination = ulids->peer, .only_forks = 1};
}

/// Writes the entry of a ULID pair, or removes it if it says nothing any more.
static int write_pair(
    struct shim6_datapath *datapath, const struct shim6_pair *ulids, const struct shim6_outbound *entry) {
    if (entry->only_forks && !entry->forks) return absent_is_fine(bpf_map_delete_elem(datapath->pairs, ulids));
    return bpf_map_update_elem(datapath->pairs, ulids, entry, BPF_ANY);
}

static struct shim6_flow flow_key(const struct shim6_context *context, size_t index) {
    struct shim6_flow flow = context->flows[index];
    flow.ulids = context->ulids;
    return flow;
}

/// The entries of a forked context. The pair's entry, which makes the program look for them, comes last.
static int put_flows(
    struct shim6_datapath *datapath, const struct shim6_context *context, const struct shim6_outbound *outbound) {
    struct shim6_outbound present, pair;
    struct shim6_flow flow = flow_key(context, 0);
    int is_new = bpf_map_lookup_elem(datapath->flows, &flow, &present) != 0;
    int code = 0;
    for (size_t i = 0; i < context->flow_count && !code; i++) {
        flow = flow_key(context, i);
        code = bpf_map_update_elem(datapath->flows, &flow, outbound, BPF_ANY);
    }
    read_pair(datapath, &context->ulids, &pair);
    pair.forks += is_new;
    pair.steered = context->steered;
    pair.way_back = context->way_back;
    return code ? code : write_pair(datapath, &context->ulids, &pair);
}

static int remove_flows(struct shim6_datapath *datapath, const struct shim6_context *context) {
    struct shim6_outbound pair;
    int was_there = 0;
    int code = 0;
    for (size_t i = 0; i < context->flow_count; i++) {
        struct shim6_flow flow = flow_key(context, i);
        int removed = bpf_map_delete_elem(datapath->flows, &flow);
        if (!removed) was_there = 1;
        else if (removed != -ENOENT) code = removed;
    }
    read_pair(datapath, &context->ulids, &pair);
    if (was_there && pair.forks) pair.forks -= 1;
    int written = write_pair(datapath, &context->ulids, &pair);
    return code ? code : written;
}

static int put_outbound(
    struct shim6_datapath *datapath, const struct shim6_context *context, struct shim6_outbound *outbound) {
    struct shim6_outbound present;
    if (context->forked) return context->flow_count ? put_flows(datapath, context, outbound) : 0;
    if (!bpf_map_lookup_elem(datapath->pairs, &context->ulids, &present)) outbound->forks = present.forks;
    return bpf_map_update_elem(datapath->pairs, &context->ulids, outbound, BPF_ANY);
}

int shim6_context_put(struct shim6_datapath *datapath, const struct shim6_context *context) {
    struct shim6_inbound inbound = {
        .ulids = context->ulids, .slot = context->slot, .mode = context->mode, .home_address = context->home_address};
    struct shim6_outbound outbound = {
        .source = context->source,
        .destination = context->destination,
        .way_back = context->way_back,
        .local_tag = context->local_tag,
        .peer_tag = context->peer_tag,
        .slot = context->slot,
        .rehomed = context->form,
        .steered = context->steered,
        .path_mtu = context->path_mtu,
    };
    struct shim6_locator_pair locators = {.source = context->source, .destination = context->destination};
    struct shim6_address known;
    // Without a known next hop the program asks for the route with every packet: slower, not worse.
    if (context->form != SHIM6_PLAIN && bpf_map_lookup_elem(datapath->next_hops, &locators, &known))
        (void)shim6_next_hop_update(datapath, &locators);
    int code = put_inbound(datapath, context->local_tag, &inbound);
    return code ? code : put_outbound(datapath, context, &outbound);
}

int shim6_context_remove(struct shim6_datapath *datapath, const struct shim6_context *context) {
    struct shim6_outbound present;
    int code = 0;
    if (context->forked) {
        code = context->flow_count ? remove_flows(datapath, context) : 0;
    } else if (
        // Another context may have taken the pair over in the meantime.
        !bpf_map_lookup_elem(datapath->pairs, &context->ulids, &present) && present.local_tag == context->local_tag) {
        struct shim6_outbound rest = {
            .source = context->ulids.local,
            .destination = context->ulids.peer,
            .way_back = present.way_back,
            .steered = present.steered,
            .forks = present.forks,
            .only_forks = 1};
        code = write_pair(datapath, &context->ulids, &rest);
    }
    int second = absent_is_fine(bpf_map_delete_elem(datapath->tags, &context->local_tag));
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

int shim6_peer_locator_put(struct shim6_datapath *datapath, const struct shim6_peer_locator *locator) {
    uint8_t nothing = 0;
    return bpf_map_update_elem(datapath->peer_locators, locator, &nothing, BPF_ANY);
}

int shim6_peer_locator_remove(struct shim6_datapath *datapath, const struct shim6_peer_locator *locator) {
    return absent_is_fine(bpf_map_delete_elem(datapath->peer_locators, locator));
}

int shim6_next_hop_read(
    struct shim6_datapath *datapath, const struct shim6_locator_pair *pair, struct shim6_address *next_hop) {
    return bpf_map_lookup_elem(datapath->next_hops, pair, next_hop);
}

int shim6_candidate_forget(struct shim6_datapath *datapath, const struct shim6_pair *pair) {
    return absent_is_fine(bpf_map_delete_elem(datapath->candidates, pair));
}

#define DONE_TEXT(constant, name, meaning) [constant] = {name, meaning, false},
#define DROP_TEXT(constant, name, meaning) [constant] = {name, meaning, true},
#define TEXTS SHIM6_DONE_COUNTERS(DONE_TEXT) SHIM6_DROP_COUNTERS(DROP_TEXT)
static const struct shim6_counter_text counter_texts[SHIM6_COUNTERS] = {TEXTS};

const struct shim6_counter_text *shim6_counter_text_of(enum shim6_counter counter) { return &counter_texts[counter]; }

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

int shim6_kept_take(struct shim6_datapath *datapath, uint64_t tag, uint32_t flow, struct shim6_kept *out) {
    struct shim6_kept_key key = {.tag = tag, .flow = flow};
    // What a processor was writing meanwhile is no whole packet: then two looks differ.
    struct shim6_kept again;
    int code = bpf_map_lookup_elem(datapath->kept, &key, out);
    if (!code) code = bpf_map_lookup_elem(datapath->kept, &key, &again);
    if (code) return code == -ENOENT ? 0 : code;
    (void)bpf_map_delete_elem(datapath->kept, &key);
    if (out->writing || memcmp(out, &again, sizeof again)) return 0;
    return out->time && out->length <= SHIM6_KEPT_OCTETS && out->transport + 20 <= out->length;
}

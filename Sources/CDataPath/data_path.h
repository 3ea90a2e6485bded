// What the files of this module share.
#ifndef DATAPATH_H
#define DATAPATH_H

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "CDataPath.h"

struct shim6_datapath {
    struct bpf_object *object;
    int programs[SHIM6_PROGRAMS];
    int pairs;
    int flows;
    int tags;
    int locators;
    int peer_locators;
    int candidates;
    int next_hops;
    int counters;
    int kept;
    struct ring_buffer *ring;
    struct shim6_activity *activity;
    size_t activity_octets;
    struct shim6_control *control;
    size_t control_octets;
    /// Whom shim6_events_consume hands events to, while it runs.
    void (*handle)(void *context, const struct shim6_event *event);
    void *handle_context;
    /// How many more it takes.
    int left;
};

/// Events that shim6_events_consume takes at once: a flood of packets that make some must not keep its caller.
enum { MOST_EVENTS = 1024 };

/// Whether frames of an interface have an Ethernet header, and its address if so. -EPROTONOSUPPORT for links of a kind
/// whose headers the program does not know.
int shim6_link_layer(uint32_t ifindex, struct shim6_locator *out);

/// Looks up the next hop for a locator pair and tells the program, or takes back what it was told if there is no route
/// by the uplink of the source.
int shim6_next_hop_update(struct shim6_datapath *datapath, const struct shim6_locator_pair *pair);

#endif

// Loads the kernel program, attaches it and reads and writes its maps. Calls return 0 or -errno unless they say
// otherwise. All calls that name an interface mean one of the calling thread's network namespace.
#ifndef CDATAPATH_H
#define CDATAPATH_H

#include <linux/pkt_cls.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim6_latch.h"
#include "shim6_maps.h"

/// Priority of our filters on every hook.
#define SHIM6_FILTER_PRIORITY 140
/// Handle of our filters on a qdisc that was there before us.
#define SHIM6_FILTER_HANDLE 0x6140
/// Handle of our filters on a qdisc that we made: so a later run knows that it may go.
#define SHIM6_FILTER_HANDLE_OWN_QDISC 0x6141

struct shim6_datapath;

/// The text of an errno.
const char *shim6_error_text(int code);

/// How many entries the maps can hold.
struct shim6_sizes {
    /// Contexts; also the number of activity slots.
    uint32_t contexts;
    uint32_t locators;
    /// Locators of peers, of all contexts together.
    uint32_t peer_locators;
    /// Sessions without a context that are watched; the least recently used goes.
    uint32_t candidates;
    uint32_t limiters;
    /// Packets that are kept to be sent again; 0 for none.
    uint32_t kept;
    /// A power of two, at least a page.
    uint32_t ring_octets;
};

enum shim6_load_failure {
    /// The kernel refused for a reason that the text tells.
    SHIM6_LOAD_OTHER = 0,
    SHIM6_LOAD_NO_PERMISSION,
    /// The kernel has no bpf system call or no classifier programs.
    SHIM6_LOAD_NO_BPF,
    /// The memory for the maps was refused.
    SHIM6_LOAD_MEMORY,
    /// The kernel lacks a map type or a helper that the program needs.
    SHIM6_LOAD_OLD_KERNEL,
    /// The verifier refused the program; the text ends with its log.
    SHIM6_LOAD_VERIFIER,
};

struct shim6_load_error {
    /// enum shim6_load_failure
    uint32_t failure;
    int code;
    /// Ends with a zero.
    char text[4096];
};

/// Loads the program from the object file in memory. On failure `error` is filled and `*out` stays untouched.
int shim6_open(
    const void *object, size_t length, const struct shim6_sizes *sizes, struct shim6_datapath **out,
    struct shim6_load_error *error);
/// Frees what user space holds. Attached programs and their maps live on in the kernel until they are detached.
void shim6_close(struct shim6_datapath *datapath);

/// The parts of the program, for tests.
enum shim6_program {
    SHIM6_UPLINK_OUT = 0,
    SHIM6_UPLINK_IN,
    SHIM6_UPLINK_OUT_L3,
    SHIM6_UPLINK_IN_L3,
    SHIM6_STEER_OUT,
    SHIM6_SEGMENT_IN,
    SHIM6_APPEAR_IN,
    SHIM6_PROGRAMS,
};

/// Attaches to ingress and egress of an uplink. Attaching again replaces the program without a gap.
int shim6_attach_uplink(struct shim6_datapath *datapath, uint32_t ifindex);
/// Attaches to both hooks of `shim0` and ingress of `shim0x` and tells the program about them.
int shim6_attach_steering(struct shim6_datapath *datapath, uint32_t shim0, uint32_t shim0x);
/// Whether this run's program is where the two above have put it: 1 or 0, -errno on failure.
int shim6_is_attached_to_uplink(struct shim6_datapath *datapath, uint32_t ifindex);
int shim6_is_attached_to_steering(struct shim6_datapath *datapath, uint32_t shim0, uint32_t shim0x);
/// Removes our filters, of this or any earlier run, and the qdisc if we made it and nothing else is on it.
/// 1 if there was something to remove, 0 if not, -errno on failure.
int shim6_detach(uint32_t ifindex);

/// A filter of somebody else that sees packets before ours.
struct shim6_foreign_filter {
    /// Of a classifier; 0 if attached through tcx.
    uint32_t priority;
    bool ingress;
    char kind[16];
};
/// How many there are, of which at most `capacity` are written; -errno on failure. Filters of one kind and priority
/// count once.
int shim6_foreign_filters(uint32_t ifindex, struct shim6_foreign_filter *out, size_t capacity);

struct shim6_context {
    struct shim6_pair ulids;
    struct shim6_address source;
    struct shim6_address destination;
    uint64_t local_tag;
    /// Used only if the locators are not the ULIDs.
    uint64_t peer_tag;
    uint32_t slot;
    /// enum shim6_inbound_mode
    uint32_t mode;
    /// How packets out carry their ULIDs: enum shim6_form.
    uint32_t form;
    /// Of the path between the locators; 0 if unknown.
    uint32_t path_mtu;
    /// Whether packets out of the ULID pair have a route of their own, for any of its contexts.
    bool steered;
    /// If so, the locator whose uplink it names.
    struct shim6_address way_back;
    /// Whether payload with a Home Address option is of this context: anybody can make it who knows the ULIDs, also
    /// without forging a source, so it is taken only from peers that can do no better.
    bool home_address;
    /// Whether this is a forked context: packets out are the default context's, but for those of its flows.
    bool forked;
    /// The `ulids` in them are not read.
    const struct shim6_flow *flows;
    size_t flow_count;
};
/// Makes a context's entries or brings them up to date. What goes out changes in one atomic write. The next hop for
/// its locators is looked up if it is not known.
int shim6_context_put(struct shim6_datapath *datapath, const struct shim6_context *context);
/// Removes a context's entries; 0 also if there were none.
int shim6_context_remove(struct shim6_datapath *datapath, const struct shim6_context *context);

/// Says that `address` is ours and on interface `ifindex`, 0 for none. To be repeated when the interface's own
/// address changes.
int shim6_locator_put(struct shim6_datapath *datapath, const struct shim6_address *address, uint32_t ifindex);
int shim6_locator_remove(struct shim6_datapath *datapath, const struct shim6_address *address);
/// Says that the peer of a context has proven a locator, or takes that back.
int shim6_peer_locator_put(struct shim6_datapath *datapath, const struct shim6_peer_locator *locator);
int shim6_peer_locator_remove(struct shim6_datapath *datapath, const struct shim6_peer_locator *locator);
/// Looks up the next hops of locator pairs again: of those with this source, or of all if it is NULL. To be called
/// when routes have changed.
int shim6_next_hops_refresh(struct shim6_datapath *datapath, const struct shim6_address *source);
/// Reads the next hop that the program was told; -ENOENT if it was told none.
int shim6_next_hop_read(
    struct shim6_datapath *datapath, const struct shim6_locator_pair *pair, struct shim6_address *next_hop);
/// Counts a session without a context from zero again.
int shim6_candidate_forget(struct shim6_datapath *datapath, const struct shim6_pair *pair);

/// The first of `contexts` activity slots; valid until shim6_close.
struct shim6_activity *shim6_activity_memory(struct shim6_datapath *datapath);
/// The control block; valid until shim6_close. Fields are written with single stores.
struct shim6_control *shim6_control_memory(struct shim6_datapath *datapath);
static inline void shim6_heartbeat(struct shim6_control *control, uint64_t now) {
    __atomic_store_n(&control->heartbeat, now, __ATOMIC_RELAXED);
}
static inline void shim6_control_read(struct shim6_control *control) {
    __atomic_store_n(&control->strangers_i1.unread, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&control->strangers.unread, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&control->named_i1.unread, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&control->unknown_tag.unread, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&control->acquainted.unread, 0, __ATOMIC_RELAXED);
}

/// Takes the last unanswered packet of one of a context's SHIM6_KEPT_FLOWS flows out of the table. 1 if there was one,
/// 0 if not, else a negative error number.
int shim6_kept_take(struct shim6_datapath *datapath, uint64_t tag, uint32_t flow, struct shim6_kept *out);

/// Readable when there are events.
int shim6_events_descriptor(struct shim6_datapath *datapath);
/// Hands over what is in the ring, oldest first, some thousand at most: the number of events or -errno. The descriptor
/// stays readable while there are more.
int shim6_events_consume(
    struct shim6_datapath *datapath, void (*handle)(void *context, const struct shim6_event *event), void *context);

/// What is said of a counter.
struct shim6_counter_text {
    const char *name;
    const char *meaning;
    bool is_drop;
};
const struct shim6_counter_text *shim6_counter_text_of(enum shim6_counter counter);

/// Sums over all processors into `out`, which holds SHIM6_COUNTERS numbers.
int shim6_counters_read(struct shim6_datapath *datapath, uint64_t *out);

/// A packet for shim6_test_run. It begins with an Ethernet header.
struct shim6_test_packet {
    const void *in;
    uint32_t in_length;
    /// The interface that the packet is on.
    uint32_t ifindex;
    /// How often to run the program on it, each time on what the time before has left.
    uint32_t times;
    void *out;
    /// The room in `out`, then what was written.
    uint32_t out_length;
    /// TC_ACT_... of the last time.
    int32_t verdict;
    /// Nanoseconds that the program has taken each time.
    uint32_t duration;
};
/// Runs a program on one packet that goes nowhere, for tests.
int shim6_test_run(struct shim6_datapath *datapath, enum shim6_program program, struct shim6_test_packet *packet);

static inline uint64_t shim6_stamp_load(const __u64 *stamp) { return __atomic_load_n(stamp, __ATOMIC_ACQUIRE); }
static inline void shim6_stamp_exchange(__u64 *stamp, uint64_t value) {
    (void)__atomic_exchange_n(stamp, value, __ATOMIC_ACQ_REL);
}
static inline void shim6_stamp_start(__u64 *stamp, uint64_t now) {
    __u64 stopped = 0;
    (void)__atomic_compare_exchange_n(stamp, &stopped, now, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}
static inline __u32 shim6_spacing_load(const __u32 *spacing) { return __atomic_load_n(spacing, __ATOMIC_RELAXED); }
static inline void shim6_spacing_clear(__u32 *spacing) { __atomic_store_n(spacing, 0, __ATOMIC_RELAXED); }
static inline void shim6_flags_set(__u32 *flags, uint32_t bits) {
    (void)__atomic_fetch_or(flags, bits, __ATOMIC_ACQ_REL);
}
/// Clears flags. Whether one of them was set.
static inline bool shim6_flags_take(__u32 *flags, uint32_t bits) {
    return __atomic_fetch_and(flags, ~bits, __ATOMIC_ACQ_REL) & bits;
}

#endif

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "data_path.h"

static const char *const program_names[SHIM6_PROGRAMS] = {
    [SHIM6_UPLINK_OUT] = "shim6_out",     [SHIM6_UPLINK_IN] = "shim6_in",    [SHIM6_UPLINK_OUT_L3] = "shim6_out_l3",
    [SHIM6_UPLINK_IN_L3] = "shim6_in_l3", [SHIM6_STEER_OUT] = "shim6_steer", [SHIM6_SEGMENT_IN] = "shim6_segment",
    [SHIM6_APPEAR_IN] = "shim6_appear",
};

const char *shim6_error_text(int code) { return strerror(code); }

// libbpf hands its messages to one function without a context, so what belongs to a call is kept by thread.
static _Thread_local char warnings[1024];

static int keep_warning(enum libbpf_print_level level, const char *format, va_list arguments) {
    size_t used = strlen(warnings);
    if (level != LIBBPF_WARN || used + 1 >= sizeof warnings) return 0;
    return vsnprintf(warnings + used, sizeof warnings - used, format, arguments);
}

static uint32_t failure_of(int code, const char *log) {
    // The verifier's refusals come as EACCES or EINVAL, and always with a log.
    if (strstr(log, "invalid func") || strstr(log, "unknown func") || strstr(log, "unknown opcode"))
        return SHIM6_LOAD_OLD_KERNEL;
    if (log[0]) return SHIM6_LOAD_VERIFIER;
    switch (-code) {
    case EPERM:
    case EACCES:
        return SHIM6_LOAD_NO_PERMISSION;
    case ENOSYS:
        return SHIM6_LOAD_NO_BPF;
    case ENOMEM:
    case E2BIG:
        return SHIM6_LOAD_MEMORY;
    case EINVAL:
        return SHIM6_LOAD_OLD_KERNEL;
    default:
        return SHIM6_LOAD_OTHER;
    }
}

static int fail(struct shim6_load_error *error, int code, const char *log) {
    error->code = code;
    error->failure = failure_of(code, log);
    // The end of the log has the reason.
    size_t room = sizeof error->text - sizeof warnings - 1;
    size_t length = strlen(log);
    const char *tail = length > room ? log + length - room : log;
    snprintf(error->text, sizeof error->text, "%s%s", warnings, tail);
    return code;
}

static int resize(struct bpf_object *object, const struct shim6_sizes *sizes) {
    const struct {
        const char *name;
        uint32_t entries;
    } wanted[] = {
        {"pairs", sizes->contexts},
        {"tags", sizes->contexts},
        {"activity", sizes->contexts},
        {"locators", sizes->locators},
        {"candidates", sizes->candidates},
        {"limiters", sizes->limiters},
        {"peer_locators", sizes->peer_locators},
        {"events", sizes->ring_octets},
        {"kept_packets", sizes->kept ? sizes->kept : 1},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        struct bpf_map *map = bpf_object__find_map_by_name(object, wanted[i].name);
        if (!map) return -ENOENT;
        int code = bpf_map__set_max_entries(map, wanted[i].entries);
        if (code) return code;
    }
    return 0;
}

/// Where a kernel cares for alignment its verifier takes a packet for one behind an Ethernet header: without one the
/// IPv6 header, which is aligned, seems not to be.
static int allow_alignment(struct bpf_object *object) {
    struct bpf_program *program;
    int code = 0;
    bpf_object__for_each_program(program, object) {
        if (!code) code = bpf_program__set_flags(program, bpf_program__flags(program) | BPF_F_ANY_ALIGNMENT);
    }
    return code;
}

static int map_descriptor(struct bpf_object *object, const char *name) {
    return bpf_object__find_map_fd_by_name(object, name);
}

static void *share(int descriptor, size_t octets) {
    void *memory = mmap(NULL, octets, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

static size_t whole_pages(size_t octets) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return (octets + page - 1) / page * page;
}

static int take_event(void *context, void *data, size_t size) {
    struct shim6_datapath *datapath = context;
    if (size >= sizeof(struct shim6_event) && datapath->handle) datapath->handle(datapath->handle_context, data);
    // A negative number ends the reading; the event is taken all the same.
    return --datapath->left > 0 ? 0 : -ECANCELED;
}

static int connect_parts(struct shim6_datapath *datapath, const struct shim6_sizes *sizes) {
    struct bpf_object *object = datapath->object;
    for (int i = 0; i < SHIM6_PROGRAMS; i++) {
        struct bpf_program *program = bpf_object__find_program_by_name(object, program_names[i]);
        if (!program) return -ENOENT;
        datapath->programs[i] = bpf_program__fd(program);
    }
    datapath->pairs = map_descriptor(object, "pairs");
    datapath->flows = map_descriptor(object, "flows");
    datapath->tags = map_descriptor(object, "tags");
    datapath->locators = map_descriptor(object, "locators");
    datapath->peer_locators = map_descriptor(object, "peer_locators");
    datapath->candidates = map_descriptor(object, "candidates");
    datapath->next_hops = map_descriptor(object, "next_hops");
    datapath->counters = map_descriptor(object, "counters");
    datapath->kept = map_descriptor(object, "kept_packets");
    datapath->activity_octets = whole_pages(sizeof(struct shim6_activity) * sizes->contexts);
    datapath->activity = share(map_descriptor(object, "activity"), datapath->activity_octets);
    if (!datapath->activity) return -errno;
    datapath->control_octets = whole_pages(sizeof(struct shim6_control));
    datapath->control = share(map_descriptor(object, "control"), datapath->control_octets);
    if (!datapath->control) return -errno;
    datapath->control->keeps_packets = sizes->kept != 0;
    datapath->control->strangers_i1.most_unread = SHIM6_MOST_UNREAD;
    datapath->control->strangers.most_unread = SHIM6_MOST_UNREAD;
    datapath->control->named_i1.most_unread = SHIM6_MOST_UNREAD;
    // A report takes no room in the socket.
    datapath->control->unknown_tag.most_unread = UINT32_MAX;
    datapath->control->acquainted.most_unread = SHIM6_MOST_UNREAD_ACQUAINTED;
    datapath->ring = ring_buffer__new(map_descriptor(object, "events"), take_event, datapath, NULL);
    return datapath->ring ? 0 : -errno;
}

int shim6_open(
    const void *object, size_t length, const struct shim6_sizes *sizes, struct shim6_datapath **out,
    struct shim6_load_error *error) {
    memset(error, 0, sizeof *error);
    warnings[0] = 0;
    libbpf_set_print(keep_warning);
    struct shim6_datapath *datapath = calloc(1, sizeof *datapath);
    size_t log_size = 1 << 20;
    char *log = calloc(1, log_size);
    if (!datapath || !log) {
        free(datapath);
        free(log);
        return fail(error, -ENOMEM, "");
    }
    LIBBPF_OPTS(
        bpf_object_open_opts, options, .object_name = "shim6", .kernel_log_buf = log, .kernel_log_size = log_size);
    datapath->object = bpf_object__open_mem(object, length, &options);
    int code = datapath->object ? 0 : -errno;
    if (!code) code = resize(datapath->object, sizes);
    if (!code) code = allow_alignment(datapath->object);
    if (!code) code = bpf_object__load(datapath->object);
    if (!code) code = connect_parts(datapath, sizes);
    if (code) {
        fail(error, code, log);
        shim6_close(datapath);
    } else {
        *out = datapath;
    }
    free(log);
    return code;
}

void shim6_close(struct shim6_datapath *datapath) {
    if (!datapath) return;
    ring_buffer__free(datapath->ring);
    if (datapath->activity) munmap(datapath->activity, datapath->activity_octets);
    if (datapath->control) munmap(datapath->control, datapath->control_octets);
    bpf_object__close(datapath->object);
    free(datapath);
}

struct shim6_activity *shim6_activity_memory(struct shim6_datapath *datapath) {
    return datapath->activity;
}

struct shim6_control *shim6_control_memory(struct shim6_datapath *datapath) {
    return datapath->control;
}

int shim6_events_descriptor(struct shim6_datapath *datapath) { return ring_buffer__epoll_fd(datapath->ring); }

int shim6_events_consume(
    struct shim6_datapath *datapath, void (*handle)(void *context, const struct shim6_event *event), void *context) {
    datapath->handle = handle;
    datapath->handle_context = context;
    datapath->left = MOST_EVENTS;
    int count = ring_buffer__consume(datapath->ring);
    datapath->handle = NULL;
    return count == -ECANCELED ? MOST_EVENTS : count;
}

int shim6_test_run(struct shim6_datapath *datapath, enum shim6_program program, struct shim6_test_packet *packet) {
    struct __sk_buff context = {.ifindex = packet->ifindex};
    LIBBPF_OPTS(
        bpf_test_run_opts, options, .data_in = packet->in, .data_size_in = packet->in_length, .data_out = packet->out,
        .data_size_out = packet->out_length, .ctx_in = &context, .ctx_size_in = sizeof context,
        .repeat = (int)packet->times);
    int code = bpf_prog_test_run_opts(datapath->programs[program], &options);
    packet->out_length = options.data_size_out;
    packet->verdict = (int32_t)options.retval;
    packet->duration = options.duration;
    return code;
}

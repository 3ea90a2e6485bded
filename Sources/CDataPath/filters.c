#include "filters.h"

#include <string.h>
#include <unistd.h>

#include "CDataPath.h"
#include "cnl_route.h"

static void take(void *context, const struct cnl_filter *filter) {
    struct shim6_filter_list *list = context;
    if (list->count < SHIM6_MOST_FILTERS) list->filters[list->count++] = *filter;
}

int shim6_filters(uint32_t ifindex, struct shim6_filter_list *out) {
    out->count = 0;
    int descriptor = cnl_route_open();
    if (descriptor < 0) return descriptor;
    int code = cnl_filter_dump(descriptor, ifindex, take, out);
    close(descriptor);
    return code;
}

bool shim6_is_ours(const struct cnl_filter *filter) {
    return filter->priority == SHIM6_FILTER_PRIORITY &&
           (filter->handle == SHIM6_FILTER_HANDLE || filter->handle == SHIM6_FILTER_HANDLE_OWN_QDISC) &&
           !strcmp(filter->kind, "bpf") && !strncmp(filter->name, "shim6_", 6);
}

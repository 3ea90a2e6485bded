// The tc filters on an interface, as the kernel lists them.
#ifndef FILTERS_H
#define FILTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cnl_filter.h"

/// More filters than this on one interface are not listed.
#define SHIM6_MOST_FILTERS 256

struct shim6_filter_list {
    size_t count;
    struct cnl_filter filters[SHIM6_MOST_FILTERS];
};

/// Lists the filters of both clsact hooks; 0 or -errno. No qdisc means no filters.
int shim6_filters(uint32_t ifindex, struct shim6_filter_list *out);

/// Whether a filter was made by this module, in this or an earlier run.
bool shim6_is_ours(const struct cnl_filter *filter);

#endif

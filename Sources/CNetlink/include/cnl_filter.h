// The tc filters on an interface.
#ifndef CNL_FILTER_H
#define CNL_FILTER_H

#include <stdbool.h>
#include <stdint.h>

struct cnl_filter {
    uint32_t priority;
    uint32_t handle;
    bool ingress;
    char kind[16];
    char name[32];     // of a bpf filter: what it was attached with
    uint32_t program;  // of a bpf filter: the kernel's number of it
};

typedef void (*cnl_filter_handler)(void *context, const struct cnl_filter *filter);

// Hands over the filters of both hooks of clsact on interface `index`, by a socket of cnl_route_open. Without that
// qdisc there are none.
int cnl_filter_dump(int fd, uint32_t index, cnl_filter_handler handler, void *context);

#endif

#ifndef DUMP_H
#define DUMP_H

#include "include/cnl_route.h"
#include "transport.h"

// Hands every row of one kind to `handler` as the kernel tells it. -EINTR as with cnl_dump.
int dump_rows(int fd, enum cnl_kind kind, transport_handler handler, void *context);

#endif

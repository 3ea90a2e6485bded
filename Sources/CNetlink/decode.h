// Messages of the kernel to flat structs.
#ifndef DECODE_H
#define DECODE_H

#include <libmnl/libmnl.h>
#include <stddef.h>

#include "include/cnl_route.h"

struct decode_target {
    cnl_change_handler handler;
    void *context;
};

// Hands what an rtnetlink message tells to the `struct decode_target` at `target`; messages of other kinds are skipped.
int decode_route_message(void *target, const struct nlmsghdr *message);

// Finds the attributes behind a header of `header_size`: table[type] for each type below `count`, NULL if missing.
void decode_attributes(const struct nlmsghdr *message, size_t header_size, const struct nlattr **table, uint16_t count);
// The same for what stands in an attribute; NULL for one that is missing.
void decode_nested(const struct nlattr *nest, const struct nlattr **table, uint16_t count);
// As much as fits, with a zero behind it; empty if the attribute is missing.
void decode_text(char *text, size_t size, const struct nlattr *attribute);
// 0 if the attribute is missing or too short.
uint32_t decode_u32(const struct nlattr *attribute);
uint8_t decode_u8(const struct nlattr *attribute);

#endif

// The decoders of what the kernel tells, for fuzzing.
#ifndef CNETLINK_FUZZ_H
#define CNETLINK_FUZZ_H

#include <stddef.h>
#include <stdint.h>

// Hands a netlink message with these octets behind its header to every decoder, at the end of what may be read. `type`
// is one of rtnetlink, of XFRM or of sock_diag. Returns how many values the decoders made of it, -1 if there is no
// memory.
int netlink_fuzz(uint16_t type, const uint8_t *octets, size_t length);

#endif

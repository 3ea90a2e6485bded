#ifndef CNL_ADDRESS_H
#define CNL_ADDRESS_H

#include <stdint.h>

// 128 bits in network order kept as two host integers: octet 0 is the top octet of `high`.
struct cnl_address {
    uint64_t high;
    uint64_t low;
};

struct cnl_prefix {
    struct cnl_address address;
    uint8_t length;
};

#endif

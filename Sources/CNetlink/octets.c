#include "octets.h"

#include <endian.h>
#include <string.h>

struct cnl_address address_from_octets(const void *octets) {
    uint64_t halves[2];
    memcpy(halves, octets, sizeof(halves));
    return (struct cnl_address){.high = be64toh(halves[0]), .low = be64toh(halves[1])};
}

void address_to_octets(const struct cnl_address *address, void *octets) {
    uint64_t halves[2] = {htobe64(address->high), htobe64(address->low)};
    memcpy(octets, halves, sizeof(halves));
}

struct in6_addr address_to_in6(const struct cnl_address *address) {
    struct in6_addr in6;
    address_to_octets(address, &in6);
    return in6;
}

struct nl_addr *address_to_nl(const struct cnl_address *address, int prefix_length) {
    struct in6_addr in6 = address_to_in6(address);
    struct nl_addr *addr = nl_addr_build(AF_INET6, &in6, sizeof(in6));
    if (addr != NULL) nl_addr_set_prefixlen(addr, prefix_length);
    return addr;
}

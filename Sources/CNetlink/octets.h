// Addresses between their forms: host integers, 16 octets, libnl's objects.
#ifndef OCTETS_H
#define OCTETS_H

#include <netinet/in.h>
#include <netlink/addr.h>

#include "include/cnl_address.h"

struct cnl_address address_from_octets(const void *octets);
void address_to_octets(const struct cnl_address *address, void *octets);
struct in6_addr address_to_in6(const struct cnl_address *address);
// NULL if there is no memory. The caller puts it.
struct nl_addr *address_to_nl(const struct cnl_address *address, int prefix_length);

#endif

// The kernel's network configuration, IPsec policies and raw IPv6 sockets behind flat structs.
//
// Every function returns 0 (or what its comment says) or a negative errno. A netlink socket is a plain file descriptor
// that belongs to the network namespace of the thread that opened it; one thread at a time may use it.
#ifndef CNETLINK_H
#define CNETLINK_H

#include "cnl_capability.h"
#include "cnl_filter.h"
#include "cnl_offload.h"
#include "cnl_policy.h"
#include "cnl_raw.h"
#include "cnl_rehoming.h"
#include "cnl_route.h"
#include "cnl_socket.h"

#endif

// Whose a TCP socket of this network namespace is.
#ifndef CNL_SOCKET_H
#define CNL_SOCKET_H

#include <stdbool.h>
#include <stdint.h>

#include "cnl_address.h"

struct cnl_endpoint {
    struct cnl_address address;
    uint16_t port;
};

struct cnl_socket {
    uint32_t user;
    // Of the open file; 0 once the process has closed it. Then the kernel calls the user 0, whoever it was.
    uint32_t inode;
    bool established;
};

// Finds the socket from `local` to `remote`. -ENOENT if there is none.
int cnl_socket_find(const struct cnl_endpoint *local, const struct cnl_endpoint *remote, struct cnl_socket *found);

#endif

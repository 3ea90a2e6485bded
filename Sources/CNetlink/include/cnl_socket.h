// sock_diag: the IPv6 sockets of this network namespace.
#ifndef CNL_SOCKET_H
#define CNL_SOCKET_H

#include <stdbool.h>
#include <stdint.h>

#include "cnl_address.h"

struct cnl_endpoint {
    struct cnl_address address;
    uint16_t port;  // of a raw socket the local one is its next header
};

struct cnl_socket {
    struct cnl_endpoint local;  // address 0: bound to none
    struct cnl_endpoint peer;   // address 0: connected to none
    uint32_t user;
    uint32_t inode;  // of the open file; 0 once the process has closed it. Then the kernel calls the user 0.
    uint8_t state;   // CNL_...
};

// The kernel's states of TCP sockets. Others are ESTABLISHED while they have a peer, and CLOSE else; those of SCTP have
// numbers of their own.
enum cnl_socket_state {
    CNL_ESTABLISHED = 1,
    CNL_SYN_SENT,
    CNL_SYN_RECEIVED,
    CNL_FIN_WAIT_1,
    CNL_FIN_WAIT_2,
    CNL_TIME_WAIT,
    CNL_CLOSE,
    CNL_CLOSE_WAIT,
    CNL_LAST_ACK,
    CNL_LISTEN,
    CNL_CLOSING,
    CNL_BOUND = 13,  // bound, and neither connected nor listening; kernels before 6.8 do not tell of these
};

typedef void (*cnl_socket_handler)(void *context, const struct cnl_socket *socket);

// Opens a socket for questions. Returns the file descriptor.
int cnl_sockets_open(void);

// Hands over every socket of `protocol` (6 TCP, 17 UDP, 255 raw, ...) that is in one of the states whose bits (1 <<
// state) are set in `states`. -ENOENT: the kernel has no such sockets, or cannot tell. What comes and goes meanwhile
// may be missing.
int cnl_sockets_dump(int fd, uint8_t protocol, uint32_t states, cnl_socket_handler handler, void *context);

// Finds the established TCP socket from `local` to `peer`. -ENOENT if there is none.
int cnl_socket_find(
    int fd, const struct cnl_endpoint *local, const struct cnl_endpoint *peer, struct cnl_socket *found);

#endif

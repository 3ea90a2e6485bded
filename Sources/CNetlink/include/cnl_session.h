// sock_diag: the sessions of this network namespace's sockets.
#ifndef CNL_SESSION_H
#define CNL_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "cnl_address.h"

struct cnl_session {
    struct cnl_address local;
    struct cnl_address peer;
    bool waiting;  // TCP: the peer has not answered yet
};

typedef void (*cnl_session_handler)(void *context, const struct cnl_session *session);

// Opens a socket for requests. Returns the file descriptor.
int cnl_sessions_open(void);

// Hands every socket of a protocol (6 TCP, 17 UDP) that has a peer to `handler`, of TCP those that begin or whose peer still
// sends. -ENOENT: the kernel cannot tell. -EINTR: sockets came and went meanwhile, and some may be missing.
int cnl_sessions_dump(int fd, uint8_t protocol, cnl_session_handler handler, void *context);

#endif

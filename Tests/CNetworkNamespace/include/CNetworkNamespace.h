// Two calls of Linux that Swift does not see. Both concern the calling thread only.
#ifndef CNETWORKNAMESPACE_H
#define CNETWORKNAMESPACE_H

/// Moves the calling thread to a new network namespace; 0 or -errno.
int network_namespace_make(void);
/// Moves the calling thread to the network namespace behind a descriptor; 0 or -errno.
int network_namespace_enter(int descriptor);

#endif

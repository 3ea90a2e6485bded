// Requests that are gathered and sent in one go: what stands behind `struct cnl_changes`.
#ifndef CHANGES_H
#define CHANGES_H

#include <netlink/msg.h>

#include "include/cnl_rehoming.h"
#include "transport.h"

// Adds a message of libnl's, which is freed; NULL is one for which there was no memory. -ENOMEM.
int changes_append(struct cnl_changes *changes, struct nl_msg *message);
// Sends all requests at once, tells of each what became of it, and empties `changes`.
int changes_send(int fd, struct cnl_changes *changes, transport_judge judge, void *context);
// Sends many requests, some at a time. As cnl_changes_send otherwise.
int changes_send_in_parts(int fd, struct cnl_changes *changes);

#endif

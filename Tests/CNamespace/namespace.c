#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <sys/fsuid.h>

#include "include/CNamespace.h"

int namespace_leave(void) { return unshare(CLONE_NEWNET) < 0 ? -errno : 0; }

int namespace_enter(int fd) { return setns(fd, CLONE_NEWNET) < 0 ? -errno : 0; }

void namespace_file_user(unsigned user) { setfsuid(user); }

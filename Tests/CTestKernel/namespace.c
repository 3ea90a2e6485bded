#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>

#include "CTestKernel.h"

int network_namespace_make(void) { return unshare(CLONE_NEWNET) ? -errno : 0; }

int network_namespace_enter(int descriptor) { return setns(descriptor, CLONE_NEWNET) ? -errno : 0; }

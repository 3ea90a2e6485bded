// Capabilities of the calling thread. Sets are masks: 1 << CAP_...
#ifndef CNL_CAPABILITY_H
#define CNL_CAPABILITY_H

#include <stdint.h>

int cnl_capabilities_effective(uint64_t *set);
// Keeps only `set`, for good: permitted, effective and bounding set are cut down, inheritable and ambient emptied,
// no_new_privs set. For the whole process only if no other thread is there yet. -EPERM if `set` has more than is
// permitted; then nothing was changed.
int cnl_capabilities_keep(uint64_t set);

#endif

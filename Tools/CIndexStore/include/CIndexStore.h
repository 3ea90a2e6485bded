/* What the compiler noted of each source: symbols, where they are defined and who uses them. */
#ifndef CINDEXSTORE_H
#define CINDEXSTORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bits of `roles` in indexstore.h. */
enum { CIX_DEFINITION = 1 << 1, CIX_CALL = 1 << 5, CIX_IMPLICIT = 1 << 8 };

struct cix_occurrence {
    const char *module, *file;
    /* What names the symbol uniquely in all modules. Valid during the call alone. */
    const char *usr;
    size_t usr_length;
    uint64_t roles;
};

/* Calls `found` for each occurrence of a symbol in the sources that `store` tells of, system modules left out. Returns
 * NULL, or what went wrong. `library` is the toolchain's libIndexStore.so. */
const char *cix_read(
    const char *library, const char *store, void *context,
    void (*found)(void *context, const struct cix_occurrence *occurrence));

#endif

#include "CAllocations.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

// glibc's own functions, under the names that it exports for programs that replace malloc.
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *block);

static _Thread_local struct callocations counts;

static void *counted(void *block) {
    counts.taken += block != NULL;
    return block;
}

void *malloc(size_t size) { return counted(__libc_malloc(size)); }

void *calloc(size_t count, size_t size) { return counted(__libc_calloc(count, size)); }

// A block that grows stays one block; of nothing one is made, and to nothing one is freed.
void *realloc(void *block, size_t size) {
    void *moved = __libc_realloc(block, size);
    if (block == NULL) return counted(moved);
    counts.returned += moved == NULL && size == 0;
    return moved;
}

void *aligned_alloc(size_t alignment, size_t size) { return counted(__libc_memalign(alignment, size)); }

int posix_memalign(void **block, size_t alignment, size_t size) {
    void *made = counted(__libc_memalign(alignment, size));
    if (made == NULL) return ENOMEM;
    *block = made;
    return 0;
}

void free(void *block) {
    counts.returned += block != NULL;
    __libc_free(block);
}

struct callocations callocations_of_thread(void) {
    return counts;
}

size_t callocations_octets_in_use(void) {
    struct mallinfo2 heap = mallinfo2();
    return heap.uordblks + heap.hblkhd;
}

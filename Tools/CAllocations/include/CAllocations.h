// Counts what a program takes from the heap. Linking against this puts counting functions in front of the C library's.
#ifndef CALLOCATIONS_H
#define CALLOCATIONS_H

#include <stddef.h>
#include <stdint.h>

struct callocations {
    uint64_t taken;     // blocks that the thread has allocated since it began
    uint64_t returned;  // blocks that it has freed
};

// The counts of the calling thread.
struct callocations callocations_of_thread(void);

// Octets in use in the heap: those of the main arena and of blocks that were mapped singly.
size_t callocations_octets_in_use(void);

#endif

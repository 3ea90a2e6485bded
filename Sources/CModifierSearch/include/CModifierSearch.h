#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * The search for a Modifier (RFC 3972, section 4, steps 2 and 3): SHA-1 over messages that differ in nothing but the
 * last 32 bits of the Modifier, many of them side by side in the lanes of the processor's vector registers.
 */

enum { CMS_BLOCK_WORDS = 16, CMS_SCHEDULE_WORDS = 80 };

/* A padded message in words of host order. */
struct cms_message {
    /* The first block. Words 0 to 3 are the Modifier. */
    uint32_t first[CMS_BLOCK_WORDS];
    /* The schedules of the other blocks, which are the same for every Modifier; see cms_schedule. */
    const uint32_t *_Nullable schedules;
    size_t blocks;
};

/* Writes the schedule of one block: the words of its 80 rounds, with the constants of the rounds added. */
void cms_schedule(const uint32_t *_Nonnull block, uint32_t *_Nonnull schedule);

/*
 * Tries the Modifier of the message and those after it, `attempts` in all, none of which may need a carry out of
 * word 3. Returns how many come before the first whose hash has no bit of `mask` in its first word; `attempts` if there
 * is none.
 */
uint64_t cms_search(const struct cms_message *_Nonnull message, uint32_t mask, uint64_t attempts);

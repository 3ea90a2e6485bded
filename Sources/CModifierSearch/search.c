#include "CModifierSearch.h"

#ifdef __x86_64__
#include <sys/platform/x86.h>
#endif

static const uint32_t initial[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
static const uint32_t constants[4] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};

#define ROTATE(x, n) ((x) << (n) | (x) >> (32 - (n)))

/* The rounds of SHA-1 on the variables a to e, written out so that no value is ever moved from one to the next. */
#define ROUND(a, b, c, d, e, f, w) e += (w) + f(b, c, d) + ROTATE(a, 5), b = ROTATE(b, 30);
#define FIVE_ROUNDS(f, w, t)                                                                                           \
    ROUND(a, b, c, d, e, f, w(t))                                                                                      \
    ROUND(e, a, b, c, d, f, w(t + 1))                                                                                  \
    ROUND(d, e, a, b, c, f, w(t + 2))                                                                                  \
    ROUND(c, d, e, a, b, f, w(t + 3))                                                                                  \
    ROUND(b, c, d, e, a, f, w(t + 4))
#define TWENTY_ROUNDS(f, w, t)                                                                                         \
    FIVE_ROUNDS(f, w, t) FIVE_ROUNDS(f, w, t + 5) FIVE_ROUNDS(f, w, t + 10) FIVE_ROUNDS(f, w, t + 15)
#define EIGHTY_ROUNDS(w)                                                                                               \
    TWENTY_ROUNDS(CHOICE, w, 0)                                                                                        \
    TWENTY_ROUNDS(PARITY, w, 20)                                                                                       \
    TWENTY_ROUNDS(MAJORITY, w, 40)                                                                                     \
    TWENTY_ROUNDS(PARITY, w, 60)
#define CHOICE(b, c, d) ((((c) ^ (d)) & (b)) ^ (d))
#define PARITY(b, c, d) ((b) ^ (c) ^ (d))
#define MAJORITY(b, c, d) (((b) & (c)) | (((b) | (c)) & (d)))

#define LANES 4
#define SEARCH search4
#define TARGET static
#include "lanes.h"
#undef LANES
#undef SEARCH
#undef TARGET

#ifdef __x86_64__
#define LANES 8
#define SEARCH search8
#define TARGET __attribute__((target("avx2"))) static
#include "lanes.h"
#undef LANES
#undef SEARCH
#undef TARGET

#define LANES 16
#define SEARCH search16
#define TARGET __attribute__((target("avx512f"))) static
#include "lanes.h"
#undef LANES
#undef SEARCH
#undef TARGET
#endif

void cms_schedule(const uint32_t *block, uint32_t *schedule) {
    for (int t = 0; t < CMS_BLOCK_WORDS; t++) schedule[t] = block[t];
    for (int t = CMS_BLOCK_WORDS; t < CMS_SCHEDULE_WORDS; t++)
        schedule[t] = ROTATE(schedule[t - 3] ^ schedule[t - 8] ^ schedule[t - 14] ^ schedule[t - 16], 1);
    for (int t = 0; t < CMS_SCHEDULE_WORDS; t++) schedule[t] += constants[t / 20];
}

uint64_t cms_search(const struct cms_message *message, uint32_t mask, uint64_t attempts) {
#ifdef __x86_64__
    /* The C library's word, not the processor's: a kernel may not keep all registers, and GLIBC_TUNABLES tells. */
    if (CPU_FEATURE_ACTIVE(AVX512F)) return search16(message, mask, attempts);
    if (CPU_FEATURE_ACTIVE(AVX2)) return search8(message, mask, attempts);
#endif
    return search4(message, mask, attempts);
}

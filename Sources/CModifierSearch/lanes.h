/*
 * The search with LANES messages side by side. Included once for each width of vector registers, with LANES, SEARCH
 * (the name of the function) and TARGET (the processors that it is for) defined.
 */

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define lanes JOIN(lanes, LANES)

typedef uint32_t lanes __attribute__((vector_size(4 * LANES)));

TARGET uint64_t SEARCH(const struct cms_message *message, uint32_t mask, uint64_t attempts) {
    for (uint64_t tried = 0; tried < attempts; tried += LANES) {
        /* The schedule of the first block, all but word 3 the same in all lanes. */
        lanes own[CMS_SCHEDULE_WORDS];
        for (int t = 0; t < CMS_BLOCK_WORDS; t++) own[t] = (lanes){} + message->first[t];
        for (int lane = 0; lane < LANES; lane++) own[3][lane] += (uint32_t)tried + lane;
        for (int t = CMS_BLOCK_WORDS; t < CMS_SCHEDULE_WORDS; t++)
            own[t] = ROTATE(own[t - 3] ^ own[t - 8] ^ own[t - 14] ^ own[t - 16], 1);

        lanes h[5];
        for (int i = 0; i < 5; i++) h[i] = (lanes){} + initial[i];
        lanes a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
#define WORD(t) (own[t] + constants[(t) / 20])
        EIGHTY_ROUNDS(WORD)
#undef WORD
        h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e;
        for (size_t block = 0; block < message->blocks; block++) {
            const uint32_t *schedule = message->schedules + block * CMS_SCHEDULE_WORDS;
            a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
#define WORD(t) schedule[t]
            EIGHTY_ROUNDS(WORD)
#undef WORD
            h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e;
        }

        for (int lane = 0; lane < LANES; lane++)
            if ((h[0][lane] & mask) == 0) return tried + lane < attempts ? tried + lane : attempts;
    }
    return attempts;
}

#undef lanes
#undef JOIN
#undef JOIN_

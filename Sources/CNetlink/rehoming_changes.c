#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/xfrm.h>
#include <stdlib.h>
#include <string.h>

#include "rehoming_decode.h"
#include "rehoming_encode.h"
#include "transport.h"

struct cnl_changes {
    char *octets;
    size_t length;
    size_t room;
};

struct cnl_changes *cnl_changes_create(void) {
    return calloc(1, sizeof(struct cnl_changes));
}

void cnl_changes_destroy(struct cnl_changes *changes) {
    free(changes->octets);
    free(changes);
}

void cnl_changes_clear(struct cnl_changes *changes) {
    changes->length = 0;
}

// Where the next request goes; NULL if there is no memory.
static void *next(struct cnl_changes *changes) {
    if (changes->room - changes->length < rehoming_request_room) {
        size_t room = 2 * changes->room + 4 * rehoming_request_room;
        char *octets = realloc(changes->octets, room);
        if (octets == NULL)
            return NULL;
        changes->octets = octets;
        changes->room = room;
    }
    return changes->octets + changes->length;
}

static int append(struct cnl_changes *changes, const struct nlmsghdr *request) {
    changes->length += NLMSG_ALIGN(request->nlmsg_len);
    return 0;
}

int cnl_changes_put_state(struct cnl_changes *changes, const struct cnl_state *state, bool replace) {
    void *room = next(changes);
    return room == NULL ? -ENOMEM
                        : append(changes, encode_state(room, state, replace ? XFRM_MSG_UPDSA : XFRM_MSG_NEWSA));
}

int cnl_changes_put_policy(struct cnl_changes *changes, const struct cnl_rehoming_policy *policy, bool replace) {
    void *room = next(changes);
    return room == NULL
               ? -ENOMEM
               : append(changes, encode_policy(room, policy, replace ? XFRM_MSG_UPDPOLICY : XFRM_MSG_NEWPOLICY));
}

int cnl_changes_delete_state(struct cnl_changes *changes, const struct cnl_state *state) {
    void *room = next(changes);
    return room == NULL ? -ENOMEM : append(changes, encode_state_deletion(room, state));
}

int cnl_changes_delete_policy(struct cnl_changes *changes, const struct cnl_rehoming_policy *policy) {
    void *room = next(changes);
    return room == NULL ? -ENOMEM : append(changes, encode_policy_deletion(room, policy));
}

const uint8_t *cnl_changes_octets(const struct cnl_changes *changes, size_t *length) {
    *length = changes->length;
    return (const uint8_t *)changes->octets;
}

struct outcome {
    size_t refused;
    int error;
};

static bool is_deletion(const struct nlmsghdr *request) {
    return request->nlmsg_type == XFRM_MSG_DELSA || request->nlmsg_type == XFRM_MSG_DELPOLICY;
}

static void judge(void *context, size_t position, const struct nlmsghdr *request, int error) {
    struct outcome *outcome = context;
    bool absent = is_deletion(request) && (error == -ENOENT || error == -ESRCH);
    if (error < 0 && !absent && outcome->error == 0) {
        outcome->error = error;
        outcome->refused = position;
    }
}

int cnl_changes_send(int fd, struct cnl_changes *changes, size_t *refused) {
    struct outcome outcome = {.error = 0};
    int result = transport_send_all(fd, changes->octets, changes->length, judge, &outcome);
    changes->length = 0;
    if (refused != NULL)
        *refused = outcome.refused;
    return result < 0 ? result : outcome.error;
}

int changes_append(struct cnl_changes *changes, const struct nlmsghdr *request) {
    void *room = next(changes);
    if (room == NULL)
        return -ENOMEM;
    memcpy(room, request, request->nlmsg_len);
    return append(changes, request);
}

int changes_send_in_parts(int fd, struct cnl_changes *changes) {
    enum { part = 16384 };
    struct outcome outcome = {.error = 0};
    int result = 0;
    for (size_t begin = 0, end = 0; result == 0 && begin < changes->length; begin = end) {
        while (end < changes->length && end - begin < part)
            end += NLMSG_ALIGN(((const struct nlmsghdr *)(changes->octets + end))->nlmsg_len);
        result = transport_send_all(fd, changes->octets + begin, end - begin, judge, &outcome);
    }
    changes->length = 0;
    return result < 0 ? result : outcome.error;
}

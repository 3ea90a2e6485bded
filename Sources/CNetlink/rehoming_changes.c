#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/xfrm.h>
#include <stdlib.h>
#include <string.h>

#include "changes.h"
#include "policy_encode.h"
#include "state_encode.h"

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

void cnl_changes_clear(struct cnl_changes *changes) { changes->length = 0; }

// Where the next `octets` go; NULL if there is no memory.
static void *room_for(struct cnl_changes *changes, size_t octets) {
    if (changes->room - changes->length < octets) {
        size_t room = 2 * changes->room + 4096 + octets;
        char *more = realloc(changes->octets, room);
        if (more == NULL) return NULL;
        changes->octets = more;
        changes->room = room;
    }
    return changes->octets + changes->length;
}

static int added(struct cnl_changes *changes, const struct nlmsghdr *request) {
    changes->length += NLMSG_ALIGN(request->nlmsg_len);
    return 0;
}

int changes_append(struct cnl_changes *changes, struct nl_msg *message) {
    if (message == NULL) return -ENOMEM;
    const struct nlmsghdr *request = nlmsg_hdr(message);
    size_t length = NLMSG_ALIGN(request->nlmsg_len);
    char *room = room_for(changes, length);
    int result = room == NULL ? -ENOMEM : 0;
    if (result == 0) {
        memset(room + request->nlmsg_len, 0, length - request->nlmsg_len);
        memcpy(room, request, request->nlmsg_len);
        result = added(changes, request);
    }
    nlmsg_free(message);
    return result;
}

int cnl_changes_put_state(struct cnl_changes *changes, const struct cnl_state *state, bool replace) {
    void *room = room_for(changes, state_request_room);
    return room == NULL ? -ENOMEM
                        : added(changes, encode_state(room, state, replace ? XFRM_MSG_UPDSA : XFRM_MSG_NEWSA));
}

int cnl_changes_put_policy(struct cnl_changes *changes, const struct cnl_rehoming_policy *policy, bool replace) {
    return changes_append(changes, encode_policy(policy, 0, replace));
}

int cnl_changes_delete_state(struct cnl_changes *changes, const struct cnl_state *state) {
    void *room = room_for(changes, state_request_room);
    return room == NULL ? -ENOMEM : added(changes, encode_state_deletion(room, state));
}

int cnl_changes_delete_policy(struct cnl_changes *changes, const struct cnl_rehoming_policy *policy) {
    return changes_append(changes, encode_policy_deletion(policy, 0));
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

int changes_send(int fd, struct cnl_changes *changes, transport_judge judge, void *context) {
    size_t length = changes->length;
    changes->length = 0;
    return transport_send_all(fd, changes->octets, length, judge, context);
}

int cnl_changes_send(int fd, struct cnl_changes *changes, size_t *refused) {
    struct outcome outcome = {.error = 0};
    int result = changes_send(fd, changes, judge, &outcome);
    if (refused != NULL) *refused = outcome.refused;
    return result < 0 ? result : outcome.error;
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

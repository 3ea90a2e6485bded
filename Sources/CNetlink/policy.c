#include "include/cnl_policy.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/xfrm.h>

#include "changes.h"
#include "policy_decode.h"
#include "policy_encode.h"
#include "transport.h"

int cnl_policy_open(void) { return transport_open(NETLINK_XFRM); }

int cnl_policy_add(
    int fd, const struct cnl_address *source, const struct cnl_address *destination, uint32_t seconds,
    uint32_t priority, uint32_t rehoming) {
    struct cnl_rehoming_policy policy = pair_policy(source, destination, priority, rehoming);
    struct nl_msg *message = encode_policy(&policy, seconds, false);
    return transport_send(fd, message == NULL ? -1 : 0, message);
}

struct policy_batch {
    size_t first;  // number of its first wish
    cnl_policy_judge judge;
    void *context;
};

static void judge_batch(void *context, size_t position, const struct nlmsghdr *request, int error) {
    (void)request;
    const struct policy_batch *batch = context;
    if (error < 0) batch->judge(batch->context, batch->first + position, error);
}

int cnl_policy_add_all(
    int fd, const struct cnl_policy_wish *wishes, size_t count, uint32_t priority, uint32_t rehoming,
    cnl_policy_judge judge, void *context) {
    enum { batch_size = 128 };
    struct cnl_changes *changes = cnl_changes_create();
    int result = changes == NULL ? -ENOMEM : 0;
    for (size_t first = 0; first < count && result == 0; first += batch_size) {
        for (size_t i = first; i < count && i < first + batch_size && result == 0; i++) {
            const struct cnl_policy_wish *wish = &wishes[i];
            struct cnl_rehoming_policy policy = pair_policy(&wish->source, &wish->destination, priority, rehoming);
            result = changes_append(changes, encode_policy(&policy, wish->seconds, false));
        }
        struct policy_batch batch = {first, judge, context};
        if (result == 0) result = changes_send(fd, changes, judge_batch, &batch);
    }
    if (changes != NULL) cnl_changes_destroy(changes);
    return result;
}

static void keep(void *context, const struct cnl_policy *policy) { *(struct cnl_policy *)context = *policy; }

static int find(
    int fd, const struct cnl_address *source, const struct cnl_address *destination, struct cnl_policy *found) {
    struct cnl_rehoming_policy policy = pair_policy(source, destination, 0, 0);
    struct nl_msg *question = encode_policy_question(&policy);
    if (question == NULL) return -ENOMEM;
    struct policy_target target = {keep, found};
    int result = transport_get(fd, nlmsg_hdr(question), policy_decode, &target);
    nlmsg_free(question);
    return result;
}

// What was looked at is what goes.
static int delete_found(int fd, const struct cnl_policy *found) {
    struct cnl_rehoming_policy policy = pair_policy(&found->source.address, &found->destination.address, 0, 0);
    struct nl_msg *message = encode_policy_deletion(&policy, found->index);
    return transport_send(fd, message == NULL ? -1 : 0, message);
}

int cnl_policy_delete(
    int fd, const struct cnl_address *source, const struct cnl_address *destination, uint32_t priority) {
    struct cnl_policy found = {.index = 0};
    int result = find(fd, source, destination, &found);
    if (result < 0) return result;
    if (found.index == 0) return -ENOENT;
    return cnl_policy_is_ours(&found, priority) ? delete_found(fd, &found) : -EPERM;
}

bool cnl_policy_is_ours(const struct cnl_policy *policy, uint32_t priority) {
    return policy->sub && policy->direction == XFRM_POLICY_IN && policy->action == XFRM_POLICY_ALLOW &&
           policy->priority == priority && !policy->templates && !policy->narrowed && policy->source.length == 128 &&
           policy->destination.length == 128;
}

int cnl_policy_dump(int fd, cnl_policy_handler handler, void *context) {
    char room[64] __attribute__((aligned(NLMSG_ALIGNTO)));
    struct nlmsghdr *request = mnl_nlmsg_put_header(room);
    request->nlmsg_type = XFRM_MSG_GETPOLICY;
    struct policy_target target = {handler, context};
    return transport_dump(fd, request, policy_decode, &target);
}

struct flushing {
    int fd;
    uint32_t priority;
    int result;  // how many have gone, or why one could not
};

static void flush_one(void *context, const struct cnl_policy *policy) {
    struct flushing *flushing = context;
    if (flushing->result < 0 || !cnl_policy_is_ours(policy, flushing->priority)) return;
    int result = delete_found(flushing->fd, policy);
    if (result == 0) flushing->result++;
    else if (result != -ENOENT)  // it may have expired meanwhile
        flushing->result = result;
}

int cnl_policy_flush(int fd, uint32_t priority) {
    struct flushing flushing = {fd, priority, 0};
    int result = cnl_policy_dump(fd, flush_one, &flushing);
    return result < 0 ? result : flushing.result;
}

#define _GNU_SOURCE
#include "include/cnl_raw.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

// Behind <netinet/in.h>, since both define its types.
#include <linux/xfrm.h>

#include "octets.h"
#include "transport.h"

enum { hop_limit = 64 };

static int set_number(int fd, int level, int option, int value) {
    return setsockopt(fd, level, option, &value, sizeof(value)) < 0 ? -errno : 0;
}

static int set_buffer(int fd, int force_option, int option, int octets) {
    return set_number(fd, SOL_SOCKET, force_option, octets) == 0 ? 0 : set_number(fd, SOL_SOCKET, option, octets);
}

static int open_socket(uint8_t protocol) {
    int fd = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
    if (fd < 0) return -errno;
    // Else the kernel would write a checksum into payloads of some protocols. Of ICMPv6 it always does.
    int result = protocol == IPPROTO_ICMPV6 ? 0 : set_number(fd, IPPROTO_IPV6, IPV6_CHECKSUM, -1);
    if (result == 0) return fd;
    close(fd);
    return result;
}

static int filter_errors(int fd) {
    struct icmp6_filter filter;
    ICMP6_FILTER_SETBLOCKALL(&filter);
    ICMP6_FILTER_SETPASS(ICMP6_DST_UNREACH, &filter);
    ICMP6_FILTER_SETPASS(ICMP6_PACKET_TOO_BIG, &filter);
    ICMP6_FILTER_SETPASS(ICMP6_TIME_EXCEEDED, &filter);
    ICMP6_FILTER_SETPASS(ICMP6_PARAM_PROB, &filter);
    return setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof(filter)) < 0 ? -errno : 0;
}

// What is sent passes by all policies, also our own: the errors are for this host itself, not for a peer.
static int pass_by_policies(int fd) {
    struct xfrm_userpolicy_info policy = {
        .sel.family = AF_INET6,
        .lft =
            {
                .soft_byte_limit = XFRM_INF,
                .hard_byte_limit = XFRM_INF,
                .soft_packet_limit = XFRM_INF,
                .hard_packet_limit = XFRM_INF,
            },
        .dir = XFRM_POLICY_OUT,
        .action = XFRM_POLICY_ALLOW,
    };
    // What reads policies can be a module that is loaded when it is first asked for.
    int loader = transport_open(NETLINK_XFRM);
    if (loader >= 0) close(loader);
    if (setsockopt(fd, IPPROTO_IPV6, IPV6_XFRM_POLICY, &policy, sizeof(policy)) == 0) return 0;
    // A kernel without XFRM has no policies, and one in which nothing reads them gets none.
    return errno == ENOPROTOOPT || errno == EOPNOTSUPP || errno == EINVAL ? 0 : -errno;
}

int cnl_raw_open_heeding(uint8_t protocol) {
    int fd = open_socket(protocol);
    if (fd < 0) return fd;
    struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
    struct sock_fprog filter = {.len = 1, .filter = &nothing};
    int result = setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) < 0 ? -errno : 0;
    if (result == 0) result = set_number(fd, SOL_SOCKET, SO_RCVBUF, 0);
    // The errors themselves pile up unread, as far as the smallest buffer goes.
    if (result == 0) result = set_number(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
    if (result == 0) return fd;
    close(fd);
    return result;
}

int cnl_raw_open(uint8_t protocol, int receive_buffer) {
    int fd = open_socket(protocol);
    if (fd < 0) return fd;
    int result = protocol == IPPROTO_ICMPV6 ? filter_errors(fd) : 0;
    if (result == 0) result = set_number(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
    if (result == 0) result = set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, receive_buffer);
    if (result == 0) return fd;
    close(fd);
    return result;
}

int cnl_raw_open_sender(uint8_t protocol, int send_buffer) {
    int fd = open_socket(protocol);
    if (fd < 0) return fd;
    struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
    struct sock_fprog program = {.len = 1, .filter = &drop};
    int result = setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ? -errno : 0;
    if (result == 0) result = set_number(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, hop_limit);
    if (result == 0) result = set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, send_buffer);
    if (result == 0 && protocol == IPPROTO_ICMPV6) result = pass_by_policies(fd);
    if (result == 0) return fd;
    close(fd);
    return result;
}

int cnl_echo_open(uint16_t identifier) {
    int fd = open_socket(IPPROTO_ICMPV6);
    if (fd < 0) return fd;
    // Type, code, checksum, identifier. The filter sees what is behind the IPv6 header.
    struct sock_filter instructions[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ICMP6_ECHO_REPLY, 0, 3),
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 4), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, identifier, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX), BPF_STMT(BPF_RET | BPF_K, 0),
    };
    struct sock_fprog filter = {.len = sizeof(instructions) / sizeof(instructions[0]), .filter = instructions};
    int result = setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) < 0 ? -errno : 0;
    if (result == 0) result = set_number(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
    if (result == 0) return fd;
    close(fd);
    return result;
}

int cnl_raw_send(
    int fd, const uint8_t *octets, size_t length, const struct cnl_address *source,
    const struct cnl_address *destination, uint32_t interface) {
    // The interface in IPV6_PKTINFO is only a preference; a more specific route through another interface would win.
    int result = set_number(fd, SOL_SOCKET, SO_BINDTOIFINDEX, (int)interface);
    if (result < 0) return result;
    struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_addr = address_to_in6(destination)};
    to.sin6_scope_id = interface;
    struct iovec part = {.iov_base = (void *)octets, .iov_len = length};
    char control[CMSG_SPACE(sizeof(struct in6_pktinfo))] __attribute__((aligned(8))) = {0};
    struct msghdr header = {
        .msg_name = &to,
        .msg_namelen = sizeof(to),
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = control,
        .msg_controllen = sizeof(control),
    };
    struct cmsghdr *first = CMSG_FIRSTHDR(&header);
    first->cmsg_level = IPPROTO_IPV6;
    first->cmsg_type = IPV6_PKTINFO;
    first->cmsg_len = CMSG_LEN(sizeof(struct in6_pktinfo));
    struct in6_pktinfo info = {.ipi6_addr = address_to_in6(source), .ipi6_ifindex = interface};
    memcpy(CMSG_DATA(first), &info, sizeof(info));
    ssize_t sent;
    do sent = sendmsg(fd, &header, 0);
    while (sent < 0 && errno == EINTR);
    if (sent < 0)
        // Nothing else here can be invalid, and this is the kernel's word for a source that the host has not.
        result = errno == EINVAL ? -EADDRNOTAVAIL : -errno;
    // While it is not bound this socket takes packets from everywhere, only to drop them: so the kernel does not answer
    // Parameter Problem when the receiving socket is full.
    (void)set_number(fd, SOL_SOCKET, SO_BINDTOIFINDEX, 0);
    return result;
}

// What recvmmsg needs for one packet.
struct slot {
    struct iovec part;
    struct sockaddr_in6 source;
    char control[CMSG_SPACE(sizeof(struct in6_pktinfo))] __attribute__((aligned(8)));
};

struct cnl_batch {
    size_t count;
    size_t size;
    struct mmsghdr *headers;
    struct slot *slots;
    uint8_t *octets;
};

struct cnl_batch *cnl_batch_create(size_t count, size_t size) {
    if (count == 0 || size == 0) return NULL;
    struct cnl_batch *batch = calloc(1, sizeof(*batch));
    if (batch == NULL) return NULL;
    batch->count = count;
    batch->size = size;
    batch->headers = calloc(count, sizeof(*batch->headers));
    batch->slots = calloc(count, sizeof(*batch->slots));
    batch->octets = calloc(count, size);
    if (batch->headers != NULL && batch->slots != NULL && batch->octets != NULL) return batch;
    cnl_batch_destroy(batch);
    return NULL;
}

void cnl_batch_destroy(struct cnl_batch *batch) {
    free(batch->headers);
    free(batch->slots);
    free(batch->octets);
    free(batch);
}

int cnl_batch_receive(struct cnl_batch *batch, int fd) {
    for (size_t i = 0; i < batch->count; i++) {
        struct slot *slot = &batch->slots[i];
        slot->part = (struct iovec){.iov_base = batch->octets + i * batch->size, .iov_len = batch->size};
        batch->headers[i].msg_hdr = (struct msghdr){
            .msg_name = &slot->source,
            .msg_namelen = sizeof(slot->source),
            .msg_iov = &slot->part,
            .msg_iovlen = 1,
            .msg_control = slot->control,
            .msg_controllen = sizeof(slot->control),
        };
    }
    int received;
    do received = recvmmsg(fd, batch->headers, (unsigned)batch->count, MSG_DONTWAIT, NULL);
    while (received < 0 && errno == EINTR);
    return received < 0 ? -errno : received;
}

struct cnl_packet cnl_batch_packet(const struct cnl_batch *batch, size_t position) {
    struct msghdr *header = &batch->headers[position].msg_hdr;
    struct cnl_packet packet = {
        .octets = batch->octets + position * batch->size,
        .length = batch->headers[position].msg_len,
        .source = address_from_octets(&batch->slots[position].source.sin6_addr),
        .truncated = (header->msg_flags & MSG_TRUNC) != 0,
    };
    for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part != NULL; part = CMSG_NXTHDR(header, part)) {
        if (part->cmsg_level != IPPROTO_IPV6 || part->cmsg_type != IPV6_PKTINFO) continue;
        struct in6_pktinfo info;
        memcpy(&info, CMSG_DATA(part), sizeof(info));
        packet.destination = address_from_octets(&info.ipi6_addr);
        packet.interface = info.ipi6_ifindex;
    }
    return packet;
}

int cnl_packet_send(int fd, uint32_t interface, const uint8_t *octets, size_t length) {
    struct sockaddr_ll to = {
        .sll_family = AF_PACKET,
        .sll_protocol = htons(ETH_P_IPV6),
        .sll_ifindex = (int)interface,
        .sll_halen = ETH_ALEN};
    ssize_t sent = sendto(fd, octets, length, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof(to));
    return sent < 0 ? -errno : 0;
}

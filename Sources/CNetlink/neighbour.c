#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "include/cnl_route.h"
#include "octets.h"
#include "transport.h"

int cnl_neighbour_probe(int fd, uint32_t index, const struct cnl_address *address) {
    char room[128] __attribute__((aligned(NLMSG_ALIGNTO)));
    struct nlmsghdr *message = mnl_nlmsg_put_header(room);
    message->nlmsg_type = RTM_NEWNEIGH;
    message->nlmsg_flags = NLM_F_CREATE;
    struct ndmsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
    header->ndm_family = AF_INET6;
    header->ndm_ifindex = (int)index;
    header->ndm_flags = NTF_USE;
    struct in6_addr octets = address_to_in6(address);
    mnl_attr_put(message, NDA_DST, sizeof(octets), &octets);
    return transport_request(fd, message);
}

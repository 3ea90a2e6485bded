// Raw IPv6 sockets: packets in batches, source address and interface chosen for each packet sent.
#ifndef CNL_RAW_H
#define CNL_RAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cnl_address.h"

// Opens a nonblocking socket that receives every packet with next header `protocol` (58: only Destination Unreachable,
// Packet Too Big, Time Exceeded and Parameter Problem). `receive_buffer` in octets. Returns the file descriptor.
int cnl_raw_open(uint8_t protocol, int receive_buffer);
// Opens a socket that only sends, hop limit 64. It is bound to an interface for the time of each send, so receiving is
// for another; but what comes in meets a socket as long as this one is open, even if the receiving one is full. For
// protocol 58 the kernel fills in the checksum, and no XFRM policy counts. `send_buffer` in octets. Returns the file
// descriptor.
int cnl_raw_open_sender(uint8_t protocol, int send_buffer);

// Opens a socket that receives nothing and is only there so that the kernel heeds Packet Too Big about packets with
// next header `protocol`: without one it does not. Returns the file descriptor.
int cnl_raw_open_heeding(uint8_t protocol);

// Opens a nonblocking socket that sends ICMPv6 messages and receives Echo Replies with one identifier. While a packet
// is being sent by an interface, what comes in by others is missed. Returns the file descriptor.
int cnl_echo_open(uint16_t identifier);

// Sends one packet whose octets begin behind the IPv6 header. `interface` 0 leaves the choice to the routing table,
// else routes of no other interface are used. -EADDRNOTAVAIL: the host has not `source`. -EAGAIN: the buffer is full.
// -ENETUNREACH, -EHOSTUNREACH, -ENODEV, -ENETDOWN, -EMSGSIZE ... as the kernel has it.
int cnl_raw_send(
    int fd, const uint8_t *octets, size_t length, const struct cnl_address *source,
    const struct cnl_address *destination, uint32_t interface);

struct cnl_batch;

struct cnl_packet {
    const uint8_t *octets;  // behind the IPv6 header and its extension headers; valid until the next receive
    size_t length;
    struct cnl_address source;
    struct cnl_address destination;
    uint32_t interface;
    bool truncated;  // it was longer than the batch's `size`
};

// Room for `count` packets of at most `size` octets. NULL if there is no memory.
struct cnl_batch *cnl_batch_create(size_t count, size_t size);
void cnl_batch_destroy(struct cnl_batch *batch);
// Receives what is waiting, as much as there is room for. Returns the number of packets, -EAGAIN if there are none.
int cnl_batch_receive(struct cnl_batch *batch, int fd);
// `position` is below what cnl_batch_receive returned.
struct cnl_packet cnl_batch_packet(const struct cnl_batch *batch, size_t position);

// Sends a packet, from the IPv6 header on, by an interface, through an AF_PACKET socket of type SOCK_DGRAM. Returns 0
// or a negative errno value.
int cnl_packet_send(int fd, uint32_t interface, const uint8_t *octets, size_t length);

#endif

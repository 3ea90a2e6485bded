// Numbers of the protocols that the program meets, by the names of their registries. Those of Shim6 itself as well.
#ifndef SHIM6_BPF_PROTOCOL_NUMBERS_H
#define SHIM6_BPF_PROTOCOL_NUMBERS_H

/// Next Header (IANA, Assigned Internet Protocol Numbers).
enum next_header {
    HOP_BY_HOP = 0,
    TCP = 6,
    UDP = 17,
    DCCP = 33,
    ROUTING = 43,
    FRAGMENT = 44,
    ICMPV6 = 58,
    NO_NEXT_HEADER = 59,
    DESTINATION_OPTIONS = 60,
    SCTP = 132,
    SHIM6 = 140,
};

/// Types of ICMPv6 messages (RFC 4443, 2710, 4861, 2894, 3810), and a code.
enum icmpv6 {
    PARAMETER_PROBLEM = 4,
    /// Code of a Parameter Problem.
    UNRECOGNIZED_NEXT_HEADER = 1,
    LISTENER_QUERY = 130,
    REDIRECT = 137,
    LISTENER_REPORT_V2 = 143,
};

/// TCP flags (RFC 9293, section 3.1).
enum tcp_flag {
    TCP_SYN = 0x02,
    TCP_RST = 0x04,
};

/// Chunk types of SCTP (RFC 9260, section 3.2).
enum sctp_chunk {
    SCTP_INIT = 1,
    SCTP_INIT_ACK = 2,
    SCTP_ABORT = 6,
    SCTP_SHUTDOWN_COMPLETE = 14,
};

/// Packet types of DCCP (RFC 4340, section 5.1).
enum dccp_type {
    DCCP_REQUEST = 0,
    DCCP_RESPONSE = 1,
    DCCP_RESET = 7,
};

/// Routing headers and options (RFC 8200, section 4.2; RFC 6275, sections 6.3 and 6.4).
enum {
    /// Type of a Routing header.
    ROUTING_TYPE_2 = 2,
    PAD_N = 1,
    HOME_ADDRESS_OPTION = 201,
};

/// Shim6 (RFC 5533, sections 5.1 to 5.3 and 5.15).
enum shim6_number {
    /// P, in the first octet of the tag: payload. Also the first octet of a control message's type, where it is clear.
    PAYLOAD = 0x80,
    I1 = 1,
    /// Types of messages from here on carry the receiver's context tag.
    FIRST_WITH_TAG = 64,
    /// Type of an option.
    ULID_PAIR = 6,
};
/// The bit in front of a context tag: P, or reserved.
#define BEFORE_TAG (1ULL << 47)

/// Lengths of headers.
#define ETHERNET 14
#define IPV6_LENGTH 40
#define UDP_LENGTH 8
#define FRAGMENT_LENGTH 8
#define PAYLOAD_HEADER_LENGTH 8
#define HOME_HEADERS_LENGTH 48
#define JUMBO_LENGTH 8

/// Of the kernel: an address family, and of `__sk_buff.pkt_type` a frame for another host.
#define AF_INET6 10
#define PACKET_OTHERHOST 3

#endif

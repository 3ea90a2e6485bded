// rtnetlink: links, and the addresses, routes, rules and neighbours of IPv6.
#ifndef CNL_ROUTE_H
#define CNL_ROUTE_H

#include <stdbool.h>
#include <stdint.h>

#include "cnl_address.h"

#define CNL_NAME_SIZE 16

struct cnl_link {
    uint32_t index;
    uint32_t flags;         // IFF_...
    uint32_t mtu;           // octets
    uint32_t gso_max_size;  // octets
    uint32_t peer;          // index of the other end of a veth pair in this namespace, or 0
    uint16_t type;          // ARPHRD_...
    uint8_t operstate;      // RFC 2863 state: IF_OPER_...
    bool carrier;
    char name[CNL_NAME_SIZE];
    char kind[CNL_NAME_SIZE];  // "veth", "tun", ...; empty for hardware
};

// Both for what the kernel has and for what to add, replace or delete.
struct cnl_interface_address {
    struct cnl_address address;
    uint32_t index;
    uint32_t flags;      // IFA_F_...
    uint32_t preferred;  // seconds left, UINT32_MAX for ever
    uint32_t valid;      // seconds left, UINT32_MAX for ever
    uint8_t prefix_length;
    uint8_t scope;     // RT_SCOPE_...; not looked at when adding
    uint8_t protocol;  // IFA_PROTO: who made it; 0 if unknown
};

// One next hop of a route. A multipath route is several of these.
struct cnl_route {
    struct cnl_prefix destination;
    struct cnl_prefix source;  // "from"; length 0 for any
    struct cnl_address gateway;
    bool has_gateway;
    uint32_t index;  // outgoing interface, 0 if none
    uint32_t table;
    uint32_t metric;  // the kernel's default is 1024; 0 when adding takes it, 0 when deleting means any
    uint32_t mtu;     // octets, 0 if the route sets none
    uint32_t flags;   // RTNH_F_... of the next hop, RTM_F_... of the route
    uint8_t protocol;
    uint8_t type;  // RTN_...; 0 when adding means unicast
};

struct cnl_rule {
    struct cnl_prefix source;
    struct cnl_prefix destination;
    uint32_t priority;
    uint32_t table;
    uint32_t mark;
    uint32_t mark_mask;
    uint32_t target;  // priority of the rule that FR_ACT_GOTO goes on with
    bool inverted;    // for what is not selected
    uint8_t protocol;
    uint8_t action;             // FR_ACT_...; 0 when adding means FR_ACT_TO_TBL
    uint8_t ip_protocol;        // 0 for any
    bool suppresses;            // routes of no more than `suppressed_length` bits do not count
    uint8_t suppressed_length;  // bits
    bool has_other_selectors;   // of users, ports, traffic classes and so on; not looked at when adding
    char incoming[CNL_NAME_SIZE];
    char outgoing[CNL_NAME_SIZE];
};

struct cnl_neighbour {
    struct cnl_address address;
    uint32_t index;
    uint16_t state;  // NUD_...
    bool router;
};

// A prefix as a router has just advertised it (RFC 4861, section 4.6.2). There is no dump of these.
struct cnl_advertised_prefix {
    struct cnl_prefix prefix;
    uint32_t index;
    uint32_t preferred;  // seconds, UINT32_MAX for ever
    uint32_t valid;      // seconds, UINT32_MAX for ever
    bool autonomous;     // hosts may make addresses in it
};

// A row of the table for source address selection (RFC 6724, section 2.1).
struct cnl_label {
    struct cnl_prefix prefix;
    uint32_t label;
};

enum cnl_kind {
    CNL_LINK,
    CNL_ADDRESS,
    CNL_ROUTE,
    CNL_RULE,
    CNL_NEIGHBOUR,
    CNL_ADVERTISED_PREFIX,
    CNL_LABEL,
    CNL_FILTERS,  // only by the monitor
};

enum cnl_effect {
    CNL_PUT,       // the row is there: new, changed, or part of a dump
    CNL_REMOVED,   // it is gone
    CNL_REPLACED,  // it has taken the place of the route with its table, destination, source and metric
    CNL_UNCLEAR,   // it is one of several next hops of a route; which of them are there now is not told
};

// A row of a dump, or a change the monitor tells of.
struct cnl_change {
    enum cnl_kind kind;
    enum cnl_effect effect;
    union {
        struct cnl_link link;
        struct cnl_interface_address address;
        struct cnl_route route;
        struct cnl_rule rule;
        struct cnl_neighbour neighbour;
        struct cnl_advertised_prefix advertised_prefix;
        struct cnl_label label;
        uint32_t filtered;  // the interface on which a qdisc or filter is new, has changed or is gone
    };
};

typedef void (*cnl_change_handler)(void *context, const struct cnl_change *change);

// Opens a socket for requests. Returns the file descriptor.
int cnl_route_open(void);

// Hands every row of one kind to `handler`, which may use the socket for requests. -EINTR: the table changed each time
// that it was read, and nothing was handed over.
int cnl_dump(int fd, enum cnl_kind kind, cnl_change_handler handler, void *context);

// Opens a nonblocking socket that hears of every change of links, addresses, routes, rules, neighbours, qdiscs and
// filters, and of advertised prefixes. `receive_buffer` in octets. Returns the file descriptor.
int cnl_monitor_open(int receive_buffer);
// Hands over what is waiting. -ENOBUFS: changes were lost; everything that waited was thrown away, so that a dump made
// now is newer than any change read later.
int cnl_monitor_read(int fd, cnl_change_handler handler, void *context);

// -EEXIST if the interface has the address.
int cnl_address_add(int fd, const struct cnl_interface_address *address);
// Adds the address or gives it these flags and lifetimes.
int cnl_address_replace(int fd, const struct cnl_interface_address *address);
// -EADDRNOTAVAIL if the interface has it not.
int cnl_address_delete(int fd, const struct cnl_interface_address *address);

// Sets those of the IFF_... flags that `mask` names.
int cnl_link_set_flags(int fd, uint32_t index, uint32_t flags, uint32_t mask);
int cnl_link_set_mtu(int fd, uint32_t index, uint32_t mtu);
int cnl_link_set_gso_max_size(int fd, uint32_t index, uint32_t octets);
// No link-local address by itself (addrgenmode none).
int cnl_link_set_no_address_generation(int fd, uint32_t index);
// -EEXIST if either name is taken.
int cnl_veth_add(int fd, const char *name, const char *peer);
// -ENODEV if there is no such link.
int cnl_link_delete(int fd, uint32_t index);

// -EEXIST if there is a route with this table, destination, source and metric.
int cnl_route_add(int fd, const struct cnl_route *route);
// Adds the route or takes the place of the one with the same table, destination, source and metric.
int cnl_route_replace(int fd, const struct cnl_route *route);
// Deletes the route with these values only if its protocol is the given one; 0 leaves a value open. -ESRCH if none.
int cnl_route_delete(int fd, const struct cnl_route *route);

// The source address that the kernel takes for a new session with `destination` by this interface. Sends nothing.
// -EADDRNOTAVAIL if there is none; -ENETUNREACH and so on if no route leads there.
int cnl_route_source(int fd, uint32_t index, const struct cnl_address *destination, struct cnl_address *source);

// Where packets from `source` to `destination` go first when they leave by interface `index`: to the gateway, or to the
// destination itself. -EHOSTUNREACH if they do not leave by it; -ENETUNREACH and so on if no route leads there.
int cnl_route_next_hop(
    int fd, uint32_t index, const struct cnl_address *source, const struct cnl_address *destination,
    struct cnl_address *next_hop);

// -EEXIST if there is the same rule.
int cnl_rule_add(int fd, const struct cnl_rule *rule);
// -ENOENT if there is none with these values and this protocol.
int cnl_rule_delete(int fd, const struct cnl_rule *rule);

// Makes the kernel look for the neighbour's link-layer address as if there was a packet for it.
int cnl_neighbour_probe(int fd, uint32_t index, const struct cnl_address *address);

// -EEXIST if the prefix has a label.
int cnl_label_add(int fd, const struct cnl_label *label);
// -ESRCH if the prefix has no label. Deletes whatever label it has.
int cnl_label_delete(int fd, const struct cnl_label *label);

// Delete every row whose protocol is `protocol`, which must not be 0. Return how many there were.
int cnl_flush_addresses(int fd, uint8_t protocol);
int cnl_flush_routes(int fd, uint8_t protocol);
int cnl_flush_rules(int fd, uint8_t protocol);

#endif

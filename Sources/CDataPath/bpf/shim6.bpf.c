// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
//
// The data path of RFC 5533 for the tc hooks of a stock kernel. The folder `bpf` alone is under these two licences, at
// the choice of whoever uses it: the first goes with the Apache-2.0 of everything else here, the second lets the
// kernel offer its helpers that are for GPL programs only (bpf_check_mtu).
//
// THE WAYS OF PACKETS
//
// Hooks: both of every uplink, in two variants for links with and without an Ethernet header; both of shim0, the end of
// a veth pair that has routes, and ingress of shim0x, its other end (docs/decisions/shim0.md). [x] is a table that is
// looked up. "Passes" is TC_ACT_UNSPEC: the next filter decides, and then the stack.
//
// Out of the stack, on the uplink that its route names: uplink_out (outgoing.h)
//   no IPv6, headers cut short or too many, Shim6, a Routing header to go by, of the link,        passes
//     addresses that can be no locator
//   "I do not know next header 140" (is_denial)                                                   dropped
//   no context [pairs, flows]             counted for the trigger: count_out [candidates]         passes
//   context, not rehomed                  keep [kept_packets], stamp_out [activity]               passes
//   route of a rehomed pair, but the      to the uplink of the ULID [locators]
//     packet's flow is not rehomed
//   rehomed, one packet                   send_rehomed:
//     too big                             reported, dropped; or handed to the daemon to fragment
//     fits                                keep, stamp_out, rehome (payload_header.h)              passes, on its uplink
//                                         or rehome_with_home_address (home_address.h)            else to the right one
//   rehomed, a super-packet or right      to shim0, where its segments are made
//     behind one (takes_shim0x)
//
// Into shim0: super-packets from uplinks, and packets routed there while there is no uplink: shim0_out (outgoing.h)
//   rehomed                               send_rehomed as above, but a super-packet keeps the     passes to shim0x,
//                                         name Destination Options, behind which the kernel cuts    in segments
//   else, Shim6 too                       to the uplink of its source [locators]; none: reported, dropped
// Out of shim0x: shim0x_in (outgoing.h)
//   a segment                             gets the name Shim6, goes to the uplink of its source [locators, next_hops]
//
// In from a wire: uplink_in (incoming.h)
//   no IPv6, for another host, for a VLAN interface, of the link, addresses that can be no        passes
//     locator
//   Shim6 hidden from the limits (evades_limits)                                                  dropped
//   Shim6, P set: payload                 shim6_packet_in:
//     tag of a context [tags]             stamp_in [activity], restore (payload_header.h), merge  to shim0x
//     for another host                                                                            passes
//     unknown tag                         reported within a rate [limiters], dropped
//   Shim6, P clear: control message       control_in (admission.h):
//     tag of a context [tags]             within the rate of that tag [limiters]                  passes to the daemon
//     host with a session or a context    of that pair, then of all such                          passes to the daemon
//       [pairs, candidates, peer_locators]
//     stranger                            of its /48, then of all strangers                       passes to the daemon
//     beyond a rate, or no daemon         counted, dropped [control]
//   Routing and Home Address of a context home_address_in: stamp_in, restore_from_home_address    to shim0x
//   no context [pairs]                    counted for the trigger: count_in [candidates]          passes
//   context                               stamp_in                                                passes, or deliver
//   handed over by one of the next two    handed_over                                             passes
//
// What goes into shim0x comes out of shim0, merged with its neighbours (GRO): shim0_in (incoming.h, deliver.h)
//   restored                              into the ingress of the uplink by which the way back leaves,
//                                         or first of the ULID's own, where a socket may be bound [pairs, locators]
//
// FILES, each using only those further down
//
// outgoing.h, incoming.h      the ways above
// admission.h                 which control messages reach the daemon
// deliver.h                   handing packets to the stack, on the right interface
// payload_header.h            putting in and taking out the payload extension header
// home_address.h              the same in the form of RFC 6275
// kept_packets.h              the last packet of a flow, kept to be sent again
// stamps.h, trigger.h         what traffic leaves behind; which sessions are worth a context
// classify.h, parse.h         what a packet is; where its headers are
// events.h, rates.h           reports to the daemon; how often something may happen
// maps.h                      the tables; their types are in include/shim6_maps.h, where the daemon has them, too
// protocol_numbers.h          numbers of protocols
#include "incoming.h"
#include "outgoing.h"

char _license[] SEC("license") = "Dual BSD/GPL";

SEC("tc")
int shim6_out(struct __sk_buff *skb) { return uplink_out(skb, ETHERNET); }

SEC("tc")
int shim6_in(struct __sk_buff *skb) { return uplink_in(skb, ETHERNET); }

SEC("tc")
int shim6_out_l3(struct __sk_buff *skb) { return uplink_out(skb, 0); }

SEC("tc")
int shim6_in_l3(struct __sk_buff *skb) { return uplink_in(skb, 0); }

SEC("tc")
int shim6_steer(struct __sk_buff *skb) { return shim0_out(skb); }

SEC("tc")
int shim6_segment(struct __sk_buff *skb) { return shim0x_in(skb); }

SEC("tc")
int shim6_appear(struct __sk_buff *skb) { return shim0_in(skb); }

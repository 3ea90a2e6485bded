// Where everything lies that the kernel program and user space share. Both compile this, so neither can differ from it;
// a test holds what Swift sees against it.
#ifndef SHIM6_LAYOUT_H
#define SHIM6_LAYOUT_H

#define SHIM6_SIZE(type, octets) _Static_assert(sizeof(struct type) == (octets), "size of " #type)
#define SHIM6_AT(type, member, offset)                                                                                 \
    _Static_assert(__builtin_offsetof(struct type, member) == (offset), "place of " #member " in " #type)

SHIM6_SIZE(shim6_address, 16);
SHIM6_AT(shim6_address, octets, 0);

SHIM6_SIZE(shim6_pair, 32);
SHIM6_AT(shim6_pair, local, 0);
SHIM6_AT(shim6_pair, peer, 16);

SHIM6_SIZE(shim6_locator_pair, 32);
SHIM6_AT(shim6_locator_pair, source, 0);
SHIM6_AT(shim6_locator_pair, destination, 16);

SHIM6_SIZE(shim6_flow, 40);
SHIM6_AT(shim6_flow, ulids, 0);
SHIM6_AT(shim6_flow, local_port, 32);
SHIM6_AT(shim6_flow, peer_port, 34);
SHIM6_AT(shim6_flow, protocol, 36);
SHIM6_AT(shim6_flow, unused, 37);

SHIM6_SIZE(shim6_outbound, 88);
SHIM6_AT(shim6_outbound, source, 0);
SHIM6_AT(shim6_outbound, destination, 16);
SHIM6_AT(shim6_outbound, way_back, 32);
SHIM6_AT(shim6_outbound, local_tag, 48);
SHIM6_AT(shim6_outbound, peer_tag, 56);
SHIM6_AT(shim6_outbound, slot, 64);
SHIM6_AT(shim6_outbound, rehomed, 68);
SHIM6_AT(shim6_outbound, steered, 72);
SHIM6_AT(shim6_outbound, path_mtu, 76);
SHIM6_AT(shim6_outbound, forks, 80);
SHIM6_AT(shim6_outbound, only_forks, 84);

SHIM6_SIZE(shim6_inbound, 48);
SHIM6_AT(shim6_inbound, ulids, 0);
SHIM6_AT(shim6_inbound, slot, 32);
SHIM6_AT(shim6_inbound, mode, 36);
SHIM6_AT(shim6_inbound, home_address, 40);
SHIM6_AT(shim6_inbound, unused, 44);

SHIM6_SIZE(shim6_locator, 12);
SHIM6_AT(shim6_locator, ifindex, 0);
SHIM6_AT(shim6_locator, ethernet, 4);
SHIM6_AT(shim6_locator, unused, 5);
SHIM6_AT(shim6_locator, mac, 6);

SHIM6_SIZE(shim6_activity, 128);
SHIM6_AT(shim6_activity, last_in, 0);
SHIM6_AT(shim6_activity, last_out, 8);
SHIM6_AT(shim6_activity, send_start, 16);
SHIM6_AT(shim6_activity, keep_start, 24);
SHIM6_AT(shim6_activity, flags, 32);
SHIM6_AT(shim6_activity, spacing_in, 36);
SHIM6_AT(shim6_activity, incoming, 40);
SHIM6_AT(shim6_activity, incoming_version, 104);
SHIM6_AT(shim6_activity, last_super_packet, 112);
SHIM6_AT(shim6_activity, hinted, 120);

SHIM6_SIZE(shim6_kept_key, 16);
SHIM6_AT(shim6_kept_key, tag, 0);
SHIM6_AT(shim6_kept_key, flow, 8);
SHIM6_AT(shim6_kept_key, unused, 12);

SHIM6_SIZE(shim6_kept, 1624);
SHIM6_AT(shim6_kept, time, 0);
SHIM6_AT(shim6_kept, length, 8);
SHIM6_AT(shim6_kept, transport, 12);
SHIM6_AT(shim6_kept, writing, 16);
SHIM6_AT(shim6_kept, unused, 20);
SHIM6_AT(shim6_kept, octets, 24);

SHIM6_SIZE(shim6_rate, 16);
SHIM6_AT(shim6_rate, interval, 0);
SHIM6_AT(shim6_rate, burst, 8);

SHIM6_SIZE(shim6_crowd, 48);
SHIM6_AT(shim6_crowd, all, 0);
SHIM6_AT(shim6_crowd, site, 16);
SHIM6_AT(shim6_crowd, used, 32);
SHIM6_AT(shim6_crowd, unread, 40);
SHIM6_AT(shim6_crowd, most_unread, 44);

SHIM6_SIZE(shim6_control, 352);
SHIM6_AT(shim6_control, heartbeat, 0);
SHIM6_AT(shim6_control, heartbeat_limit, 8);
SHIM6_AT(shim6_control, trigger_octets, 16);
SHIM6_AT(shim6_control, trigger_age, 24);
SHIM6_AT(shim6_control, strangers_i1, 32);
SHIM6_AT(shim6_control, strangers, 80);
SHIM6_AT(shim6_control, named_i1, 128);
SHIM6_AT(shim6_control, acquainted, 176);
SHIM6_AT(shim6_control, pair, 224);
SHIM6_AT(shim6_control, tagged, 240);
SHIM6_AT(shim6_control, unknown_tag, 256);
SHIM6_AT(shim6_control, payload, 304);
SHIM6_AT(shim6_control, undeliverable, 320);
SHIM6_AT(shim6_control, shim0, 336);
SHIM6_AT(shim6_control, shim0x, 340);
SHIM6_AT(shim6_control, keeps_packets, 344);
SHIM6_AT(shim6_control, unused, 345);

SHIM6_SIZE(shim6_candidate, 48);
SHIM6_AT(shim6_candidate, since, 0);
SHIM6_AT(shim6_candidate, octets_in, 8);
SHIM6_AT(shim6_candidate, octets_out, 16);
SHIM6_AT(shim6_candidate, reported, 24);
SHIM6_AT(shim6_candidate, turns, 28);
SHIM6_AT(shim6_candidate, sending_since, 32);
SHIM6_AT(shim6_candidate, last_out, 40);

SHIM6_SIZE(shim6_peer_locator, 24);
SHIM6_AT(shim6_peer_locator, tag, 0);
SHIM6_AT(shim6_peer_locator, address, 8);

SHIM6_SIZE(shim6_limit_key, 40);
SHIM6_AT(shim6_limit_key, of, 0);
SHIM6_AT(shim6_limit_key, kind, 32);
SHIM6_AT(shim6_limit_key, unused, 36);

SHIM6_SIZE(shim6_event, 192);
SHIM6_AT(shim6_event, kind, 0);
SHIM6_AT(shim6_event, slot, 4);
SHIM6_AT(shim6_event, tag, 8);
SHIM6_AT(shim6_event, time, 16);
SHIM6_AT(shim6_event, source, 24);
SHIM6_AT(shim6_event, destination, 40);
SHIM6_AT(shim6_event, mtu, 56);
SHIM6_AT(shim6_event, quoted, 60);
SHIM6_AT(shim6_event, quote, 64);

SHIM6_SIZE(shim6_whole_packet, 2240);
SHIM6_AT(shim6_whole_packet, event, 0);
SHIM6_AT(shim6_whole_packet, octets, 192);

#endif

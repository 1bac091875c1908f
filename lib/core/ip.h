/*
 * Parses an IP packet, IPv4 (RFC 791) or IPv6 (RFC 8200), down to the TCP segment or the ICMP error
 * in it. The bytes come from outside and are never trusted: every read is bounds-checked
 * (cursor.h).
 */
#ifndef TCPWAVE_CORE_IP_H
#define TCPWAVE_CORE_IP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/core/flow.h"
#include "lib/core/icmp.h"
#include "lib/core/seg.h"

#define IPV4_HEADER 20u /* bytes, without options (RFC 791, 3.1) */
#define IPV6_HEADER 40u /* RFC 8200, section 3 */

/* What a packet carries. */
enum packet_kind { PACKET_TCP, PACKET_ICMP };

/* A decoded packet. */
struct packet {
    enum packet_kind kind;
    struct flow flow; /* as the sender sees it: local is the source address */
    uint8_t ttl;      /* or hop limit */
    uint8_t tos;      /* or traffic class; its two low bits are seg.ecn too */
    bool df;          /* IPv4's don't-fragment bit; true for IPv6, which routers never fragment */
    uint16_t id;      /* IPv4's identification, 0 for IPv6 */
    uint32_t flow_label; /* IPv6's, 0 for IPv4 */
    uint32_t length;     /* of the IP packet, in bytes, headers included */
    struct seg seg;      /* PACKET_TCP */
    const uint8_t *l4;   /* PACKET_TCP: the bytes of TCP header and data, for checksum and dump */
    uint32_t l4_len;
    struct icmp icmp; /* PACKET_ICMP; its `from` is the source of this packet */
};

/*
 * Decodes one IP packet, of which `caplen` bytes are present. IP options and IPv6 extension headers
 * are skipped. A length field of 0 (a super-segment from segmentation offload) means "to the end of
 * the capture". Bytes beyond the IP length (Ethernet padding) are cut off. Returns 0; WAVE_ETRUNC
 * when the capture ends before the packet does; WAVE_EMALFORMED when lengths contradict each other;
 * WAVE_ENOTOURS for another protocol, for a fragment that is not the whole packet, and for an ICMP
 * message that is not an error about a TCP segment.
 */
int ip_parse(const uint8_t *bytes, size_t caplen, struct packet *out);

#endif

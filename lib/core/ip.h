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
#define IPV4_CHECKSUM_AT 10

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

/* Does the same for a packet that the capture may have cut short behind its headers (a snap
 * length). The lengths are those of the IP header, so that sequence numbers add up; `l4_len` counts
 * what is there, and the segment's `data` is NULL where some of it is missing. Returns WAVE_ETRUNC
 * when the fixed TCP header is not there as a whole. */
int ip_parse_cut(const uint8_t *bytes, size_t caplen, struct packet *out);

/* What an IP packet carries, behind its options and extension headers. */
struct ip_payload {
    uint8_t protocol;
    bool v6;
    bool fragment; /* it is only a part of the packet */
    const uint8_t *at;
    size_t there, length; /* bytes that are present, and that were sent */
};

/* Reads the headers of a packet of which `caplen` bytes are present. Returns what ip_parse() does,
 * without a look at the payload. */
int ip_payload(const uint8_t *bytes, size_t caplen, struct ip_payload *out);

#endif

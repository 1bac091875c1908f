/*
 * Forging: a segment of which every field is told, right or wrong, and the IP packet or fragments
 * that carry it. libnet builds it; what libnet will not forge is altered in the bytes afterwards.
 * Needs no privilege: wire_queue() takes the bytes.
 */
#ifndef TCPWAVE_WIRE_CRAFTED_H
#define TCPWAVE_WIRE_CRAFTED_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/err.h"
#include "lib/core/flow.h"
#include "lib/core/opt.h"

enum crafted_checksum {
    CRAFTED_RIGHT,
    CRAFTED_WRONG, /* one bit off */
    CRAFTED_GIVEN  /* `checksum`, be it right or wrong */
};

/* Numbers in host order. RFC 9293, 3.1; RFC 9768, 3.1 for AE; RFC 791, 3.1; RFC 8200, section 3. */
struct crafted_segment {
    struct flow flow; /* local is the sender */
    uint32_t seq, ack;
    uint16_t flags; /* SEG_..., nine of them; the ack field is sent with and without SEG_ACK */
    uint16_t wnd, urp;
    uint8_t reserved; /* the three bits between data offset and AE */
    bool has_offset;  /* `offset` instead of the header's true length */
    uint8_t offset;   /* data offset in words of four bytes, 0 to 15 */
    enum crafted_checksum checksum_how;
    uint16_t checksum;
    uint8_t options_len; /* padded with zeros (end of list) to a multiple of four */
    uint8_t options[OPT_BYTES_MAX];
    const uint8_t *data;
    uint32_t len;

    uint8_t ttl, tos;    /* or hop limit and traffic class, all eight bits */
    bool df;             /* IPv4 */
    uint32_t id;         /* IPv4: 16 bits; IPv6: of the fragment headers, if any */
    uint32_t flow_label; /* IPv6: 20 bits */
    uint32_t fragment;   /* bytes of TCP in each fragment, a multiple of 8; 0: not fragmented */
};

/* The most data that a segment can carry with these options, in bytes: what the 16 bits of IP's
 * length leave. */
uint32_t crafted_room(bool v6, uint8_t options_len);

struct crafted;

/* It builds one packet after the other. WAVE_ENOMEM with *d filled in. */
int crafted_open(struct crafted **out, struct diag *d);

/* NULL is taken. */
void crafted_close(struct crafted *f);

/*
 * Builds the packet: 0; WAVE_EINVAL with *d filled in when a field is beyond its bits, `fragment`
 * is no multiple of 8 or the data exceeds crafted_room(); WAVE_ENOMEM; WAVE_ESYS when libnet
 * refuses.
 */
int crafted_build(struct crafted *f, const struct crafted_segment *what, struct diag *d);

/*
 * The packet with other numbers, and its checksums moved along (RFC 1624): what was right or wrong
 * stays so, what was given stays as it is. Of `id` as many bits are taken as struct crafted_segment
 * has.
 */
void crafted_renumber(struct crafted *f, uint16_t lport, uint32_t seq, uint32_t id);

/* The whole packet, as it would be without fragments: valid until the next crafted_build() or
 * crafted_renumber(). */
const uint8_t *crafted_packet(const struct crafted *f, uint32_t *len);

/* How many IP packets carry it: 1, or the number of fragments. */
uint32_t crafted_fragments(const struct crafted *f);

/* IP packet number `i`, from 0, of crafted_fragments(): valid until the next call of either. */
const uint8_t *crafted_fragment(struct crafted *f, uint32_t i, uint32_t *len);

#endif

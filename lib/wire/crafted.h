/*
 * Crafted segments: every field of the segment is given, right or wrong, together with the IP
 * packet or the fragments that carry it. libnet builds the packet; what libnet does not build is
 * then changed in its bytes. No privilege is needed here, since wire_queue() takes the bytes.
 */
#ifndef TCPWAVE_WIRE_CRAFTED_H
#define TCPWAVE_WIRE_CRAFTED_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/err.h"
#include "lib/core/flow.h"
#include "lib/core/opt.h"

/* Says which TCP checksum the segment gets. */
enum crafted_checksum {
    CRAFTED_RIGHT,
    CRAFTED_WRONG, /* one bit is wrong */
    CRAFTED_GIVEN  /* `checksum`, right or wrong */
};

/* Describes a segment and its IP header. Numbers are in host order. RFC 9293, 3.1; RFC 9768, 3.1
 * for AE; RFC 791, 3.1; RFC 8200, section 3. */
struct crafted_segment {
    struct flow flow; /* `local` is the sender */
    uint32_t seq, ack;
    uint16_t flags; /* SEG_..., nine of them; the ack field is sent with and without SEG_ACK */
    uint16_t wnd, urp;
    uint8_t reserved; /* the three bits between data offset and AE */
    bool has_offset;  /* use `offset` instead of the true length of the header */
    uint8_t offset;   /* data offset in words of four bytes, 0 to 15 */
    enum crafted_checksum checksum_how;
    uint16_t checksum;
    uint8_t options_len; /* padded with zeros (end of list) to a multiple of four */
    uint8_t options[OPT_BYTES_MAX];
    const uint8_t *data;
    uint32_t len;

    uint8_t ttl, tos;    /* IPv6: hop limit and traffic class; all eight bits */
    bool df;             /* IPv4 */
    uint32_t id;         /* IPv4: 16 bits; IPv6: for the fragment headers, if any */
    uint32_t flow_label; /* IPv6: 20 bits */
    uint32_t fragment;   /* bytes of TCP in each fragment, a multiple of 8; 0: not fragmented */
};

/* Returns the most data, in bytes, that a segment with these options can carry. The limit is the 16
 * bits of IP's length field. */
uint32_t crafted_room(bool v6, uint8_t options_len);

/* Builds one packet after the other, and keeps the last one. */
struct crafted;

/* Creates one. Returns 0, or WAVE_ENOMEM with *d filled in. */
int crafted_open(struct crafted **out, struct diag *d);

/* Frees it and its packet; `f` may be NULL. */
void crafted_close(struct crafted *f);

/*
 * Builds the packet. Returns 0, or with *d filled in: WAVE_EINVAL when a value does not fit into
 * its field, `fragment` is no multiple of 8, or the data exceeds crafted_room(); WAVE_ENOMEM;
 * WAVE_ESYS when libnet cannot build it.
 */
int crafted_build(struct crafted *f, const struct crafted_segment *what, struct diag *d);

/*
 * Changes port, sequence number and identification of the packet, and corrects its checksums
 * accordingly (RFC 1624): a right one stays right, a wrong one stays wrong, and a given one stays
 * as it is. Of `id` only the bits that struct crafted_segment allows are used.
 */
void crafted_renumber(struct crafted *f, uint16_t lport, uint32_t seq, uint32_t id);

/* Returns the whole packet, as it would be without fragmentation. It is valid until the next
 * crafted_build() or crafted_renumber(). */
const uint8_t *crafted_packet(const struct crafted *f, uint32_t *len);

/* Returns how many IP packets carry it: 1, or the number of fragments. */
uint32_t crafted_fragments(const struct crafted *f);

/* Returns IP packet number `i` of crafted_fragments(), from 0. It is valid until the next call of
 * this function or of crafted_build(). */
const uint8_t *crafted_fragment(struct crafted *f, uint32_t i, uint32_t *len);

#endif

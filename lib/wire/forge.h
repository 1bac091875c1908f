/*
 * Forging: a segment of which every field is told, right or wrong, and the IP packet or fragments
 * that carry it. libnet builds it; what libnet will not forge is altered in the bytes afterwards.
 * Needs no privilege: wire_queue() takes the bytes.
 */
#ifndef TCPWAVE_WIRE_FORGE_H
#define TCPWAVE_WIRE_FORGE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/err.h"
#include "lib/core/flow.h"
#include "lib/core/opt.h"

enum forge_checksum {
    FORGE_RIGHT,
    FORGE_WRONG, /* one bit off */
    FORGE_GIVEN  /* `checksum`, be it right or wrong */
};

/* Numbers in host order. RFC 9293, 3.1; RFC 9768, 3.1 for AE; RFC 791, 3.1; RFC 8200, section 3. */
struct forge {
    struct flow flow; /* local is the sender */
    uint32_t seq, ack;
    uint16_t flags; /* SEG_..., nine of them; the ack field is sent with and without SEG_ACK */
    uint16_t wnd, urp;
    uint8_t reserved; /* the three bits between data offset and AE */
    bool has_offset;  /* `offset` instead of the header's true length */
    uint8_t offset;   /* data offset in words of four bytes, 0 to 15 */
    enum forge_checksum checksum_how;
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
uint32_t forge_room(bool v6, uint8_t options_len);

struct forger;

/* One forger builds one packet after the other. WAVE_ENOMEM with *d filled in. */
int forger_open(struct forger **out, struct diag *d);

/* NULL is taken. */
void forger_close(struct forger *f);

/*
 * Builds the packet: 0; WAVE_EINVAL with *d filled in when a field is beyond its bits, `fragment`
 * is no multiple of 8 or the data exceeds forge_room(); WAVE_ENOMEM; WAVE_ESYS when libnet refuses.
 */
int forger_build(struct forger *f, const struct forge *what, struct diag *d);

/*
 * The packet with other numbers, and its checksums moved along (RFC 1624): what was right or wrong
 * stays so, what was given stays as it is. Of `id` as many bits are taken as struct forge has.
 */
void forger_renumber(struct forger *f, uint16_t lport, uint32_t seq, uint32_t id);

/* The whole packet, as it would be without fragments: valid until the next forger_build() or
 * forger_renumber(). */
const uint8_t *forger_packet(const struct forger *f, uint32_t *len);

/* How many IP packets carry it: 1, or the number of fragments. */
uint32_t forger_pieces(const struct forger *f);

/* IP packet number `i`, from 0, of forger_pieces(): valid until the next call of either. */
const uint8_t *forger_piece(struct forger *f, uint32_t i, uint32_t *len);

#endif

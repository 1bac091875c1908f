/*
 * The headers of a segment that libnet has built, to be written again with other numbers: most
 * segments of a transfer differ in nothing else. Pure.
 */
#ifndef TCPWAVE_WIRE_STENCIL_H
#define TCPWAVE_WIRE_STENCIL_H

#include "lib/wire/wire.h"

#define STENCIL_MAX 72 /* bytes: IPv6, TCP, timestamps */

struct stencil {
    uint8_t bytes[STENCIL_MAX];
    uint8_t len;       /* 0: nothing was built yet */
    struct wire_ip ip; /* what it was built with; `tos` and `id` are patched */
};

/* Whether the segment can come from a stencil at all: no flag beside ACK, FIN, RST, PSH, ECE and
 * CWR, nothing in the reserved bits and the urgent pointer, and no option but timestamps. */
bool stencil_fits(const struct seg *s);

/* Whether *t, made from such a segment with or without timestamps as this one, holds for `ip`. */
bool stencil_holds(const struct stencil *t, const struct wire_ip *ip);

/* Keeps the headers of the packet at `bytes`, which carries `s` without data over IPv6 or not. */
void stencil_keep(struct stencil *t, const uint8_t *bytes, size_t len, const struct wire_ip *ip);

/* Writes the packet that carries `s` over `flow`, with this traffic class (ECN bits included) and
 * IPv4 identification, to `out`. */
void stencil_write(const struct stencil *t, const struct flow *flow, const struct seg *s,
                   uint8_t tos, uint16_t id, uint8_t *out);

#endif

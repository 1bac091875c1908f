/*
 * The headers of a segment that libnet has built, to be written again with other numbers: most
 * segments of a transfer differ in nothing else, and so do most SYNs. Pure.
 */
#ifndef TCPWAVE_WIRE_TEMPLATE_H
#define TCPWAVE_WIRE_TEMPLATE_H

#include "lib/wire/wire.h"

#define TEMPLATE_MAX 80 /* bytes: IPv6, TCP, the options of a SYN */

struct template
{
    uint8_t bytes[TEMPLATE_MAX];
    uint8_t len;         /* 0: nothing was built yet */
    uint8_t has, wscale; /* what it was built with: OPT_..., and the values that are not patched */
    uint16_t mss;
    struct wire_ip ip; /* likewise; `tos`, `ttl` and `id` are patched */
};

/* Whether the segment can come from a template at all: nothing in the reserved bits and the urgent
 * pointer, no flag of theirs, and no options but timestamps, MSS, window scale and
 * SACK-permitted. */
bool template_fits(const struct seg *s);

/* Whether *t holds for such a segment, and for `ip`. */
bool template_matches(const struct template *t, const struct seg *s, const struct wire_ip *ip);

/* Keeps the headers of the packet of `len` bytes that carries `s`, which has no data. */
void template_store(struct template *t, const struct seg *s, const uint8_t *bytes, size_t len,
                    const struct wire_ip *ip);

/* Writes the packet that carries `s` over `flow`, with this traffic class (ECN bits included), hop
 * limit and IPv4 identification, to `out`; all but TCP's checksum, which is 0. The data may stand
 * there already. */
void template_write(const struct template *t, const struct flow *flow, const struct seg *s,
                    uint8_t tos, uint8_t ttl, uint16_t id, uint8_t *out);

/* Puts the TCP checksum into the packet of `len` bytes that template_write() has written to `ip`.
 */
void template_checksum(uint8_t *ip, size_t len);

#endif

/*
 * The headers of a segment that libnet has built, stored so that they can be written with other
 * numbers. Most segments of a transfer differ in nothing else, and neither do most SYNs. This file
 * is pure: it makes no system call.
 */
#ifndef TCPWAVE_WIRE_TEMPLATE_H
#define TCPWAVE_WIRE_TEMPLATE_H

#include "lib/wire/wire.h"

#define TEMPLATE_MAX 80 /* bytes: IPv6, TCP, and the options of a SYN */

/* Holds headers, and what they were built for. All zero is an empty template. */
struct template
{
    uint8_t bytes[TEMPLATE_MAX];
    uint8_t len;         /* 0: nothing is stored yet */
    uint8_t has, wscale; /* OPT_... that it was built with; their values that are not patched */
    uint16_t mss;
    struct wire_ip ip; /* the same for IP; `tos`, `ttl` and `id` are patched */
};

/* Returns whether the segment can come from a template at all: its reserved bits and urgent pointer
 * are zero, it has none of the flags that go with those (AE, URG), and no options but timestamps,
 * MSS, window scale and SACK-permitted. */
bool template_fits(const struct seg *s);

/* Returns whether *t can be used for such a segment and for `ip`. */
bool template_matches(const struct template *t, const struct seg *s, const struct wire_ip *ip);

/* Stores the headers of the packet of `len` bytes that carries `s`; `s` has no data. */
void template_store(struct template *t, const struct seg *s, const uint8_t *bytes, size_t len,
                    const struct wire_ip *ip);

/* Writes the packet that carries `s` over `flow` to `out`, with this traffic class (ECN bits
 * included), hop limit and IPv4 identification. The checksums of TCP and IPv4 are left 0. The
 * data may already be in its place. */
void template_write(const struct template *t, const struct flow *flow, const struct seg *s,
                    uint8_t tos, uint8_t ttl, uint16_t id, uint8_t *out);

/* Fills in the checksums of TCP and IPv4 in the packet of `len` bytes that template_write() has
 * written to `ip`. */
void template_checksum(uint8_t *ip, size_t len);

#endif

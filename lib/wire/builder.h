/*
 * Crafting, through libnet: its builders make every header, and its raw socket is what tx_queue.h
 * sends through, where the kernel routes. What differs only in numbers from a segment that libnet
 * has built before is a copy of that one, patched (template.h).
 */
#ifndef TCPWAVE_WIRE_BUILDER_H
#define TCPWAVE_WIRE_BUILDER_H

#include "lib/wire/wire.h"

struct builder;

struct builder_config {
    bool v6;
    const char *device;        /* the socket keeps to it; NULL: the kernel's choice */
    const struct addr *source; /* what is sent comes from there alone, and is routed so; or NULL */
    uint32_t scope;            /* interface index of a link-local source, else 0 */
    bool no_socket;            /* for tests: builds only, and needs no privilege */
};

/*
 * Opens a raw socket of one family. A link-local destination needs the device, since libnet has
 * no other way to name its interface. WAVE_EPERM (says how to get the privilege), WAVE_ENOROUTE
 * (the source is not ours), WAVE_ENOMEM, WAVE_ESYS.
 */
int builder_open(struct builder **out, const struct builder_config *config, struct diag *d);

/* NULL is taken. */
void builder_close(struct builder *c);

/* libnet's descriptor, or -1 with no_socket. */
int builder_fd(const struct builder *c);

/* Bytes of the IP packet that carries the segment; more than 65535 when there is none. */
size_t builder_size(const struct builder *c, const struct seg *s);

/* Writes that packet, which has to be possible, to `bytes`. `ip` may be NULL. Returns 0, or
 * WAVE_ESYS with *d filled in. */
int builder_build(struct builder *c, const struct flow *flow, const struct seg *s,
                  const struct wire_ip *ip, uint8_t *bytes, struct diag *d);

/* The same, but where *unsummed comes out as true TCP's checksum is 0, and template_checksum()
 * fills it in: segments that are joined need none of their own. */
int builder_build_no_checksum(struct builder *c, const struct flow *flow, const struct seg *s,
                              const struct wire_ip *ip, uint8_t *bytes, bool *no_checksum,
                              struct diag *d);

/* The same without any patching, for tests: every byte of it is libnet's. */
int builder_build_unpatched(struct builder *c, const struct flow *flow, const struct seg *s,
                            const struct wire_ip *ip, uint8_t *bytes, struct diag *d);

/* What became of a packet of `flow` for which the kernel gave `error`, an errno: WAVE_EAGAIN, or as
 * wire_flush() has it, with *d filled in. */
int builder_send_error(const struct builder *c, const struct flow *flow, int error, struct diag *d);

#endif

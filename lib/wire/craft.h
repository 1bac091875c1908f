/*
 * Crafting, through libnet: its builders make every header, and its raw socket is what batch.h
 * sends through, where the kernel routes. What differs only in numbers from a segment that libnet
 * has built before is a copy of that one, patched (stencil.h).
 */
#ifndef TCPWAVE_WIRE_CRAFT_H
#define TCPWAVE_WIRE_CRAFT_H

#include "lib/wire/wire.h"

struct craft;

struct craft_config {
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
int craft_open(struct craft **out, const struct craft_config *config, struct diag *d);

/* NULL is taken. */
void craft_close(struct craft *c);

/* libnet's descriptor, or -1 with no_socket. */
int craft_fd(const struct craft *c);

/* Bytes of the IP packet that carries the segment; more than 65535 when there is none. */
size_t craft_size(const struct craft *c, const struct seg *s);

/* Writes that packet, which has to be possible, to `bytes`. `ip` may be NULL. Returns 0, or
 * WAVE_ESYS with *d filled in. */
int craft_build(struct craft *c, const struct flow *flow, const struct seg *s,
                const struct wire_ip *ip, uint8_t *bytes, struct diag *d);

/* The same, but where *unsummed comes out as true TCP's checksum is 0, and stencil_sum() fills it
 * in: segments that are joined need none of their own. */
int craft_build_unsummed(struct craft *c, const struct flow *flow, const struct seg *s,
                         const struct wire_ip *ip, uint8_t *bytes, bool *unsummed, struct diag *d);

/* The same without any patching, for tests: every byte of it is libnet's. */
int craft_build_anew(struct craft *c, const struct flow *flow, const struct seg *s,
                     const struct wire_ip *ip, uint8_t *bytes, struct diag *d);

/* What became of a packet of `flow` for which the kernel gave `error`, an errno: WAVE_EAGAIN, or as
 * wire_flush() has it, with *d filled in. */
int craft_refused(const struct craft *c, const struct flow *flow, int error, struct diag *d);

#endif

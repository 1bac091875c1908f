/*
 * Builds segments as IP packets through libnet, which makes every header. tx_queue.h sends them
 * through libnet's raw socket where the kernel routes. A segment that differs only in numbers from
 * one that libnet has built before is a patched copy of that one (template.h).
 */
#ifndef TCPWAVE_WIRE_BUILDER_H
#define TCPWAVE_WIRE_BUILDER_H

#include "lib/wire/wire.h"

struct builder;

/* Says what to open. */
struct builder_config {
    bool v6;
    const char *device;        /* the socket sends through it only; NULL: the kernel's choice */
    const struct addr *source; /* the socket sends from it only, and packets are routed so; NULL:
                                  any */
    uint32_t scope;            /* interface index of a link-local source, else 0 */
    bool no_socket;            /* for tests: it only builds, and needs no privilege */
};

/*
 * Opens a raw socket for one family. A link-local destination needs the device, since libnet cannot
 * name the interface in another way. Returns 0, or with *d filled in: WAVE_EPERM (*d says how to
 * get the privilege); WAVE_ENOROUTE (the source is not an address of this host); WAVE_ENOMEM;
 * WAVE_ESYS.
 */
int builder_open(struct builder **out, const struct builder_config *config, struct diag *d);

/* Closes the socket and frees the builder; `c` may be NULL. */
void builder_close(struct builder *c);

/* Returns the descriptor of the raw socket, or -1 with no_socket. */
int builder_fd(const struct builder *c);

/* Returns the bytes of the IP packet that carries the segment. More than 65535: there is no such
 * packet. */
size_t builder_size(const struct builder *c, const struct seg *s);

/* Writes that packet to `bytes`, which has builder_size() bytes of room; the packet has to be
 * possible. `ip` may be NULL. Returns 0, or WAVE_ESYS with *d filled in. */
int builder_build(struct builder *c, const struct flow *flow, const struct seg *s,
                  const struct wire_ip *ip, uint8_t *bytes, struct diag *d);

/* Writes the same packet, but may leave the checksums of TCP and IPv4 out. Where *no_checksum comes
 * out as true, the fields are 0, and template_checksum() fills them in. Segments that are sent as
 * one (gso.h) need no checksums of their own. A train (seg.train) becomes one packet with the
 * header of its first segment and all of the data. */
int builder_build_no_checksum(struct builder *c, const struct flow *flow, const struct seg *s,
                              const struct wire_ip *ip, uint8_t *bytes, bool *no_checksum,
                              struct diag *d);

/* Writes the same packet without any template, for tests: libnet made every byte of it. */
int builder_build_unpatched(struct builder *c, const struct flow *flow, const struct seg *s,
                            const struct wire_ip *ip, uint8_t *bytes, struct diag *d);

/* Returns what has become of a packet of `flow` for which the kernel returned `error`, an errno:
 * WAVE_EAGAIN, or an error of wire_flush() with *d filled in. */
int builder_send_error(const struct builder *c, const struct flow *flow, int error, struct diag *d);

#endif

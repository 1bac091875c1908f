/*
 * Crafting and sending, through libnet: its builders make every header, its raw socket carries
 * them, and the kernel routes.
 */
#ifndef TCPWAVE_WIRE_CRAFT_H
#define TCPWAVE_WIRE_CRAFT_H

#include "lib/wire/wire.h"

struct craft;

struct craft_config {
    bool v6;
    const char *device;        /* the socket keeps to it; NULL: the kernel's choice */
    const struct addr *source; /* where what is sent comes from, if that is known; or NULL */
    uint32_t scope;            /* interface index of a link-local source, else 0 */
};

/*
 * Opens a raw socket of one family. A link-local destination needs the device, since libnet has
 * no other way to name its interface. WAVE_EPERM (says how to get the privilege), WAVE_ENOROUTE
 * (the source is not ours), WAVE_ENOMEM, WAVE_ESYS.
 */
int craft_open(struct craft **out, const struct craft_config *config, struct diag *d);

/* NULL is taken. */
void craft_close(struct craft *c);

/* As wire_write(). */
int craft_write(struct craft *c, const struct addr *to, const uint8_t *ip, uint32_t len,
                struct diag *d);

/* As wire_send(). */
int craft_send(struct craft *c, const struct flow *flow, const struct seg *s,
               const struct wire_ip *ip, struct diag *d);

#endif

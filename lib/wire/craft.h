/*
 * Crafting and sending, through libnet: its builders make every header, its raw socket carries
 * them, and the kernel routes.
 */
#ifndef TCPWAVE_WIRE_CRAFT_H
#define TCPWAVE_WIRE_CRAFT_H

#include "lib/wire/wire.h"

struct craft;

/*
 * Opens a raw socket of one family, bound to `device` unless that is NULL (which a link-local
 * destination needs, since it has no other way to name its interface). WAVE_EPERM (says how to get
 * the privilege), WAVE_ENOMEM, WAVE_ESYS.
 */
int craft_open(struct craft **out, bool v6, const char *device, struct diag *d);

/* NULL is taken. */
void craft_close(struct craft *c);

/* As wire_send(). */
int craft_send(struct craft *c, const struct flow *flow, const struct seg *s,
               const struct wire_ip *ip, struct diag *d);

#endif

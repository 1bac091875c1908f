/* Limits how many packets a second may go to a public address, unless the user confirms by
 * --rate-limit=off that more are meant. */
#ifndef TCPWAVE_CMD_RATE_LIMIT_H
#define TCPWAVE_CMD_RATE_LIMIT_H

#include <stdbool.h>

#include "lib/core/err.h"
#include "lib/core/flow.h"

#define RATE_LIMIT 1000 /* packets a second */

/* Returns whether the address is exempt from the limit, since it is a loopback, private (RFC 1918,
 * RFC 4193) or link-local address (RFC 3927, RFC 4291). */
bool rate_limit_exempt(bool v6, const struct addr *to);

/* Returns 0, or WAVE_EINVAL with *d filled in if `rate` segments a second to that address need
 * --rate-limit=off. */
int rate_limit_check(bool v6, const struct addr *to, double rate, struct diag *d);

#endif

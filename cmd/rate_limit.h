/* How many packets a second may go to whom without being asked for twice. */
#ifndef TCPWAVE_CMD_RATE_LIMIT_H
#define TCPWAVE_CMD_RATE_LIMIT_H

#include <stdbool.h>

#include "lib/core/err.h"
#include "lib/core/flow.h"

#define RATE_LIMIT 1000 /* a second */

/* Loopback, private (RFC 1918, RFC 4193) or link-local (RFC 3927, RFC 4291). */
bool rate_limit_exempt(bool v6, const struct addr *to);

/* 0, or WAVE_EINVAL with *d filled in when `rate` segments a second to that address need
 * --rate-limit=off. */
int rate_limit_check(bool v6, const struct addr *to, double rate, struct diag *d);

#endif

/* Defines the rows of --idle, --interval, --count and --garbage, and their defaults. */
#include "cmd/options_probe.h"

#define FIELD(name) offsetof(struct probe_options, name)
#define LONGEST (1000 * WAVE_H) /* a probe that comes later proves nothing useful */

/* clang-format off */
const struct option_row probe_rows[] = {
    {KIND_DURATION, 0, "idle", "DURATION", "silence before the first probe (default 2h)",
     FIELD(idle), WAVE_US, LONGEST, NULL},
    {KIND_DURATION, 0, "interval", "DURATION", "between probes (default 75s)",
     FIELD(interval), WAVE_US, LONGEST, NULL},
    {KIND_NUMBER, 0, "count", "N", "unanswered probes until the peer is lost (default 10)",
     FIELD(count), 1, 255, NULL},
    {KIND_FLAG, 0, "garbage", NULL, "probes carry one byte, as old hosts want it",
     FIELD(garbage), 0, 0, NULL},
    OPTION_END};
/* clang-format on */

/* RFC 1122, 4.2.3.6 and RFC 9293, 3.8.4 give the default of two hours. A field that is 0 was not
 * given. */
void probe_check(struct probe_options *k)
{
    k->on |= k->garbage || k->idle || k->interval || k->count;
    if (!k->idle)
        k->idle = 2 * WAVE_H;
    if (!k->interval)
        k->interval = 75 * WAVE_S;
    if (!k->count)
        k->count = 10;
}

void probe_configure(const struct probe_options *k, struct conn_config *c)
{
    c->keepalive = k->on;
    c->keepalive_garbage = k->garbage;
    c->keepalive_last_byte = true;
    c->keepalive_idle = k->idle;
    c->keepalive_interval = k->interval;
    c->keepalive_count = k->count;
}

/* Calls the system, or the replacement that a unit test has handed in. */
#include "cmd/platform.h"

#include <sys/random.h>

#include "cmd/enter_sandbox.h"
#include "lib/io/signals.h"
#include "lib/run/port_wire.h"
#include "lib/wire/capture_clock.h"

int platform_open(const struct platform *x, struct port **out, const struct wire_config *config,
                  struct diag *d)
{
    return x ? x->open(x->self, out, config, d) : port_wire_open(out, config, d);
}

int platform_route(const struct platform *x, const struct route_query *q, struct route *out,
                   struct diag *d)
{
    return x ? x->route(x->self, q, out, d) : route_find(q, out, d);
}

void platform_ports(const struct platform *x, struct local_ports *out)
{
    if (x)
        *out = x->ports;
    else
        local_ports_read(out);
}

int platform_random(const struct platform *x, void *to, size_t len)
{
    if (!x)
        return getrandom(to, len, 0) == (ssize_t)len ? 0 : WAVE_ESYS;
    x->random(x->self, to, len);
    return 0;
}

wave_time platform_now(const struct platform *x)
{
    return x ? x->now : wire_now();
}

wave_time platform_stamp(const struct platform *x)
{
    return x ? x->now : capture_clock_now();
}

wave_time platform_asleep(const struct platform *x)
{
    return x ? x->asleep : clock_asleep();
}

int platform_signals(const struct platform *x, int *fd, struct diag *d)
{
    const bool own = !x || x->confines;
    int opened = own ? signals_open(d) : x->signals;

    if (own && opened < 0)
        return opened;
    *fd = opened;
    return 0;
}

void platform_signals_close(const struct platform *x, int fd)
{
    if ((!x || x->confines) && fd >= 0)
        signals_close(fd);
}

void platform_enter_sandbox(const struct show_options *o)
{
    if (!o->platform || o->platform->confines)
        enter_sandbox(o);
}

void platform_resolved(const struct platform *x, const struct target *t)
{
    if (x && x->resolved)
        x->resolved(x->self, t);
}

wave_time platform_deadline(const struct platform *x, wave_time deadline)
{
    return x ? WAVE_NEVER : deadline;
}

const char *platform_simulated(const struct show_options *o)
{
    return o->platform ? o->platform->simulated : NULL;
}

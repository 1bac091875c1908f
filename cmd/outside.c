#include "cmd/outside.h"

#include <sys/random.h>

#include "cmd/confine.h"
#include "lib/io/signals.h"
#include "lib/run/port_wire.h"
#include "lib/wire/capture_clock.h"

int outside_open(const struct outside *x, struct port **out, const struct wire_config *config,
                 struct diag *d)
{
    return x ? x->open(x->self, out, config, d) : port_wire_open(out, config, d);
}

int outside_route(const struct outside *x, const struct route_query *q, struct route *out,
                  struct diag *d)
{
    return x ? x->route(x->self, q, out, d) : route_find(q, out, d);
}

void outside_ports(const struct outside *x, struct local_ports *out)
{
    if (x)
        *out = x->ports;
    else
        local_ports_read(out);
}

int outside_random(const struct outside *x, void *to, size_t len)
{
    if (!x)
        return getrandom(to, len, 0) == (ssize_t)len ? 0 : WAVE_ESYS;
    x->random(x->self, to, len);
    return 0;
}

wave_time outside_now(const struct outside *x)
{
    return x ? x->now : wire_now();
}

wave_time outside_stamp(const struct outside *x)
{
    return x ? x->now : capture_clock_now();
}

int outside_signals(const struct outside *x, int *fd, struct diag *d)
{
    int opened = x ? x->signals : signals_open(d);

    if (!x && opened < 0)
        return opened;
    *fd = opened;
    return 0;
}

void outside_signals_close(const struct outside *x, int fd)
{
    if (!x && fd >= 0)
        signals_close(fd);
}

void outside_confine(const struct show_options *o)
{
    if (!o->outside)
        confine(o);
}

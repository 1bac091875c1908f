#include "cmd/outside.h"

#include <sys/random.h>

#include "cmd/confine.h"
#include "lib/io/signals.h"
#include "lib/run/port_wire.h"
#include "lib/wire/stamp.h"

int outside_open(const struct options *o, struct port **out, const struct wire_config *config,
                 struct diag *d)
{
    const struct outside *x = o->outside;

    return x ? x->open(x->self, out, config, d) : port_wire_open(out, config, d);
}

int outside_route(const struct options *o, const struct route_query *q, struct route *out,
                  struct diag *d)
{
    const struct outside *x = o->outside;

    return x ? x->route(x->self, q, out, d) : route_find(q, out, d);
}

void outside_ports(const struct options *o, struct ports *out)
{
    if (o->outside)
        *out = o->outside->ports;
    else
        ports_read(out);
}

int outside_random(const struct options *o, void *to, size_t len)
{
    const struct outside *x = o->outside;

    if (!x)
        return getrandom(to, len, 0) == (ssize_t)len ? 0 : WAVE_ESYS;
    x->random(x->self, to, len);
    return 0;
}

wave_time outside_now(const struct options *o)
{
    return o->outside ? o->outside->now : wire_now();
}

wave_time outside_stamp(const struct options *o)
{
    return o->outside ? o->outside->now : stamp_now();
}

int outside_signals(const struct options *o, int *fd, struct diag *d)
{
    int opened = o->outside ? o->outside->signals : signals_open(d);

    if (!o->outside && opened < 0)
        return opened;
    *fd = opened;
    return 0;
}

void outside_signals_close(const struct options *o, int fd)
{
    if (!o->outside && fd >= 0)
        signals_close(fd);
}

void outside_confine(const struct options *o)
{
    if (!o->outside)
        confine(o);
}

/*
 * Keepalive: RFC 1122, 4.2.3.6 and RFC 9293, 3.8.4.
 *
 * A segment from the peer does not move the timer; only the time of its arrival is stored. When the
 * timer fires, it reads that time and runs on for what is left of the idle time. Only the answer to
 * a probe, which is rare, moves the timer.
 */
#include "lib/core/conn_priv.h"
#include "lib/core/err.h"

/* Returns the times and counts of this connection. */
static struct keepalive_times times_of(const struct conn *c)
{
    const struct conn_config *config = &c->env->config;

    if (c->times)
        return c->env->times[c->times - 1];
    return (struct keepalive_times){.idle = config->keepalive_idle,
                                    .interval = config->keepalive_interval,
                                    .count = config->keepalive_count,
                                    .garbage = config->keepalive_garbage,
                                    .last_byte = config->keepalive_last_byte};
}

static bool same_times(const struct keepalive_times *a, const struct keepalive_times *b)
{
    return a->idle == b->idle && a->interval == b->interval && a->count == b->count &&
           a->garbage == b->garbage && a->last_byte == b->last_byte;
}

int conn_keepalive_times(struct conn *c, wave_time now, const struct keepalive_times *times)
{
    struct env *e = c->env;
    unsigned i = 0;

    while (i < e->times_count && !same_times(&e->times[i], times))
        i++;
    if (i == ENV_KEEPALIVE_TIMES)
        return WAVE_ENOMEM;
    if (i == e->times_count)
        e->times[e->times_count++] = *times;
    c->times = (i + 1) & 15;
    conn_keepalive(c, now, true);
    return 0;
}

void keepalive_start(struct conn *c)
{

    if (!(c->flags & CONN_KEEPALIVE) || !state_synchronized((enum state)c->state) ||
        c->state == STATE_TIME_WAIT)
        return;
    c->keepalive_unanswered = 0;
    c->flags &= ~(uint32_t)CONN_KEEPALIVE_DUE;
    c->timer[TIMER_KEEPALIVE] = time_add(c->last_in, times_of(c).idle);
}

void keepalive_fired(struct conn *c, wave_time now)
{
    const struct keepalive_times k = times_of(c);
    wave_time due = time_add(c->last_in, k.idle);

    /* While data, a FIN or a window probe is outstanding, the retransmission timer finds out
     * whether the peer is alive: RFC 1122, 4.2.3.6 allows probes only on an idle connection. */
    if (conn_flight(c) > 0 || (c->flags & CONN_PERSIST)) {
        c->keepalive_unanswered = 0;
        c->timer[TIMER_KEEPALIVE] = due > now ? due : time_add(now, k.interval);
        return;
    }
    if (c->keepalive_unanswered == 0 && now < due) {
        c->timer[TIMER_KEEPALIVE] = due;
        return;
    }
    if (c->keepalive_unanswered >= k.count) {
        struct event e = {.kind = EVENT_TIMEOUT, .u.timeout = TIMEOUT_KEEPALIVE};
        conn_emit(c, now, &e);
        c->flags |= CONN_RST_DUE;
        conn_finish(c, now, END_KEEPALIVE, "keepalive probes unanswered");
        return;
    }
    c->flags |= CONN_KEEPALIVE_DUE;
    c->timer[TIMER_KEEPALIVE] = time_add(now, k.interval);
}

/* RFC 1122, 4.2.3.6: some hosts answer only a probe with a byte. Before such a peer is given up,
 * the last probe has one. A single probe is all that was asked for, and stays as it is. */
bool keepalive_has_byte(const struct conn *c)
{
    const struct keepalive_times k = times_of(c);

    return k.garbage || (k.last_byte && k.count > 1 && c->keepalive_unanswered + 1u >= k.count);
}

void keepalive_probe_sent(struct conn *c, wave_time now)
{
    struct event e = {.kind = EVENT_PROBE, .u.probe.n = ++c->probes};

    c->flags &= ~(uint32_t)CONN_KEEPALIVE_DUE;
    c->keepalive_unanswered++;
    c->timer[TIMER_KEEPALIVE] = time_add(now, times_of(c).interval);
    conn_emit(c, now, &e);
}

void keepalive_heard(struct conn *c, wave_time now)
{
    if (c->keepalive_unanswered > 0) {
        struct event e = {.kind = EVENT_PROBE_ANSWER, .u.probe.n = c->probes};
        const struct keepalive_times k = times_of(c);
        e.u.probe.rtt = now + k.interval - c->timer[TIMER_KEEPALIVE];
        conn_emit(c, now, &e);
        c->keepalive_unanswered = 0;
        c->timer[TIMER_KEEPALIVE] = time_add(now, k.idle);
    }
    c->flags &= ~(uint32_t)CONN_KEEPALIVE_DUE;
    c->last_in = now;
}

/*
 * Keepalive: RFC 1122, 4.2.3.6 and RFC 9293, 3.8.4.
 *
 * A segment from the peer does not move the timer; only the time of its arrival is stored. When the
 * timer fires, it reads that time and runs on for what is left of the idle time. Only the answer to
 * a probe, which is rare, moves the timer.
 */
#include "lib/core/conn_priv.h"

void keepalive_start(struct conn *c)
{
    const struct conn_config *config = &c->env->config;

    if (!(c->flags & CONN_KEEPALIVE) || !state_synchronized((enum state)c->state) ||
        c->state == STATE_TIME_WAIT)
        return;
    c->keepalive_unanswered = 0;
    c->flags &= ~(uint32_t)CONN_KEEPALIVE_DUE;
    c->timer[TIMER_KEEPALIVE] = time_add(c->last_in, config->keepalive_idle);
}

void keepalive_fired(struct conn *c, wave_time now)
{
    const struct conn_config *config = &c->env->config;
    wave_time due = time_add(c->last_in, config->keepalive_idle);

    /* While data, a FIN or a window probe is outstanding, the retransmission timer finds out
     * whether the peer is alive: RFC 1122, 4.2.3.6 allows probes only on an idle connection. */
    if (conn_flight(c) > 0 || (c->flags & CONN_PERSIST)) {
        c->keepalive_unanswered = 0;
        c->timer[TIMER_KEEPALIVE] = due > now ? due : time_add(now, config->keepalive_interval);
        return;
    }
    if (c->keepalive_unanswered == 0 && now < due) {
        c->timer[TIMER_KEEPALIVE] = due;
        return;
    }
    if (c->keepalive_unanswered >= config->keepalive_count) {
        struct event e = {.kind = EVENT_TIMEOUT, .u.timeout = TIMEOUT_KEEPALIVE};
        conn_emit(c, now, &e);
        c->flags |= CONN_RST_DUE;
        conn_finish(c, now, END_KEEPALIVE, "keepalive probes unanswered");
        return;
    }
    c->flags |= CONN_KEEPALIVE_DUE;
    c->timer[TIMER_KEEPALIVE] = time_add(now, config->keepalive_interval);
}

/* RFC 1122, 4.2.3.6: some hosts answer only a probe with a byte. Before such a peer is given up,
 * the last probe has one. A single probe is all that was asked for, and stays as it is. */
bool keepalive_has_byte(const struct conn *c)
{
    const struct conn_config *config = &c->env->config;

    return config->keepalive_garbage ||
           (config->keepalive_last_byte && config->keepalive_count > 1 &&
            c->keepalive_unanswered + 1u >= config->keepalive_count);
}

void keepalive_probe_sent(struct conn *c, wave_time now)
{
    struct event e = {.kind = EVENT_PROBE, .u.probe.n = ++c->probes};

    c->flags &= ~(uint32_t)CONN_KEEPALIVE_DUE;
    c->keepalive_unanswered++;
    c->timer[TIMER_KEEPALIVE] = time_add(now, c->env->config.keepalive_interval);
    conn_emit(c, now, &e);
}

void keepalive_heard(struct conn *c, wave_time now)
{
    if (c->keepalive_unanswered > 0) {
        struct event e = {.kind = EVENT_PROBE_ANSWER, .u.probe.n = c->probes};
        e.u.probe.rtt = now + c->env->config.keepalive_interval - c->timer[TIMER_KEEPALIVE];
        conn_emit(c, now, &e);
        c->keepalive_unanswered = 0;
        c->timer[TIMER_KEEPALIVE] = time_add(now, c->env->config.keepalive_idle);
    }
    c->flags &= ~(uint32_t)CONN_KEEPALIVE_DUE;
    c->last_in = now;
}

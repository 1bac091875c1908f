/*
 * Keepalive: RFC 1122, 4.2.3.6 and RFC 9293, 3.8.4.
 *
 * A segment from the peer costs nothing here but the note of its time: the timer stays where it is,
 * and when it fires it looks at that note and goes back to sleep for what is left. Only an answer
 * to a probe, which is rare, moves it.
 */
#include "lib/core/conn_priv.h"

void keep_start(struct conn *c)
{
    const struct conn_config *config = &c->env->config;

    if (!(c->flags & CONN_KEEPALIVE) || !state_synchronized((enum state)c->state) ||
        c->state == STATE_TIME_WAIT)
        return;
    c->keep_sent = 0;
    c->flags &= ~(uint32_t)CONN_KEEP_OWED;
    c->timer[TIMER_KEEP] = time_add(c->last_in, config->keep_idle);
}

void keep_fired(struct conn *c, wave_time now)
{
    const struct conn_config *config = &c->env->config;
    wave_time due = time_add(c->last_in, config->keep_idle);

    /* While data, a FIN or a window probe is outstanding, retransmission judges the peer: RFC 1122,
     * 4.2.3.6 wants probes only on an idle connection. */
    if (conn_flight(c) > 0 || (c->flags & CONN_PERSIST)) {
        c->keep_sent = 0;
        c->timer[TIMER_KEEP] = due > now ? due : time_add(now, config->keep_interval);
        return;
    }
    if (c->keep_sent == 0 && now < due) {
        c->timer[TIMER_KEEP] = due;
        return;
    }
    if (c->keep_sent >= config->keep_count) {
        struct event e = {.kind = EVENT_TIMEOUT, .u.timeout = TIMEOUT_KEEPALIVE};
        conn_emit(c, now, &e);
        c->flags |= CONN_RST_OWED;
        conn_finish(c, now, END_KEEPALIVE, "keepalive probes unanswered");
        return;
    }
    c->flags |= CONN_KEEP_OWED;
    c->timer[TIMER_KEEP] = time_add(now, config->keep_interval);
}

void keep_probe_sent(struct conn *c, wave_time now)
{
    struct event e = {.kind = EVENT_PROBE, .u.probe.n = ++c->probes};

    c->flags &= ~(uint32_t)CONN_KEEP_OWED;
    c->keep_sent++;
    c->timer[TIMER_KEEP] = time_add(now, c->env->config.keep_interval);
    conn_emit(c, now, &e);
}

void keep_heard(struct conn *c, wave_time now)
{
    if (c->keep_sent > 0) {
        struct event e = {.kind = EVENT_PROBE_ANSWER, .u.probe.n = c->probes};
        e.u.probe.rtt = now + c->env->config.keep_interval - c->timer[TIMER_KEEP];
        conn_emit(c, now, &e);
        c->keep_sent = 0;
        c->timer[TIMER_KEEP] = time_add(now, c->env->config.keep_idle);
    }
    c->flags &= ~(uint32_t)CONN_KEEP_OWED;
    c->last_in = now;
}

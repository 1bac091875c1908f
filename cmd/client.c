#include "cmd/client.h"

#include "cmd/start.h"
#include "cmd/target.h"

#define MEMORY_PAUSE (20 * WAVE_MS) /* before memory that was short is asked for again */
#define MEMORY_MOST (2 * WAVE_S)    /* of that, before we give up */

/* No event of the engine's will tell when there is memory again. */
static void await_memory(struct session *s, struct client *x, wave_time now)
{
    if (!x->exchange.starved) {
        x->starved_at = 0;
        return;
    }
    if (!x->starved_at)
        x->starved_at = now;
    if (now - x->starved_at > MEMORY_MOST)
        session_fail(s,
                     &(struct diag){"no memory for what is to be sent; free some, and try again"});
    session_again(s, now + MEMORY_PAUSE);
}

/* Gives the peer our data, and takes what it sent. */
static void move_data(struct session *s, struct client *x, struct conn *e, wave_time now)
{
    struct diag d;
    int given = 0, taken = exchange_drain(&x->exchange, e, now, &d);

    if (taken > 0)
        x->taken_at = now;
    if (taken >= 0 && !x->closed && state_synchronized((enum state)e->state))
        given = exchange_feed(&x->exchange, e, now, &d);
    if (taken < 0 || given < 0)
        session_fail(s, &d);
    else if (taken || given)
        session_changed(s, x->conn, now);
    await_memory(s, x, now);
}

bool client_turn(struct session *s, struct client *x, struct conn *e, wave_time now, wave_time *at)
{
    *at = WAVE_NEVER;
    if (e->state != STATE_CLOSED && !state_synchronized((enum state)e->state)) {
        session_await(s, "an answer to our SYN", e->timer[TIMER_REXMT]);
        return true;
    }
    if (verify_wait(s, x->conn, &x->verify, now, at))
        return true;
    *at = WAVE_NEVER;
    move_data(s, x, e, now);
    if (e->state != STATE_CLOSED)
        return false;
    /* What was received before the end is still the user's. */
    if (!x->exchange.waits_for_out)
        session_stop(s, x->closed && e->end != END_CLOSED ? STOP_ASKED : STOP_END);
    return true;
}

void client_close(struct session *s, struct client *x, struct conn *e, enum close_how how,
                  wave_time now)
{
    x->closed = true;
    if (how == CLOSE_ABORT)
        conn_abort(e, now);
    else if (how == CLOSE_VANISH)
        conn_vanish(e, now);
    else
        conn_close(e, now);
    session_changed(s, x->conn, now);
}

wave_time client_await_end(struct session *s, struct client *x, const struct conn *e, wave_time now)
{
    const struct session_conn *c = x->conn;
    wave_time from, at;

    switch (e->state) {
    case STATE_FIN_WAIT_2:
        from = c->data_at > c->fin_acked_at ? c->data_at : c->fin_acked_at;
        /* A reader of ours that is slow is no silence of the peer's: it counts from when the reader
         * has caught up and the window is open again. */
        if (x->taken_at > from)
            from = x->taken_at;
        at = time_add(from, x->options->linger);
        session_await(s, "the peer's FIN", at);
        if (now >= at && !x->exchange.waits_for_out)
            session_stop(s, STOP_LINGER);
        return now >= at ? WAVE_NEVER : at;
    case STATE_TIME_WAIT:
        session_await(s, "the end of TIME_WAIT", e->timer[TIMER_TIME_WAIT]);
        return WAVE_NEVER;
    case STATE_LAST_ACK:
    case STATE_FIN_WAIT_1:
    case STATE_CLOSING:
        session_await(s, "the acknowledgement of our FIN", WAVE_NEVER);
        return WAVE_NEVER;
    default:
        return WAVE_NEVER;
    }
}

unsigned client_poll(struct session *s, struct pollfd *fds)
{
    const struct client *x = s->user;

    return exchange_poll(&x->exchange, fds);
}

/* Handshake to verdict. */
static int run(struct client *x, const struct target *target, const struct client_ops *ops)
{
    struct start st;
    struct session *s;
    struct outcome outcome;
    struct diag d = {"no memory for a connection"};
    int status;

    if (start_open(&st, x->options, target, &ops->session, x, &d) != 0 ||
        session_connect(st.session, &target->addr, target->port, &x->conn) != 0) {
        start_close(&st);
        return view_refuse(x->options, &d);
    }
    s = st.session;
    if (ops->watch)
        report_add(&s->report, ops->watch, x);
    session_run(s);
    if (x->exchange.out.fd >= 0)
        st.undelivered = x->conn->flow.received_bytes - x->exchange.taken;
    if (exchange_close(&x->exchange, &d) != 0)
        session_fail(s, &d);
    session_outcome(s, x->conn, &outcome);
    if (ops->judge)
        ops->judge(s, x, &outcome, &x->figures);
    status = start_verdict(&st, x->conn, &outcome, &x->figures);
    start_close(&st);
    return status;
}

int client_run(struct client *x, const struct options *o, const struct client_ops *ops)
{
    struct target target;
    struct diag d;

    x->options = o;
    if (target_resolve(&o->target, options_family(o), &target, &d) != 0 ||
        exchange_open(&x->exchange,
                      &(struct exchange_config){o->data.at, o->data.len, o->file, o->output},
                      &d) != 0)
        return view_refuse(o, &d);
    return run(x, &target, ops);
}

/*
 * connect: handshake, exchange, close. What is done when:
 *
 *     established   give the peer our data, take what it sends
 *     all given     and acknowledged: the peer's answer, as long as it goes on; --hold; and then
 *                   the close that was asked for
 *     half closed   until the peer's FIN, or --linger of silence
 *     closed        TIME_WAIT, if it is to be kept; then the verdict
 */
#include "cmd/command.h"
#include "cmd/exchange.h"
#include "cmd/session.h"
#include "cmd/target.h"
#include "cmd/verify.h"

#define NO_ACK_LEAST (3 * WAVE_S) /* of silence, before no further SYN-ACK is awaited */

/* Many servers (nginx, inetd's children) drop what they were going to say when a FIN comes on the
 * heels of the request. So our FIN waits for an answer to begin, and for it to pause. */
#define ANSWER_BEGINS WAVE_S
#define ANSWER_PAUSES (250 * WAVE_MS)

struct connect {
    const struct options *options;
    struct session_conn *conn;
    wave_time given_at; /* when our last byte was acknowledged; WAVE_NEVER: not yet */
    bool closed;        /* our side's close was carried out */
    struct verify verify;
    struct exchange exchange;
};

/* Moves data both ways. */
static void move_data(struct session *s, struct connect *x, struct conn *e, wave_time now)
{
    struct diag d;
    int given = 0, taken = exchange_drain(&x->exchange, e, now, &d);

    if (taken >= 0 && !x->closed && state_synchronized((enum state)e->state))
        given = exchange_feed(&x->exchange, e, now, &d);
    if (taken < 0 || given < 0)
        session_fail(s, &d);
    else if (taken || given)
        session_changed(s, x->conn, now);
}

/* When the answer to our data may be taken for complete. Where segments were seen to be lost, a
 * pause of the peer's may be one of its retransmission timer. */
static wave_time answer_ends(const struct connect *x, const struct conn *e)
{
    const struct session_conn *c = x->conn;
    wave_time from = c->data_at > x->given_at ? c->data_at : x->given_at;

    if (!c->flow.sent_bytes || (e->flags & CONN_FIN_RCVD))
        return x->given_at;
    if (c->uneven_at)
        return time_add(from, x->options->linger);
    return from + (c->flow.received_bytes ? ANSWER_PAUSES : ANSWER_BEGINS);
}

static void close_now(struct session *s, struct connect *x, struct conn *e, wave_time now)
{
    x->closed = true;
    if (x->options->close == CLOSE_ABORT)
        conn_abort(e, now);
    else if (x->options->close == CLOSE_VANISH)
        conn_vanish(e, now);
    else
        conn_close(e, now);
    session_changed(s, x->conn, now);
}

/* The close that was asked for, once its time has come; returns when that is. */
static wave_time close_in_time(struct session *s, struct connect *x, struct conn *e, wave_time now)
{
    const struct options *o = x->options;
    wave_time held, answered;

    if (x->given_at == WAVE_NEVER) {
        if (!exchange_fed(&x->exchange) || conn_unacked(e))
            return WAVE_NEVER;
        x->given_at = now;
    }
    if (o->close == CLOSE_PASSIVE && !(e->flags & CONN_FIN_RCVD)) {
        session_await(s, "the peer's FIN", WAVE_NEVER);
        return WAVE_NEVER;
    }
    held = time_add(x->given_at, o->hold);
    answered = o->close == CLOSE_ACTIVE ? answer_ends(x, e) : x->given_at;
    if (now < held || now < answered) {
        bool hold = held > answered;
        session_await(s, hold ? "the end of --hold" : "the peer's answer", hold ? held : answered);
        return hold ? held : answered;
    }
    close_now(s, x, e, now);
    return now;
}

/* What is still to come after our close; returns when to look again. */
static wave_time await_end(struct session *s, struct connect *x, const struct conn *e,
                           wave_time now)
{
    const struct session_conn *c = x->conn;
    wave_time from, at;

    switch (e->state) {
    case STATE_FIN_WAIT_2:
        from = c->data_at > c->fin_acked_at ? c->data_at : c->fin_acked_at;
        at = time_add(from, x->options->linger);
        session_await(s, "the peer's FIN", at);
        /* A reader of ours that is slow is no silence of the peer's. */
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

/* --no-ack: the peer repeats its SYN-ACK at growing intervals; twice the last one without another
 * and it has given up. */
static wave_time await_repeats(struct session *s, const struct session_conn *c, wave_time now)
{
    wave_time gap, at;

    if (!c->syn_acks)
        return WAVE_NEVER;
    gap = c->syn_acks > 1 ? c->syn_ack_at[1] - c->syn_ack_at[0] : 0;
    at = c->syn_ack_at[1] + 2 * gap + NO_ACK_LEAST;
    session_await(s, "the peer to repeat its SYN-ACK", at);
    if (now >= at)
        session_stop(s, STOP_NO_ACK);
    return at;
}

static wave_time await_handshake(struct session *s, struct connect *x, const struct conn *e,
                                 wave_time now)
{
    if (x->options->no_ack && x->conn->syn_acks)
        return await_repeats(s, x->conn, now);
    session_await(s, "an answer to our SYN", e->timer[TIMER_REXMT]);
    return WAVE_NEVER;
}

static wave_time turn(struct session *s, wave_time now)
{
    struct connect *x = s->user;
    struct conn *e = session_engine(s, x->conn);
    wave_time until;

    if (x->options->no_ack || !state_synchronized((enum state)e->state)) {
        if (e->state != STATE_CLOSED)
            return await_handshake(s, x, e, now);
    }
    if (verify_wait(s, x->conn, &x->verify, now, &until))
        return until;
    move_data(s, x, e, now);
    if (e->state == STATE_CLOSED) {
        /* What was received before the end is still the user's. */
        if (!x->exchange.waits_for_out)
            session_stop(s, x->closed && e->end != END_CLOSED ? STOP_ASKED : STOP_END);
        return WAVE_NEVER;
    }
    if (!x->closed) {
        session_await(s, conn_unacked(e) ? "the acknowledgement of our data" : "our own data",
                      WAVE_NEVER);
        return close_in_time(s, x, e, now);
    }
    return await_end(s, x, e, now);
}

static unsigned poll_files(struct session *s, struct pollfd *fds)
{
    const struct connect *x = s->user;

    return exchange_poll(&x->exchange, fds);
}

static const struct session_ops ops = {.turn = turn, .poll = poll_files};

/* Handshake to verdict; returns the exit status. */
static int run(struct connect *x, const struct target *target)
{
    struct session *s;
    struct outcome outcome;
    struct diag d;
    int status;

    if (session_open(&s, x->options, target, &ops, x, &d) != 0)
        return session_refuse(x->options, &d);
    if (session_connect(s, target, &x->conn) != 0) {
        session_close(s);
        return session_refuse(x->options, &(struct diag){"no memory for a connection"});
    }
    session_run(s);
    if (exchange_close(&x->exchange, &d) != 0)
        session_fail(s, &d);
    session_outcome(s, x->conn, &outcome);
    status = session_verdict(s, x->conn, &outcome, NULL);
    session_close(s);
    return status;
}

int connect_run(const struct options *o)
{
    static struct connect x; /* its buffer is more than a stack should carry */
    enum target_family family = o->ipv4 ? TARGET_IPV4 : o->ipv6 ? TARGET_IPV6 : TARGET_ANY;
    struct target target;
    struct diag d;

    x.options = o;
    x.given_at = WAVE_NEVER;
    if (target_resolve(&o->target, family, &target, &d) != 0 ||
        exchange_open(&x.exchange, o, &d) != 0)
        return session_refuse(o, &d);
    return run(&x, &target);
}

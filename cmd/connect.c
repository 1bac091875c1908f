/*
 * connect: handshake, exchange, close. What is done when:
 *
 *     established   give the peer our data, take what it sends
 *     all given     and acknowledged: the peer's answer, as long as it goes on; --hold; and then
 *                   the close that was asked for
 *     half closed   until the peer's FIN, or --linger of silence
 *     closed        TIME_WAIT, if it is to be kept; then the verdict
 */
#include <string.h>

#include "cmd/client.h"
#include "cmd/command.h"

#define NO_ACK_FIRST (10 * WAVE_S) /* of silence at least, before no further SYN-ACK is awaited */
#define NO_ACK_MARGIN (3 * WAVE_S) /* beyond twice the last interval between two of them */

/* Many servers (nginx, inetd's children) drop what they were going to say when a FIN comes on the
 * heels of the request. So our FIN waits for an answer to begin, and for it to pause. */
#define ANSWER_BEGINS WAVE_S
#define ANSWER_PAUSES (250 * WAVE_MS)

struct connect {
    struct client client;
    wave_time given_at; /* when our last byte was acknowledged; WAVE_NEVER: not yet */
};

/* When the answer to our data may be taken for complete. Where segments were seen to be lost, a
 * pause of the peer's may be one of its retransmission timer. */
static wave_time answer_ends(const struct connect *x, const struct conn *e)
{
    const struct session_conn *c = x->client.conn;
    wave_time from = c->data_at > x->given_at ? c->data_at : x->given_at;

    if (!c->flow.sent_bytes || (e->flags & CONN_FIN_RCVD))
        return x->given_at;
    /* A pause that a slow reader of ours makes is none of the peer's. */
    if (x->client.exchange.waits_for_out)
        return WAVE_NEVER;
    if (x->client.taken_at > from)
        from = x->client.taken_at;
    if (c->uneven_at)
        return time_add(from, x->client.options->linger);
    return from + (c->flow.received_bytes ? ANSWER_PAUSES : ANSWER_BEGINS);
}

/* The close that was asked for, once its time has come; returns when that is. */
static wave_time close_in_time(struct session *s, struct connect *x, struct conn *e, wave_time now)
{
    const struct options *o = x->client.options;
    wave_time held, answered;

    if (x->given_at == WAVE_NEVER) {
        if (!exchange_fed(&x->client.exchange) || conn_unacked(e))
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
    client_close(s, &x->client, e, (enum close_how)o->close, now);
    return now;
}

/*
 * --no-ack: the peer repeats its SYN-ACK at growing intervals, each about twice the one before;
 * once more than that has passed without another it has given up. The first interval is 1 second
 * (RFC 6298, 2.1) to 8 seconds, depending on the host. With --timeout, that ends the run.
 */
static wave_time await_repeats(struct session *s, const struct session_conn *c, wave_time now)
{
    wave_time gap = c->syn_acks > 1 ? c->syn_ack_at[1] - c->syn_ack_at[0] : 0;
    wave_time pause =
        2 * gap + NO_ACK_MARGIN > NO_ACK_FIRST ? 2 * gap + NO_ACK_MARGIN : NO_ACK_FIRST;
    wave_time at = s->config.timeout ? WAVE_NEVER : c->syn_ack_at[1] + pause;

    session_await(s, "the peer to repeat its SYN-ACK", at == WAVE_NEVER ? s->end : at);
    if (now >= at)
        session_stop(s, STOP_NO_ACK);
    return at;
}

static wave_time turn(struct session *s, wave_time now)
{
    struct connect *x = s->user;
    struct client *client = &x->client;
    struct conn *e = session_engine(s, client->conn);
    wave_time at;

    if (client->options->no_ack && client->conn->syn_acks && e->state != STATE_CLOSED)
        return await_repeats(s, client->conn, now);
    if (client_turn(s, client, e, now, &at))
        return at;
    if (client->closed)
        return client_await_end(s, client, e, now);
    session_await(s, conn_unacked(e) ? "the acknowledgement of our data" : "our own data",
                  WAVE_NEVER);
    return close_in_time(s, x, e, now);
}

static const struct client_ops ops = {.session = {.turn = turn, .poll = client_poll}};

int connect_run(const struct options *o)
{
    static struct connect x; /* its buffer is more than a stack should carry */

    memset(&x, 0, sizeof x);
    x.given_at = WAVE_NEVER;
    return client_run(&x.client, o, &ops);
}

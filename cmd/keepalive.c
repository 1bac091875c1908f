/*
 * keepalive: holds a connection and probes it when it has been silent (RFC 1122, 4.2.3.6;
 * RFC 9293, 3.8.4), until --for is over, the peer closes, resets, or answers no more.
 */
#include <stdio.h>
#include <string.h>

#include "cmd/client.h"
#include "cmd/command.h"
#include "lib/core/addr.h"
#include "lib/core/text.h"
#include "lib/report/human.h"
#include "lib/run/probes.h"

/* Linux answers segments that are out of the window and carry no data only so often
 * (net.ipv4.tcp_invalid_ratelimit). */
#define LINUX_PAUSE (500 * WAVE_MS)

struct keepalive {
    struct client client;
    struct probes probes;
    struct report_keepalive found;
    uint32_t reset_probe; /* RST answered the probe of this number; 0: it did not */
    bool warned;
    bool too_fast; /* --interval is shorter than the round trip, `rtt` */
    wave_time rtt;
};

static void event(struct session *s, struct session_conn *c, const struct event *e)
{
    struct keepalive *x = s->user;

    if (e->kind == EVENT_RESET)
        x->reset_probe = x->probes.asked;
    probes_event(&x->probes, s, c, e);
}

static void watch(void *self, const struct report_event *e)
{
    struct keepalive *x = self;

    probes_watch(&x->probes, e);
}

/* The handshake's round trip: the capture's, or where nobody watches, the engine's. */
static wave_time round_trip(const struct session_conn *c, const struct conn *e)
{
    if (c->flow.rtt != WAVE_NEVER)
        return c->flow.rtt;
    return e->rtt.srtt ? e->rtt.srtt * WAVE_US : 0;
}

/* When the next probe is due. A segment from the peer puts it off, but the engine looks at that
 * only when its timer fires. */
static wave_time next_probe(const struct keepalive *x, const struct conn *e)
{
    wave_time quiet = time_add(e->last_in, x->client.options->keep_idle);

    return e->timer[TIMER_KEEP] > quiet ? e->timer[TIMER_KEEP] : quiet;
}

static void await(struct session *s, const struct keepalive *x, const struct conn *e)
{
    if (conn_unacked(e))
        session_await(s, "the acknowledgement of our data", WAVE_NEVER);
    else if (x->probes.asked)
        session_await(s, "the answer to our probe", e->timer[TIMER_KEEP]);
    else
        session_await(s, "the next probe", next_probe(x, e));
}

/* Whether it is time for us to close: the peer has, --for is over, or this cannot work. In *at,
 * when to ask again. */
static bool is_over(struct keepalive *x, const struct conn *e, wave_time now, wave_time *at)
{
    const struct session_conn *c = x->client.conn;
    const struct options *o = x->client.options;

    *at = WAVE_NEVER;
    x->rtt = round_trip(c, e);
    x->too_fast = o->keep_interval < x->rtt;
    if (x->too_fast || (e->flags & CONN_FIN_RCVD))
        return true;
    if (o->keep_for)
        *at = time_add(c->established_at, o->keep_for);
    return now >= *at;
}

/* A living peer could be taken for dead. */
static void warn(struct session *s, struct keepalive *x)
{
    const struct options *o = x->client.options;

    if (!x->warned && !o->keep_garbage &&
        (o->keep_interval < LINUX_PAUSE || o->keep_idle < LINUX_PAUSE))
        report_note(
            &s->report, &x->client.conn->flow, session_stamp(s), true,
            "a Linux peer answers probes without data once in 500 ms at most: with so short "
            "intervals, --garbage gets more answers");
    x->warned = true;
}

static wave_time turn(struct session *s, wave_time now)
{
    struct keepalive *x = s->user;
    struct client *client = &x->client;
    struct conn *e = session_engine(s, client->conn);
    wave_time at;

    if (client_turn(s, client, e, now, &at))
        return at;
    if (client->closed)
        return client_await_end(s, client, e, now);
    if (is_over(x, e, now, &at)) {
        conn_keepalive(e, now, false);
        client_close(s, client, e, CLOSE_ACTIVE, now);
        return now;
    }
    warn(s, x);
    await(s, x, e);
    return at;
}

/* "12 of 12 probes were answered", or what shows it where there were none. */
static const char *evidence(const struct report_keepalive *k, char *text, size_t room)
{
    if (k->sent)
        snprintf(text, room, "%u of %u probe%s answered", k->answered, k->sent,
                 k->sent == 1 ? " was" : "s were");
    else
        snprintf(text, room, "no probe was due");
    return text;
}

static void judge_speed(const struct keepalive *x, struct outcome *o)
{
    char interval[TEXT_DURATION], rtt[HUMAN_TEXT];

    o->verdict = VERDICT_USAGE;
    o->exit = VERDICT_USAGE;
    snprintf(o->message, sizeof o->message,
             "--interval %s is shorter than the round trip, which is %s: a living peer would look "
             "dead; give a longer one",
             text_duration_format(x->client.options->keep_interval, interval),
             human_duration(x->rtt, rtt));
    outbuf_say(o->message);
}

/* What keepalive can say better than the outcome of any connection. */
static void judge_peer(struct session *s, const struct keepalive *x, struct outcome *o)
{
    const struct session_conn *c = x->client.conn;
    const struct flow *flow = &c->flow.flow;
    char name[ADDR_PORT_TEXT], probes[80];
    const char *peer = addr_port_text(flow->v6, &flow->remote, flow->rport, name);

    evidence(&x->found, probes, sizeof probes);
    if (o->verdict == VERDICT_RESET && x->reset_probe) {
        snprintf(o->message, sizeof o->message,
                 "%s no longer knows the connection: RST answered probe %u", peer, x->reset_probe);
    } else if (o->verdict == VERDICT_OPEN && c->path.peer_first) {
        snprintf(o->message, sizeof o->message,
                 "%s closed the connection itself, with a FIN; until then %s", peer, probes);
    } else if (o->verdict == VERDICT_OPEN) {
        snprintf(o->message, sizeof o->message, "%s is alive: %s, and our FIN was acknowledged",
                 peer, probes);
    } else if (s->stop == STOP_SIGNAL && c->path.established && !x->probes.asked) {
        /* Nobody else ends a run that has no --for. */
        o->verdict = VERDICT_OPEN;
        snprintf(o->message, sizeof o->message, "%s was alive until the interruption: %s", peer,
                 probes);
    }
}

static void judge(struct session *s, struct client *client, struct outcome *o,
                  struct report_findings *found)
{
    struct keepalive *x = s->user;

    if (!client->conn->path.established)
        return;
    probes_found(&x->probes, &x->found);
    found->keepalive = &x->found;
    if (x->too_fast && o->verdict != VERDICT_LOCAL)
        judge_speed(x, o);
    else
        judge_peer(s, x, o);
}

static const struct client_ops ops = {
    .session = {.event = event, .turn = turn, .poll = client_poll}, .watch = watch, .judge = judge};

int keepalive_run(const struct options *o)
{
    static struct keepalive x; /* its buffers are more than a stack should carry */

    memset(&x, 0, sizeof x);
    return client_run(&x.client, o, &ops);
}

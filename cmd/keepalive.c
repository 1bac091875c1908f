/*
 * Runs `tcpwave keepalive`: holds a connection and probes the peer when it has been silent
 * (RFC 1122, 4.2.3.6; RFC 9293, 3.8.4), until --for is over, or the peer closes, resets or stops
 * answering. The engine sends the probes; lib/run/probes.h counts them and their answers.
 */
#include "cmd/keepalive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/client.h"
#include "cmd/command.h"
#include "lib/core/addr.h"
#include "lib/core/text.h"
#include "lib/report/human.h"
#include "lib/run/probes.h"

/* Linux answers segments outside the window that carry no data at most once in this time
 * (net.ipv4.tcp_invalid_ratelimit). */
#define LINUX_PAUSE (500 * WAVE_MS)

/* Holds the state of one run. */
struct keepalive {
    struct client client;
    const struct keepalive_options *options;
    struct probes probes;
    uint32_t reset_probe; /* number of the probe that a RST answered; 0: none */
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

/* Returns the round trip of the handshake: as the capture measured it, or the engine's if the
 * segments are not captured. */
static wave_time round_trip(const struct session_conn *c, const struct conn *e)
{
    if (c->record->flow.rtt != WAVE_NEVER)
        return c->record->flow.rtt;
    return conn_srtt(e);
}

/* Returns when the next probe is due. A segment from the peer postpones it, but the engine takes
 * account of this only when its timer fires. */
static wave_time next_probe(const struct keepalive *x, const struct conn *e)
{
    wave_time quiet = time_add(conn_last_in(e), x->options->probe.idle);

    return conn_timer(e, TIMER_KEEPALIVE) > quiet ? conn_timer(e, TIMER_KEEPALIVE) : quiet;
}

/* Reports what the run is waiting for. */
static void await(struct session *s, const struct keepalive *x, const struct conn *e)
{
    if (conn_unacked(e))
        session_await(s, "the acknowledgement of our data", WAVE_NEVER);
    else if (x->probes.asked)
        session_await(s, "the answer to our probe", conn_timer(e, TIMER_KEEPALIVE));
    else
        session_await(s, "the next probe", next_probe(x, e));
}

/* Returns whether we are to close: because the peer has closed, because --for is over, or because
 * --interval is shorter than the round trip. *at is when to check again. */
static bool is_over(struct keepalive *x, const struct conn *e, wave_time now, wave_time *at)
{
    const struct session_conn *c = x->client.conn;
    const struct keepalive_options *o = x->options;

    *at = WAVE_NEVER;
    x->rtt = round_trip(c, e);
    x->too_fast = o->probe.interval < x->rtt;
    if (x->too_fast || conn_fin_received(e))
        return true;
    if (o->length)
        *at = time_add(c->record->established_at, o->length);
    return now >= *at;
}

/* Warns once if a living Linux peer could be taken for dead. */
static void warn(struct session *s, struct keepalive *x)
{
    const struct probe_options *k = &x->options->probe;

    if (!x->warned && !k->garbage && (k->interval < LINUX_PAUSE || k->idle < LINUX_PAUSE))
        report_note(&s->report, session_flow(x->client.conn), session_stamp(s), true,
                    "a Linux peer answers probes without data once in 500 ms at most: with "
                    "intervals this short, --garbage gets more answers");
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
    if (client_closed(client))
        return client_go(s, client, e, now);
    if (is_over(x, e, now, &at)) {
        conn_keepalive(e, now, false);
        client_close(s, client, e, now);
        return now;
    }
    warn(s, x);
    await(s, x, e);
    return at;
}

/* Returns "12 of 12 probes were answered", or a text that says there was no probe. */
static const char *evidence(const struct probes *k, char *text, size_t room)
{
    if (k->sent)
        snprintf(text, room, "%u of %u probe%s answered", k->answered, k->sent,
                 k->sent == 1 ? " was" : "s were");
    else
        snprintf(text, room, "no probe was due");
    return text;
}

/* Fills in the outcome for an --interval that is shorter than the round trip. */
static void judge_speed(const struct keepalive *x, struct outcome *o)
{
    char interval[TEXT_DURATION], rtt[HUMAN_TEXT];

    o->verdict = VERDICT_USAGE;
    o->exit = VERDICT_USAGE;
    snprintf(o->message, sizeof o->message,
             "--interval %s is shorter than the round trip, which is %s: a living peer would look "
             "dead; give a longer one",
             text_duration_format(x->options->probe.interval, interval),
             human_duration(x->rtt, rtt));
    outbuf_say(o->message);
}

/* Puts a message in place of the general one where keepalive knows more about the peer. */
static void judge_peer(struct session *s, const struct keepalive *x, struct outcome *o)
{
    const struct session_conn *c = x->client.conn;
    const struct flow *flow = &c->record->flow.flow;
    char name[ADDR_PORT_TEXT], probes[80];
    const char *peer = addr_port_text(flow->v6, &flow->remote, flow->rport, name);

    evidence(&x->probes, probes, sizeof probes);
    if (c->record->flow.signs.made_fin || (o->verdict == VERDICT_RESET && session_impaired(s, c)))
        return; /* the general message says what a rule did, and does not judge the peer by it */
    if (o->verdict == VERDICT_RESET && x->reset_probe) {
        snprintf(o->message, sizeof o->message,
                 "%s no longer knows the connection: RST answered probe %u", peer, x->reset_probe);
    } else if (o->verdict == VERDICT_OPEN && c->path.peer_first) {
        snprintf(o->message, sizeof o->message,
                 "%s closed the connection itself, with a FIN; until then %s", peer, probes);
    } else if (o->verdict == VERDICT_OPEN) {
        snprintf(o->message, sizeof o->message, "%s is alive: %s, and our FIN was acknowledged",
                 peer, probes);
    } else if (s->stop == STOP_SIGNAL && c->path.established && !x->probes.asked &&
               !c->outstanding) {
        /* Without --for, an interrupt is the way to end the run. */
        o->verdict = VERDICT_OPEN;
        snprintf(o->message, sizeof o->message, "%s was alive until the interruption: %s", peer,
                 probes);
    }
}

static void judge(struct session *s, struct client *client, struct outcome *o,
                  struct figures *figures)
{
    struct keepalive *x = s->user;

    if (!client->conn->path.established)
        return;
    probes_figures(&x->probes, figures);
    if (x->too_fast && o->verdict != VERDICT_LOCAL)
        judge_speed(x, o);
    else
        judge_peer(s, x, o);
}

static const struct client_ops ops = {
    .command = &keepalive_command,
    .session = {.event = event, .turn = turn, .poll = client_poll},
    .watch = watch,
    .judge = judge};

static int run(const void *options)
{
    const struct keepalive_options *o = options;
    struct keepalive *x = calloc(1, sizeof *x);
    int status;

    if (!x)
        return client_no_memory(&o->client, &ops);
    x->options = o;
    x->client.probe = &o->probe;
    x->client.plan = (struct course_config){.close = CLOSE_ACTIVE, .linger = o->client.end.linger};
    status = client_run(&x->client, &o->client, &ops);
    free(x);
    return status;
}

/*
 * Options
 */

#define FIELD(name) offsetof(struct keepalive_options, name)

/* clang-format off */
static const struct option_row for_row[] = {
    {KIND_DURATION, 0, "for", "DURATION", "end with success after this", FIELD(length), 1,
     OPTION_YEAR, NULL},
    OPTION_END};

static const struct option_group groups[] = {
    {"Addresses and ports", where_rows, FIELD(client.where)},
    {NULL, where_source_row, FIELD(client.where)},
    {NULL, where_port_row, FIELD(client.source_port)},
    {"What to send and receive", data_rows, FIELD(client.data)},
    {NULL, data_output_row, FIELD(client.output)},
    {"Close", end_rows, FIELD(client.end)},
    {"Keepalive", probe_rows, FIELD(probe)},
    {NULL, for_row, 0},
    {"TCP", tcp_syn_row, FIELD(client.tcp)},
    {NULL, tcp_give_up_row, FIELD(client.tcp)},
    {NULL, client_verify_row, FIELD(client)},
    {NULL, tcp_mss_row, FIELD(client.tcp)},
    {NULL, tcp_window_row, FIELD(client.tcp)},
    {NULL, tcp_rows, FIELD(client.tcp)},
    {"Impairment", impair_rows, FIELD(client.impair)},
    {"What is shown", show_rows, FIELD(client.show)},
    {"Simulated network", sim_rows, FIELD(client.sim)},
    {NULL, NULL, 0}};
/* clang-format on */

static void defaults(void *options)
{
    struct keepalive_options *o = options;

    client_defaults(&o->client);
    o->probe.on = true;
}

static const char *check(void *options)
{
    struct keepalive_options *o = options;

    probe_check(&o->probe);
    return client_check(&o->client);
}

const struct command keepalive_command = {
    .name = "keepalive",
    .target = "HOST:PORT",
    .summary = "is the peer still alive? probes it when it is silent",
    .purpose = "Opens a connection and holds it. A peer that has been silent for --idle is probed "
               "every --interval, and lost when --count probes in a row are not answered.",
    .size = sizeof(struct keepalive_options),
    .groups = groups,
    .defaults = defaults,
    .operands = client_operands,
    .check = check,
    .run = run};

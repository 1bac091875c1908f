/*
 * Runs `tcpwave halfclose`: sends our data and our FIN immediately, and from then on only receives.
 * The peer honours the half-close (RFC 9293, 3.6, case 1) if it acknowledges our FIN while its own
 * side is open, goes on sending as long as it likes, and ends with a FIN of its own.
 *
 * The stream of events shows what the peer sent after it had acknowledged our FIN; this is counted.
 * When the run ends, judge() turns it into the verdict's message and its figures.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/client.h"
#include "cmd/command.h"
#include "lib/core/addr.h"
#include "lib/report/human.h"

/* Counts what the peer sent after it had acknowledged our FIN. */
struct after_fin {
    uint64_t bytes;
    uint32_t segments;
    wave_time duration;
};

/* Holds the state of one run. */
struct halfclose {
    struct client client;
    bool fin_sent;
    wave_time crossed_at; /* when the peer's FIN came without an acknowledgement of ours, or 0 */
    bool heard;           /* `since` and `last` are set */
    wave_time since, last;
    struct after_fin found;
    enum { NOT_KNOWN, NOT_HONOURED, HONOURED } half_close;
};

/* Returns whether the peer acknowledged our FIN before its own FIN came. */
static bool acknowledged(const struct halfclose *x)
{
    return x->client.conn->record->fin_acked_at != WAVE_NEVER;
}

static void event(struct session *s, struct session_conn *c, const struct event *e)
{
    struct halfclose *x = s->user;

    (void)c;
    if (e->kind == EVENT_STATE &&
        (e->u.state.to == STATE_FIN_WAIT_1 || e->u.state.to == STATE_LAST_ACK))
        x->fin_sent = true;
    if (e->kind == EVENT_DATA && acknowledged(x))
        x->found.bytes += e->u.bytes;
}

/* Counts what the peer sends once it has acknowledged our FIN, including the segment that carries
 * this acknowledgement. */
static void watch(void *self, const struct report_event *e)
{
    struct halfclose *x = self;
    const struct report_segment *g = &e->u.segment;
    const struct seg *seg;

    if (e->kind != REPORT_SEGMENT || g->out || !acknowledged(x))
        return;
    seg = &g->packet->seg;
    if (!x->heard)
        x->since = x->last = e->at;
    x->heard = true;
    x->found.segments += seg->len > 0;
    if (seg->len > 0 || (seg->flags & SEG_FIN))
        x->last = e->at;
    x->found.duration = x->last - x->since;
}

/*
 * Waits for the end of a connection in which the peer's FIN came without acknowledging ours. The
 * peer closed its own side before it had our FIN, and this decides the verdict. Once the peer has
 * our data, we wait one more round trip and one retransmission of our FIN, so that the connection
 * can still end in order if the peer takes the FIN after all. Returns when that wait is over.
 */
static wave_time await_crossed(struct session *s, struct halfclose *x, const struct conn *e,
                               wave_time now)
{
    wave_time end;

    if (!x->crossed_at)
        x->crossed_at = now;
    end = x->crossed_at + conn_rto(e) + conn_srtt(e);
    session_await(s, "the acknowledgement of our FIN", end);
    if (now >= end && !x->client.transfer.waits_for_out)
        session_stop(s, STOP_LINGER);
    return now >= end ? WAVE_NEVER : end;
}

static wave_time turn(struct session *s, wave_time now)
{
    struct halfclose *x = s->user;
    struct client *client = &x->client;
    struct conn *e = session_engine(s, client->conn);
    wave_time at;

    if (client_turn(s, client, e, now, &at))
        return at;
    if (conn_state(e) == STATE_CLOSING && !conn_unacked(e))
        return await_crossed(s, x, e, now);
    return client_go(s, client, e, now);
}

/* Describes in words what the peer sent after it had acknowledged our FIN. Returns `text`. */
static const char *sent_after_fin(const struct after_fin *f, char *text, size_t room)
{
    char bytes[HUMAN_TEXT], segments[HUMAN_TEXT], duration[HUMAN_TEXT];

    snprintf(text, room, "%s in %s segment%s over %s", human_bytes(f->bytes, bytes),
             human_count(f->segments, segments), f->segments == 1 ? "" : "s",
             human_duration(f->duration, duration));
    return text;
}

/* Fills in the outcome for a peer that closed before it had our FIN; `taken`: it has acknowledged
 * our FIN since. */
static void judge_crossed(struct halfclose *x, const char *peer, bool taken, struct outcome *o)
{
    o->verdict = VERDICT_FAILED;
    x->half_close = NOT_HONOURED;
    snprintf(o->message, sizeof o->message,
             "%s closed its own side before it had our FIN%s: nothing could come after it", peer,
             taken ? "" : ", and has not acknowledged it since");
}

/* Fills in the outcome for a connection that both sides have closed. */
static void judge_close(struct halfclose *x, const char *peer, struct outcome *o)
{
    const struct after_fin *f = &x->found;
    char sent[120];

    x->half_close = HONOURED;
    if (!acknowledged(x)) {
        judge_crossed(x, peer, true, o);
    } else if (f->bytes) {
        snprintf(o->message, sizeof o->message,
                 "%s honours the half-close: after our FIN it sent %s, and then its own FIN", peer,
                 sent_after_fin(f, sent, sizeof sent));
    } else if (x->client.conn->path.separate) {
        snprintf(o->message, sizeof o->message,
                 "%s acknowledged our FIN, sent no data after it, and closed with a FIN of its own",
                 peer);
    } else {
        snprintf(o->message, sizeof o->message,
                 "%s closed immediately, FIN and ACK in one segment: it had nothing more to send",
                 peer);
    }
}

/* Fills in the outcome for a peer that reset the connection: this is a failed expectation. */
static void judge_reset(struct halfclose *x, const char *peer, uint32_t missing, struct outcome *o)
{
    char sent[120], bytes[HUMAN_TEXT], did[240] = "answered our FIN with RST";

    o->verdict = VERDICT_FAILED;
    if (x->client.conn->record->flow.signs.rst.before_fin) {
        snprintf(
            o->message, sizeof o->message,
            "whether %s honours the half-close is not known: it reset the connection before it "
            "had our FIN",
            peer);
        return;
    }
    x->half_close = NOT_HONOURED;
    if (x->client.conn->path.peer_first && !acknowledged(x)) {
        snprintf(
            o->message, sizeof o->message,
            "%s closed its own side before it had our FIN, and answered what we sent then with "
            "RST: nothing could come after our FIN",
            peer);
        return;
    }
    if (acknowledged(x) && x->found.bytes)
        snprintf(did, sizeof did,
                 "acknowledged our FIN, sent %s, and then reset the connection with RST",
                 sent_after_fin(&x->found, sent, sizeof sent));
    else if (acknowledged(x))
        snprintf(did, sizeof did,
                 "acknowledged our FIN, and reset the connection with RST before any data came");
    snprintf(o->message, sizeof o->message, "%s does not honour the half-close: it %s%s%s%s", peer,
             did, missing ? "; " : "", missing ? human_bytes(missing, bytes) : "",
             missing ? " of what it sent never arrived" : "");
}

/* Fills in the outcome for a peer of which nothing more came after it had acknowledged our FIN. It
 * may have sent nothing, or all that it sent may have been lost on the way. */
static void judge_silence(const struct halfclose *x, const char *peer, struct outcome *o)
{
    const struct after_fin *f = &x->found;
    char sent[120], came[160] = "", lingered[HUMAN_TEXT];

    o->verdict = VERDICT_FAILED;
    if (f->bytes)
        snprintf(came, sizeof came, " sent %s,", sent_after_fin(f, sent, sizeof sent));
    snprintf(o->message, sizeof o->message,
             "whether %s honours the half-close is not known: it acknowledged our FIN,%s and then "
             "neither data nor a FIN came from it for %s, when we left with RST",
             peer, came, human_duration(x->client.options->end.linger, lingered));
}

/* Fills in the outcome for a peer of whose answer bytes never came: it may well have honoured the
 * half-close. */
static void judge_missing(const char *peer, uint32_t missing, struct outcome *o)
{
    char bytes[HUMAN_TEXT];

    o->verdict = VERDICT_FAILED;
    snprintf(
        o->message, sizeof o->message,
        "%s acknowledged our FIN, and %s of what it sent never arrived, so that it is not known "
        "whether it honours the half-close",
        peer, human_bytes(missing, bytes));
}

/* Decides which of the outcomes above this run has. */
static void decide(struct session *s, struct client *client, struct outcome *o)
{
    struct halfclose *x = s->user;
    const struct flow *flow = &client->conn->record->flow.flow;
    const uint32_t missing = session_missing(s, client->conn);
    char name[ADDR_PORT_TEXT];
    const char *peer = addr_port_text(flow->v6, &flow->remote, flow->rport, name);
    enum conn_end end = conn_end(session_engine(s, client->conn));

    if (end == END_CLOSED && s->stop == STOP_END) {
        judge_close(x, peer, o);
    } else if (end == END_RESET) {
        judge_reset(x, peer, missing, o);
    } else if (s->stop == STOP_LINGER && x->crossed_at) {
        judge_crossed(x, peer, false, o);
    } else if (s->stop == STOP_LINGER && missing) {
        judge_missing(peer, missing, o);
    } else if (s->stop == STOP_LINGER) {
        judge_silence(x, peer, o);
    } else {
        return; /* lost, the timeout, a signal: it is not known, and the message says why */
    }
    if (o->verdict != VERDICT_OPEN && session_impaired(s, client->conn)) {
        x->half_close = NOT_KNOWN;
        snprintf(o->message, sizeof o->message,
                 "whether %s honours the half-close is not known, since it may have done what the "
                 "rules of --impair made it do, or what they kept from us",
                 peer);
    }
    o->exit = (int)o->verdict;
}

static void tell(const struct halfclose *x, struct figures *f)
{
    const struct after_fin *a = &x->found;
    const char *judged = x->half_close == HONOURED    ? "honoured"
                         : x->half_close == NOT_KNOWN ? "not known"
                                                      : "not honoured";
    char bytes[HUMAN_TEXT], duration[HUMAN_TEXT];

    figures_group(f, "half_close");
    figures_count(f, "bytes", a->bytes);
    figures_count(f, "segments", a->segments);
    figures_seconds(f, "seconds", a->duration);
    if (x->half_close == NOT_KNOWN)
        figures_unknown(f, "honoured");
    else
        figures_bool(f, "honoured", x->half_close == HONOURED);
    figures_end(f);
    if (acknowledged(x))
        figures_row(f, "half-close",
                    "%s: %s in %u segment%s over %s after our FIN was acknowledged", judged,
                    human_bytes(a->bytes, bytes), a->segments, a->segments == 1 ? "" : "s",
                    human_duration(a->duration, duration));
    else
        figures_row(f, "half-close", "%s: %s", judged,
                    x->client.conn->record->flow.fin[1] || x->crossed_at
                        ? "the peer's FIN came before it had acknowledged ours"
                        : "our FIN was never acknowledged");
}

static void judge(struct session *s, struct client *client, struct outcome *o,
                  struct figures *figures)
{
    struct halfclose *x = s->user;

    if (!x->fin_sent) /* there was no half-close to judge */
        return;
    if (o->verdict != VERDICT_LOCAL)
        decide(s, client, o);
    tell(x, figures);
}

static const struct client_ops ops = {
    .command = &halfclose_command,
    .session = {.event = event, .turn = turn, .poll = client_poll},
    .watch = watch,
    .judge = judge};

static int run(const void *options)
{
    const struct client_options *o = options;
    struct halfclose *x = calloc(1, sizeof *x);
    int status;

    if (!x)
        return client_no_memory(o, &ops);
    /* The course does not wait for acknowledgements, so the FIN goes out with the last data. */
    x->client.plan = (struct course_config){.close = CLOSE_ACTIVE, .linger = o->end.linger};
    status = client_run(&x->client, o, &ops);
    free(x);
    return status;
}

/*
 * Options
 */

#define FIELD(name) offsetof(struct client_options, name)

/* clang-format off */
static const struct option_group groups[] = {
    {"Addresses and ports", where_rows, FIELD(where)},
    {NULL, where_source_row, FIELD(where)},
    {NULL, where_port_row, FIELD(source_port)},
    {"What to send and receive", data_rows, FIELD(data)},
    {NULL, data_output_row, FIELD(output)},
    {"Close", end_rows, FIELD(end)},
    {"TCP", tcp_syn_row, FIELD(tcp)},
    {NULL, tcp_give_up_row, FIELD(tcp)},
    {NULL, client_verify_row, 0},
    {NULL, tcp_mss_row, FIELD(tcp)},
    {NULL, tcp_window_row, FIELD(tcp)},
    {NULL, tcp_rows, FIELD(tcp)},
    {"Impairment", impair_rows, FIELD(impair)},
    {"What is shown", show_rows, FIELD(show)},
    {"Simulated network", sim_rows, FIELD(sim)},
    {NULL, NULL, 0}};
/* clang-format on */

const struct command halfclose_command = {
    .name = "halfclose",
    .target = "HOST:PORT",
    .summary = "FIN right after our data; does the peer go on sending?",
    .purpose = "Opens a connection, sends its data and its FIN, and judges whether the peer keeps "
               "its own side open, goes on sending and then closes.",
    .size = sizeof(struct client_options),
    .groups = groups,
    .defaults = client_defaults,
    .operands = client_operands,
    .check = client_check,
    .run = run};

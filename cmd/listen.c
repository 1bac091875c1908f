/*
 * Runs `tcpwave listen`, the passive side. Each connection goes through these phases:
 *
 *     handshake     The engine does it. A handshake that the peer takes back with a RST is reported
 *                   as refused, one that never completes as dropped.
 *     established   Data moves both ways, as the responder decides (lib/run/responder.h).
 *     all sent      Once our data is acknowledged, where that matters, we wait for --hold and then
 *                   close in the way that was asked for.
 *     half closed   We wait for the peer's FIN, or until the peer has been silent for --linger.
 *     closed        The verdict is reported, and the slot is free for another connection.
 *
 * A connection is handled only when the engine has an event for it or when one of its waits ends,
 * so that thousands of idle connections cost nothing. All waits of one kind have the same length,
 * so that each kind is a queue in order of time.
 *
 * The exit status is about this host, not about its peers: what peers do to their connections is
 * counted and reported, and a server has not failed because a client reset a connection. The status
 * is 0 if the run ended as it was asked to, 1 if --timeout came before --connections were served, 3
 * if this host failed, and 128 plus the number of the signal that ended the run.
 */
#include "cmd/listen_options.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/command.h"
#include "cmd/resolve.h"
#include "cmd/start.h"
#include "cmd/target.h"
#include "lib/core/addr.h"
#include "lib/core/diag.h"
#include "lib/report/human.h"
#include "lib/run/course.h"
#include "lib/run/probes.h"
#include "lib/run/responder.h"
#include "lib/run/session.h"

/* The time that a connection's last segment has from send to capture, and the pause before memory
 * is asked for again. */
#define SHORT_WAIT (20 * WAVE_MS)

/* Names the queues in which a connection may wait. All waits in one queue have the same length, so
 * that they end in the order in which they began. */
enum { WAIT_NONE, WAIT_HOLD, WAIT_LINGER, WAIT_SHORT, WAIT_READ, WAIT_QUEUES };

/* Holds one connection. */
struct listen_client {
    struct session_conn conn; /* the session's part; must be the first member */
    struct probes *probes;    /* keepalive probes of both sides; NULL until there may be any */
    struct responder_conn place;
    struct course course;
    wave_time until; /* the end of its wait, if `queue` is not WAIT_NONE */
    struct slab_link todo, wait;
    uint8_t queue;     /* WAIT_... */
    bool accepted : 1; /* it counts for --connections: its handshake was completed, and with
                          --served it has sent something */
    bool finishing : 1; /* it is over, but its last segments may still have to be captured */
    bool surplus : 1;   /* it came after the last connection that was asked for */
    bool queued : 1;    /* it is in `todo` */
};

_Static_assert(sizeof(struct listen_client) <= 144,
               "a million connections: 256 bytes each, and this");

/* Holds the state of one run. */
struct listen {
    const struct listen_options *options;
    struct course_config plan;
    struct start start;
    struct session *session;
    struct responder responder;
    struct slab_list todo; /* connections to be handled in the next turn */
    struct slab_list wait[WAIT_QUEUES];
    uint32_t accepted, served;
    uint32_t mute;   /* connections that have ended, and with --served do not count */
    bool full;       /* --connections have been accepted */
    bool more_to_do; /* some connections must be handled again when their last segment is out */
    struct figures figures; /* of the verdict that is reported next */
};

static struct listen_client *listen_client_of(struct session_conn *c)
{
    return (struct listen_client *)(void *)c;
}

static struct listen_client *first_of(const struct listen *l, const struct slab_list *list)
{
    return slab_at(&l->session->slab, list->first);
}

/*
 * Queues
 */

static void queue_client(struct listen *l, struct listen_client *p)
{
    if (!p->queued)
        slab_append(&l->session->slab, &l->todo, p->conn.self);
    p->queued = true;
}

static void dequeue_client(struct listen *l, struct listen_client *p)
{
    if (p->queued)
        slab_remove(&l->session->slab, &l->todo, p->conn.self);
    p->queued = false;
}

static void stop_waiting(struct listen *l, struct listen_client *p)
{
    if (p->queue != WAIT_NONE)
        slab_remove(&l->session->slab, &l->wait[p->queue], p->conn.self);
    p->queue = WAIT_NONE;
}

/* Puts the connection at the end of the queue. `until` is later than that of all others in it, but
 * for the duration of one round of the loop. */
static void wait_until(struct listen *l, struct listen_client *p, unsigned queue, wave_time until)
{
    stop_waiting(l, p);
    p->queue = (uint8_t)queue;
    p->until = until;
    slab_append(&l->session->slab, &l->wait[queue], p->conn.self);
}

/* Moves the connections whose wait is over to `todo`. */
static void wake(struct listen *l, wave_time now)
{
    struct listen_client *p;

    for (unsigned i = WAIT_NONE + 1; i < WAIT_QUEUES; i++)
        while ((p = first_of(l, &l->wait[i])) && p->until <= now) {
            stop_waiting(l, p);
            queue_client(l, p);
        }
}

/* Returns when the first wait is over. */
static wave_time first_end(const struct listen *l)
{
    wave_time at = WAVE_NEVER;

    for (unsigned i = WAIT_NONE + 1; i < WAIT_QUEUES; i++) {
        const struct listen_client *p = first_of(l, &l->wait[i]);
        if (p)
            at = time_min(at, p->until);
    }
    return at;
}

/*
 * The end of a connection
 */

/* Fills in the outcome, with a message in the manner of printf(3). The exit status is that of the
 * verdict. */
static void say(struct outcome *o, enum verdict verdict, const char *by, const char *kind,
                const char *format, ...) __attribute__((format(printf, 5, 6)));

static void say(struct outcome *o, enum verdict verdict, const char *by, const char *kind,
                const char *format, ...)
{
    va_list ap;

    *o = (struct outcome){.verdict = verdict, .exit = (int)verdict, .by = by, .kind = kind};
    va_start(ap, format);
    vsnprintf(o->message, sizeof o->message, format, ap);
    va_end(ap);
}

/* Fills in the outcome of a connection. The ends that only a listener meets are described here, all
 * others by session_outcome(). */
static void outcome_of_client(struct session *s, const struct listen_client *p, struct outcome *o)
{
    const struct session_conn *c = &p->conn;
    const struct conn *e = session_engine(s, c);
    const struct flow *flow = c->record ? &c->record->flow.flow : NULL;
    const uint32_t sent = c->record ? c->record->syn_sent : 0;
    char peer[ADDR_PORT_TEXT] = "";

    if (!p->surplus && (c->path.established || (c->has_icmp && e && conn_end(e) != END_ABORTED))) {
        session_outcome(s, c, o);
        return;
    }
    if (flow)
        addr_port_text(flow->v6, &flow->remote, flow->rport, peer);
    if (p->surplus)
        say(o, VERDICT_FAILED, "local", "reset",
            c->path.established ? "%s had sent nothing when the last one that was asked for did"
                                : "%s came after the last one that was asked for",
            peer);
    else if (session_impaired(s, c))
        say(o, !e || conn_end(e) == END_REFUSED ? VERDICT_REFUSED : VERDICT_DROPPED, "none", NULL,
            "the handshake with %s did not come about: no acknowledgement of our SYN-ACK was taken "
            "in, which was made %u time%s",
            peer, sent, sent == 1 ? "" : "s");
    else if (!e || conn_end(e) == END_REFUSED)
        say(o, VERDICT_REFUSED, "peer", "reset", "%s answered our SYN-ACK with RST", peer);
    else
        say(o, VERDICT_DROPPED, "none", NULL, "%s never acknowledged our SYN-ACK, sent %u time%s",
            peer, sent, sent == 1 ? "" : "s");
}

/* Reports the verdict of a connection that is over, and releases it. */
static void finish(struct session *s, struct listen *l, struct listen_client *p)
{
    const struct conn *e = session_engine(s, &p->conn);
    struct outcome outcome;

    if (p->conn.record)
        report_flush(&s->report, session_flow(&p->conn), session_stamp(s));
    outcome_of_client(s, p, &outcome);
    figures_clear(&l->figures);
    if (p->probes)
        probes_figures(p->probes, &l->figures);
    session_conn_verdict(s, &p->conn, &outcome, &l->figures);
    if (l->responder.out.fd >= 0 && p->accepted && e) /* the difference is less than a window */
        l->start.undelivered += conn_received(e) - (uint32_t)p->place.taken;
    l->served += p->accepted;
    l->mute += l->options->served && p->conn.path.established && !p->accepted && !p->surplus;
    stop_waiting(l, p);
    dequeue_client(l, p);
    free(p->probes);
    session_release(s, &p->conn);
}

/*
 * The course of a connection
 */

/* Leaves a connection without a FIN: with RST, or with --close vanish in silence. */
static void leave(struct session *s, struct listen *l, struct listen_client *p, struct conn *e,
                  wave_time now)
{
    if (l->plan.close == CLOSE_VANISH)
        conn_vanish(e, now);
    session_end_conn(s, &p->conn, STOP_ASKED);
    session_changed(s, &p->conn, now);
    queue_client(l, p);
}

/* Takes note that the course has closed our side in the way that was asked for. */
static void closed(struct session *s, struct listen *l, struct listen_client *p)
{
    if (course_step(&p->course) == COURSE_LEFT) {
        session_end_conn(s, &p->conn, STOP_ASKED);
        queue_client(l, p);
    }
    session_changed(s, &p->conn, s->loop.now);
}

/* Takes the connection's course as far as it gets now. */
static void go(struct session *s, struct listen *l, struct listen_client *p, struct conn *e,
               wave_time now)
{
    const uint8_t *unread;
    const struct course_facts facts = {.fed = responder_given(&l->responder, &p->place, e),
                                       .reader_busy =
                                           l->responder.waits_for_out ||
                                           (p->queue == WAIT_READ && conn_peek(e, &unread)),
                                       .quiet_since = p->conn.quiet_since};
    const struct course_turn t = course_go(&p->course, &l->plan, e, &facts, now);

    if (t.waits != COURSE_WAITS_NOT)
        p->conn.waits = (uint8_t)t.waits;
    if (p->queue == WAIT_LINGER) /* a segment may have come: the silence begins with the last one */
        stop_waiting(l, p);
    if (t.act == COURSE_CLOSED) {
        closed(s, l, p);
    } else if (t.act == COURSE_LINGERED) {
        session_end_conn(s, &p->conn, STOP_LINGER);
        queue_client(l, p);
    } else if (t.until != WAVE_NEVER && !t.engine && p->queue != WAIT_READ) {
        const unsigned queue = t.waits == COURSE_WAITS_HOLD ? WAIT_HOLD : WAIT_LINGER;
        if (p->queue != queue)
            wait_until(l, p, queue, t.until);
    }
}

/* Returns the time for which a slow reader pauses after it has read something; 0: there is none. */
static wave_time reading_pause(const struct listen *l)
{
    const struct preset *preset = l->options->preset.preset;

    return preset ? preset->set.read_every : 0;
}

/* Gives the responder what the peer sent, and the peer what the responder has for it. */
static void move_data(struct session *s, struct listen *l, struct listen_client *p, struct conn *e,
                      wave_time now)
{
    const uint64_t taken = p->place.taken;
    struct diag d;
    int moved;

    l->responder.waits_for_out = l->responder.starved = false;
    l->responder.reads_later = p->queue == WAIT_READ;
    moved = responder_move(&l->responder, &p->place, e, now, &d);
    if (moved < 0)
        session_fail(s, &d);
    if (moved > 0)
        session_changed(s, &p->conn, now);
    if (l->responder.waits_for_out) /* no event of the engine says when --output takes more */
        queue_client(l, p);
    if (reading_pause(l) && p->place.taken != taken)
        wait_until(l, p, WAIT_READ, now + reading_pause(l));
    if (l->responder.starved && p->queue == WAIT_NONE)
        wait_until(l, p, WAIT_SHORT, now + SHORT_WAIT);
}

/* Handles a connection from `todo`: moves its data, takes its course, or ends it. */
static void handle_client(struct session *s, struct listen *l, struct listen_client *p,
                          wave_time now)
{
    struct conn *e = session_engine(s, &p->conn);
    bool established = p->conn.path.established;

    if (e && established && !p->surplus)
        move_data(s, l, p, e, now);
    if (e && conn_state(e) != STATE_CLOSED) {
        if (p->surplus)
            leave(s, l, p, e, now);
        else if (established)
            go(s, l, p, e, now);
        return;
    }
    if (p->queued) /* data that came before the end is still to be written out */
        return;
    if (e && conn_expiry(e, now) <= now) { /* its RST or last ACK must still be sent */
        queue_client(l, p);
        l->more_to_do = true;
        return;
    }
    if (s->shows && !p->finishing) { /* its last segments are shown before its verdict */
        p->finishing = true;
        wait_until(l, p, WAIT_SHORT, now + SHORT_WAIT);
    } else if (p->queue != WAIT_SHORT) {
        finish(s, l, p);
    }
}

/* Accepts no more connections: closes the port, and ends those whose handshake is not complete. If
 * the close is to vanish, the port stays open: a closed port answers with RST, which would break
 * the silence. */
static void stop_accepting(struct session *s, struct listen *l)
{
    l->full = true;
    if (l->plan.close != CLOSE_VANISH)
        stack_unlisten(s->stack);
    for (struct session_conn *c = session_first(s); c; c = session_next(s, c)) {
        struct listen_client *p = listen_client_of(c);
        p->surplus = !p->accepted;
        if (p->surplus)
            queue_client(l, p);
    }
}

/*
 * Calls of the session
 */

/* Takes note of a new connection in SYN_RECEIVED. */
static void opened(struct session *s, struct session_conn *c)
{
    struct listen *l = s->user;
    struct listen_client *p = listen_client_of(c);

    p->surplus = l->full;
    c->waits = COURSE_WAITS_SYN_ACKED;
    if (p->surplus)
        queue_client(l, p);
}

/* Allocates room to note probes in: from the start if we probe, else with the peer's first probe.
 * In the second case the engine has measured the silence before that probe. */
static void note_probes(struct session *s, struct listen_client *p, const struct event *e)
{
    const struct report_flow *f = session_flow(&p->conn);

    if (p->probes || !f)
        return;
    p->probes = calloc(1, sizeof *p->probes);
    if (p->probes && e->kind == EVENT_PEER_PROBE) {
        p->probes->any = p->probes->heard = true;
        p->probes->last_at = p->probes->heard_at = f->last - s->report.origin;
        p->probes->gap = e->u.peer_probe.silence;
    }
}

/* Shows the probes of a connection to its counters; a sink for the stream of events. */
static void watch(void *self, const struct report_event *e)
{
    const struct listen_client *p = e->flow ? listen_client_of(session_of_flow(e->flow)) : NULL;

    (void)self;
    if (p && p->probes)
        probes_watch(p->probes, e);
}

/* Counts the connection once it is one of those that --connections asks for. */
static void count_client(struct session *s, struct listen *l, struct listen_client *p)
{
    const struct listen_options *o = l->options;
    const struct conn *e = o->served ? session_engine(s, &p->conn) : NULL;

    if (p->accepted || p->surplus || !p->conn.path.established ||
        (o->served && !(e && conn_received(e) > 0)))
        return;
    p->accepted = true;
    l->accepted++;
    if (l->accepted == o->connections)
        stop_accepting(s, l);
}

/* Takes an event of the engine. All but those of probes put the connection into `todo`. */
static void event(struct session *s, struct session_conn *c, const struct event *e)
{
    struct listen *l = s->user;
    struct listen_client *p = listen_client_of(c);

    if ((e->kind == EVENT_PEER_PROBE && c->record && c->record->flow.probed[1]) ||
        (l->options->probe.on && c->path.established))
        note_probes(s, p, e);
    if (p->probes)
        probes_event(p->probes, s, c, e);
    switch (e->kind) {
    case EVENT_PROBE:
    case EVENT_PROBE_ANSWER:
    case EVENT_PEER_PROBE:
        break;
    default:
        count_client(s, l, p);
        queue_client(l, p);
        break;
    }
}

/* Handles the connections in `todo`, and returns when to come back. */
static wave_time turn(struct session *s, wave_time now)
{
    struct listen *l = s->user;
    uint32_t last, self;

    l->more_to_do = false;
    wake(l, now);
    last = l->todo.last;
    do { /* as far as the list reaches now: connections added meanwhile have their turn next time */
        struct listen_client *p = first_of(l, &l->todo);
        if (!p)
            break;
        self = p->conn.self;
        dequeue_client(l, p);
        handle_client(s, l, p, now);
    } while (self != last);
    if (l->full && l->served >= l->options->connections)
        session_stop(s, STOP_END);
    session_await(s, l->accepted > l->served ? "its clients to close" : "connections", WAVE_NEVER);
    return l->more_to_do ? now : first_end(l);
}

static unsigned poll_output(struct session *s, struct pollfd *fds)
{
    const struct listen *l = s->user;

    return responder_poll(&l->responder, fds);
}

static const struct session_ops ops = {.conn_size = sizeof(struct listen_client),
                                       .event = event,
                                       .turn = turn,
                                       .poll = poll_output,
                                       .opened = opened};

/*
 * The run
 */

/* Starts to listen, and reports where. */
static int start(struct session *s, const struct target *target, struct diag *d)
{
    const struct listen *l = s->user;
    const struct listen_options *o = l->options;
    const struct wire_info *info = s->port->info;
    struct stack_listener at = {.v6 = target->v6,
                                .any = target->any && !o->where.has_source,
                                .addr = info->local,
                                .port = info->lport,
                                .half_open = o->half_open,
                                .answer_rst = o->close.how != CLOSE_VANISH};
    const struct preset *preset = o->preset.preset;
    char place[ADDR_PORT_TEXT], text[300];

    if (stack_listen(s->stack, &at) != 0)
        return diag_fail(d, WAVE_ENOMEM, "no memory to listen");
    snprintf(text, sizeof text, "listening on %s, %s: %s%s%s%s%s",
             addr_port_text(target->v6, &info->local, info->lport, place),
             info->ifindex ? info->interface : "every interface", responder_text(&l->responder),
             preset ? "; preset " : "", preset ? preset->name : "", preset ? ": " : "",
             preset ? preset->help : "");
    report_note(&s->report, NULL, session_stamp(s), false, text);
    return 0;
}

/* Fills in the figures of the run: how the connections ended. */
static void count_up(const struct session *s, const struct preset *preset, struct figures *f)
{
    figures_clear(f);
    figures_group(f, "connections");
    figures_count(f, "opened", s->opened);
    figures_count(f, "syn_cookies", stack_cookies(s->stack));
    figures_verdicts(f, s->verdicts);
    figures_end(f);
    preset_figures(preset, f);
}

/* Fills in the outcome of the run. The comment at the head of this file says what decides. */
static void outcome_of_run(const struct session *s, const struct listen *l, struct outcome *o)
{
    uint64_t cookies = stack_cookies(s->stack);
    char counts[200], rest[160] = "", number[HUMAN_TEXT], of[HUMAN_TEXT];
    const char *colon =
        *figures_verdicts_text(s->verdicts, "open", counts, sizeof counts) ? ": " : "";

    if (cookies)
        snprintf(rest, sizeof rest, "; %s SYN cookie%s sent", human_count(cookies, number),
                 cookies == 1 ? "" : "s");
    if (l->mute)
        snprintf(rest + strlen(rest), sizeof rest - strlen(rest), "; %s sent nothing and %s",
                 human_count(l->mute, number), l->mute == 1 ? "does not count" : "do not count");
    if (s->stop == STOP_LOCAL)
        say(o, VERDICT_LOCAL, NULL, NULL, "%s", s->error.text);
    else if (s->stop == STOP_TIMEOUT && l->served < l->options->connections)
        say(o, VERDICT_FAILED, NULL, NULL,
            "the timeout ran out when %s of %s connections had been served%s%s%s",
            human_count(l->served, number), human_count(l->options->connections, of), colon, counts,
            rest);
    else
        say(o, VERDICT_OPEN, NULL, NULL, "%s connection%s%s%s%s%s", human_count(s->opened, number),
            s->opened == 1 ? "" : "s", colon, counts, rest,
            s->stop == STOP_SIGNAL ? "; ended by a signal" : "");
    if (s->signal)
        o->exit = 128 + s->signal;
}

/* Serves connections until the run ends, and reports its verdict. Returns the exit status. */
static int serve(struct listen *l, const struct target *target, wave_time deadline)
{
    const struct listen_options *o = l->options;
    const struct start_config config = {.command = &listen_command,
                                        .where = &o->where,
                                        .tcp = &o->tcp,
                                        .end = &o->end,
                                        .probe = &o->probe,
                                        .preset = o->preset.preset,
                                        .impair = &o->impair,
                                        .show = &o->show,
                                        .deadline = deadline,
                                        .passive = true,
                                        .single = o->connections == 1,
                                        .max_connections = o->max};
    struct session *s;
    struct outcome outcome;
    struct session_conn *c;
    struct diag d;
    int status;

    if (start_open(&l->start, &config, target, &ops, l, &d) != 0 ||
        start(l->start.session, target, &d) != 0) {
        start_close(&l->start);
        return view_refuse(&listen_command, &o->show, &d);
    }
    s = l->session = l->start.session;
    if (s->shows)
        report_add(&s->report, watch, NULL);
    session_run(s);
    while ((c = session_first(s))) {
        const struct conn *e = session_engine(s, c);
        if (e && conn_end(e) == END_CLOSED) /* it was over when the run was stopped */
            session_end_conn(s, c, STOP_END);
        finish(s, l, listen_client_of(c));
    }
    if (responder_close(&l->responder, &d) != 0)
        session_fail(s, &d);
    outcome_of_run(s, l, &outcome);
    count_up(s, o->preset.preset, &l->figures);
    status = start_verdict(&l->start, NULL, &outcome, &l->figures);
    start_close(&l->start);
    return status;
}

/* Returns the course that each connection takes. A FIN may follow the data immediately; for --hold,
 * and to leave without a FIN, we wait until the data has been acknowledged. */
static struct course_config plan_of(const struct listen_options *o)
{
    const enum close_how how = (enum close_how)o->close.how;
    const bool fin = how == CLOSE_ACTIVE || how == CLOSE_PASSIVE;

    struct course_config plan = {.close = how,
                                 .serves = true,
                                 .acknowledged = !fin || o->close.hold,
                                 .hold_after_peer = true,
                                 .hold = o->close.hold,
                                 .linger = o->end.linger};

    preset_plan(o->preset.preset, &plan);
    return plan;
}

static int run_with(struct listen *l, const struct listen_options *o)
{
    const struct preset *preset = o->preset.preset;
    const struct responder_config responder = {.kind = o->echo      ? RESPONDER_ECHO
                                                       : o->serve   ? RESPONDER_FILE
                                                       : o->data.at ? RESPONDER_DATA
                                                                    : RESPONDER_DISCARD,
                                               .data = o->data.at,
                                               .len = o->data.len,
                                               .serve = o->serve,
                                               .output = o->output,
                                               .after_fin = preset && preset->set.data_after_fin,
                                               .read_bytes = preset ? preset->set.read_bytes : 0};
    struct resolve names;
    struct target target;
    struct diag d;

    l->options = o;
    l->plan = plan_of(o);
    l->todo.link = offsetof(struct listen_client, todo);
    for (unsigned i = 0; i < WAIT_QUEUES; i++)
        l->wait[i].link = offsetof(struct listen_client, wait);
    resolve_begin(&names, &o->show);
    if (resolve_first(&names, &o->target, where_family(&o->where), &target, &d) != 0 ||
        responder_open(&l->responder, &responder, &d) != 0)
        return view_refuse_by(&listen_command, &o->show, &d, names.signal);
    return serve(l, &target, names.deadline);
}

static int run(const void *options)
{
    const struct listen_options *o = options;
    struct listen *l = calloc(1, sizeof *l);
    int status;

    if (!l)
        return view_refuse(&listen_command, &o->show, &(struct diag){"no memory for the run"});
    status = run_with(l, o);
    free(l);
    return status;
}

const struct command listen_command = {
    .name = "listen",
    .target = "[ADDR:]PORT",
    .summary = "the passive side: waits for connections and answers them",
    .purpose =
        "Accepts connections, many at a time: receives, sends back what it receives, or sends "
        "every client the same data; and reports of each connection what happened.",
    .size = sizeof(struct listen_options),
    .groups = listen_groups,
    .defaults = listen_defaults,
    .operands = listen_operands,
    .tell = listen_tell,
    .words = listen_words,
    .check = listen_check,
    .run = run};

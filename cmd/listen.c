/*
 * listen: the passive side. Each connection goes its own way:
 *
 *     handshake     the engine's; one that a RST takes back, or that is never completed, is told
 *                   as refused or dropped
 *     established   data both ways, as the service has it
 *     all given     and, where it matters, acknowledged: --hold, and then the close that was asked
 *                   for
 *     half closed   until the peer's FIN, or --linger of silence
 *     closed        its verdict; its place is free for another
 *
 * A connection is looked at when an event of the engine's says that something is new with it, or
 * when its time is up, so that thousands of idle ones cost nothing. All waits of a kind are of the
 * same length: each kind is a queue in order of time.
 *
 * The exit status is about us and not about them: what peers do to their connections is counted and
 * told, and a server that was reset by one of its clients has not failed. It is 0 when the run
 * ended as it was told to, 1 when --timeout came before --connections were served, 3 when this host
 * failed, and 128 more than the signal that ended it.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "cmd/command.h"
#include "cmd/start.h"
#include "cmd/target.h"
#include "lib/core/addr.h"
#include "lib/core/diag.h"
#include "lib/report/human.h"
#include "lib/run/probes.h"
#include "lib/run/service.h"
#include "lib/run/session.h"

/* How long the last segment may take from send to capture, and a connection waits for memory. */
#define SETTLE (20 * WAVE_MS)

struct guests;

struct guest {
    struct session_conn *conn;
    struct service_place place;
    struct probes *probes; /* ours and the peer's, once there may be any; or NULL */
    bool accepted;         /* its handshake was completed, and it counts for --connections */
    bool closing;          /* our side's close was carried out */
    bool holding;          /* its --hold has begun */
    bool settling;         /* it is over, and its last segments are still to be captured */
    bool surplus;          /* it came after the last one that was asked for */
    bool queued;           /* in `todo` */
    struct guests *waits;  /* the queue it waits in, or NULL */
    wave_time until;       /* the end of that wait */
    TAILQ_ENTRY(guest) all, todo, wait;
};

TAILQ_HEAD(guests, guest);

struct listen {
    const struct options *options;
    struct start start;
    struct service service;
    struct guests all;
    struct guests todo;                 /* to be looked at */
    struct guests hold, linger, settle; /* waits of one length, the first to end first */
    uint32_t accepted, served;
    bool full;   /* as many as were asked for have been accepted */
    bool unkept; /* some came when there was no memory for a guest, and are to be given up */
    bool again;  /* some are to be looked at again, as soon as what they owe is sent */
};

/*
 * The queues
 */

static void look_at(struct listen *l, struct guest *p)
{
    if (!p->queued)
        TAILQ_INSERT_TAIL(&l->todo, p, todo);
    p->queued = true;
}

static void wait_no_more(struct guest *p)
{
    if (p->waits)
        TAILQ_REMOVE(p->waits, p, wait);
    p->waits = NULL;
}

/* `until` comes after that of all others in the queue, but for what one round of the loop takes. */
static void wait_until(struct guests *queue, struct guest *p, wave_time until)
{
    wait_no_more(p);
    p->waits = queue;
    p->until = until;
    TAILQ_INSERT_TAIL(queue, p, wait);
}

/* Wakes those whose wait is over. */
static void wake(struct listen *l, struct guests *queue, wave_time now)
{
    struct guest *p;

    while ((p = TAILQ_FIRST(queue)) && p->until <= now) {
        wait_no_more(p);
        look_at(l, p);
    }
}

/* When the first wait is over. */
static wave_time first_end(const struct guests *queue)
{
    const struct guest *p = TAILQ_FIRST(queue);

    return p ? p->until : WAVE_NEVER;
}

/*
 * The end of a connection
 */

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

/* What became of the connection. What only a listener meets is said here. */
static void outcome_of_guest(struct session *s, const struct guest *p, struct outcome *o)
{
    const struct session_conn *c = p->conn;
    const struct conn *e = session_engine(s, c);
    const struct flow *flow = &c->flow.flow;
    char peer[ADDR_PORT_TEXT];

    if (!p->surplus && (c->path.established || (c->has_icmp && e && e->end != END_ABORTED))) {
        session_outcome(s, c, o);
        return;
    }
    addr_port_text(flow->v6, &flow->remote, flow->rport, peer);
    if (p->surplus)
        say(o, VERDICT_FAILED, "local", "reset", "%s came after the last one that was asked for",
            peer);
    else if (!e || e->end == END_REFUSED)
        say(o, VERDICT_REFUSED, "peer", "reset", "%s answered our SYN-ACK with RST", peer);
    else
        say(o, VERDICT_DROPPED, "none", NULL, "%s never acknowledged our SYN-ACK, sent %u time%s",
            peer, c->syn_sent, c->syn_sent == 1 ? "" : "s");
}

static void finish(struct session *s, struct listen *l, struct guest *p)
{
    struct report_keepalive keepalive;
    /* cppcheck-suppress uninitvar ; only its address is taken here */
    struct report_findings found = {.keepalive = p->probes ? &keepalive : NULL};
    struct outcome outcome;

    report_flush(&s->report, &p->conn->flow, session_stamp(s));
    outcome_of_guest(s, p, &outcome);
    if (p->probes)
        probes_found(p->probes, &keepalive);
    session_conn_verdict(s, p->conn, &outcome, &found);
    if (l->service.out.fd >= 0 && p->accepted)
        l->start.undelivered += p->conn->flow.received_bytes - p->place.taken;
    l->served += p->accepted;
    wait_no_more(p);
    if (p->queued)
        TAILQ_REMOVE(&l->todo, p, todo);
    TAILQ_REMOVE(&l->all, p, all);
    session_release(s, p->conn);
    free(p->probes);
    free(p);
}

/*
 * The course of a connection
 */

/* RST, or not a word. */
static void leave(struct session *s, struct listen *l, struct guest *p, struct conn *e,
                  wave_time now)
{
    if (l->options->close == CLOSE_VANISH)
        conn_vanish(e, now);
    session_leave(s, p->conn, STOP_ASKED);
    session_changed(s, p->conn, now);
    look_at(l, p);
}

/* The close that was asked for, once its time has come. */
static void close_in_time(struct session *s, struct listen *l, struct guest *p, struct conn *e,
                          wave_time now)
{
    const struct options *o = l->options;
    bool fin = o->close == CLOSE_ACTIVE || o->close == CLOSE_PASSIVE;

    p->conn->awaited = "the peer's data";
    if (!service_given(&l->service, &p->place, e))
        return;
    p->conn->awaited = "the peer's FIN";
    if (o->close == CLOSE_PASSIVE && !(e->flags & CONN_FIN_RCVD))
        return;
    /* FIN may follow the data at once. Whoever wants to hold, or to leave without one, waits until
     * the data has arrived. */
    p->conn->awaited = "the acknowledgement of our data";
    if ((!fin || o->hold) && conn_unacked(e))
        return;
    p->conn->awaited = "the end of --hold";
    if (o->hold && !p->holding)
        wait_until(&l->hold, p, time_add(now, o->hold));
    p->holding = true;
    if (p->waits)
        return;
    p->closing = true;
    if (!fin) {
        leave(s, l, p, e, now);
        return;
    }
    conn_close(e, now);
    session_changed(s, p->conn, now);
}

/* What is still to come after our FIN. */
static void await_end(struct session *s, struct listen *l, struct guest *p, const struct conn *e,
                      wave_time now)
{
    const struct session_conn *c = p->conn;
    wave_time from, at;

    wait_no_more(p);
    p->conn->awaited = e->state == STATE_TIME_WAIT    ? "the end of TIME_WAIT"
                       : e->state == STATE_FIN_WAIT_2 ? "the peer's FIN"
                                                      : "the acknowledgement of our FIN";
    if (e->state != STATE_FIN_WAIT_2)
        return;
    from = c->data_at > c->fin_acked_at ? c->data_at : c->fin_acked_at;
    /* A reader of ours that is slow is no silence of the peer's. */
    at = time_add(l->service.waits_for_out ? now : from, l->options->linger);
    if (now < at) {
        wait_until(&l->linger, p, at);
        return;
    }
    session_leave(s, p->conn, STOP_LINGER);
    look_at(l, p);
}

static void move_data(struct session *s, struct listen *l, struct guest *p, struct conn *e,
                      wave_time now)
{
    struct diag d;
    int moved;

    l->service.waits_for_out = l->service.starved = false;
    moved = service_move(&l->service, &p->place, e, now, &d);
    if (moved < 0)
        session_fail(s, &d);
    if (moved > 0)
        session_changed(s, p->conn, now);
    if (l->service.waits_for_out) /* no event of the engine's will tell when it has room again */
        look_at(l, p);
    if (l->service.starved && !p->waits)
        wait_until(&l->settle, p, now + SETTLE);
}

/* Does for the connection what is to be done now. */
static void attend(struct session *s, struct listen *l, struct guest *p, wave_time now)
{
    struct conn *e = session_engine(s, p->conn);
    bool established = p->conn->path.established;

    if (e && established && !p->surplus)
        move_data(s, l, p, e, now);
    if (e && e->state != STATE_CLOSED) {
        if (p->surplus)
            leave(s, l, p, e, now);
        else if (p->closing)
            await_end(s, l, p, e, now);
        else if (established)
            close_in_time(s, l, p, e, now);
        return;
    }
    if (p->queued) /* what was received before the end is still the user's */
        return;
    if (e && conn_expiry(e, now) <= now) { /* its RST or last ACK is still to go out */
        look_at(l, p);
        l->again = true;
        return;
    }
    if (s->shows && !p->settling) { /* what it sent last is shown before its verdict */
        p->settling = true;
        wait_until(&l->settle, p, now + SETTLE);
    } else if (p->waits != &l->settle) {
        finish(s, l, p);
    }
}

/* From now on the port is closed, and who is half-way in is sent away. Only who vanishes cannot
 * close it, since a closed port answers with RST, which would end the silence. */
static void close_door(struct session *s, struct listen *l)
{
    struct guest *p;

    l->full = true;
    if (l->options->close != CLOSE_VANISH)
        stack_unlisten(s->stack);
    TAILQ_FOREACH(p, &l->all, all)
    {
        p->surplus = !p->accepted;
        if (p->surplus)
            look_at(l, p);
    }
}

/*
 * The session's calls
 */

static void opened(struct session *s, struct session_conn *c)
{
    struct listen *l = s->user;
    struct guest *p = calloc(1, sizeof *p);

    if (!p) { /* without a place to note anything of it, it is of no use */
        session_leave(s, c, STOP_ASKED);
        l->unkept = true;
        return;
    }
    p->conn = c;
    p->surplus = l->full;
    c->user = p;
    c->awaited = "the acknowledgement of our SYN-ACK";
    TAILQ_INSERT_TAIL(&l->all, p, all);
    if (p->surplus)
        look_at(l, p);
}

/* Room to note probes in: from the start where we are to probe, else when the peer does first. The
 * engine has seen how long it was silent before. */
static void note_probes(struct session *s, struct guest *p, const struct event *e)
{
    if (p->probes || !s->shows)
        return;
    p->probes = calloc(1, sizeof *p->probes);
    if (p->probes && e->kind == EVENT_PEER_PROBE) {
        p->probes->any = p->probes->heard = true;
        p->probes->last_at = p->probes->heard_at = p->conn->flow.last - s->report.origin;
        p->probes->gap = e->u.peer_probe.silence;
    }
}

/* For the stream of events. */
static void watch(void *self, const struct report_event *e)
{
    const size_t offset = offsetof(struct session_conn, flow);
    const struct session_conn *c;
    const struct guest *p;

    (void)self;
    if (!e->flow)
        return;
    c = (const struct session_conn *)(const void *)((const char *)e->flow - offset);
    p = c->user;
    if (p && p->probes)
        probes_watch(p->probes, e);
}

static void event(struct session *s, struct session_conn *c, const struct event *e)
{
    struct listen *l = s->user;
    struct guest *p = c->user;

    if (!p)
        return;
    if ((e->kind == EVENT_PEER_PROBE && c->flow.probed[1]) ||
        (l->options->keepalive && c->path.established))
        note_probes(s, p, e);
    if (p->probes)
        probes_event(p->probes, s, c, e);
    switch (e->kind) {
    case EVENT_STATE:
        if (c->path.established && !p->accepted && !p->surplus) {
            p->accepted = true;
            l->accepted++;
            if (l->accepted == l->options->connections)
                close_door(s, l);
        }
        look_at(l, p);
        break;
    case EVENT_PROBE:
    case EVENT_PROBE_ANSWER:
    case EVENT_PEER_PROBE:
        break;
    default:
        look_at(l, p);
        break;
    }
}

/* Gives up those that no guest could be had for, each once its RST is out. */
static void give_up_unkept(struct session *s, struct listen *l, wave_time now)
{
    struct session_conn *c, *next;
    struct outcome o;

    l->unkept = false;
    for (c = LIST_FIRST(&s->all); c; c = next) {
        const struct conn *e = session_engine(s, c);
        next = LIST_NEXT(c, all);
        if (c->user)
            continue;
        if (e && conn_expiry(e, now) <= now) {
            l->unkept = l->again = true;
            continue;
        }
        report_flush(&s->report, &c->flow, session_stamp(s));
        say(&o, VERDICT_LOCAL, "local", "reset", "no memory to serve it");
        session_conn_verdict(s, c, &o, NULL);
        session_release(s, c);
    }
}

static wave_time turn(struct session *s, wave_time now)
{
    struct listen *l = s->user;
    struct guests batch = TAILQ_HEAD_INITIALIZER(batch);
    struct guest *p;

    l->again = false;
    wake(l, &l->hold, now);
    wake(l, &l->linger, now);
    wake(l, &l->settle, now);
    TAILQ_CONCAT(&batch, &l->todo, todo);
    while ((p = TAILQ_FIRST(&batch))) {
        TAILQ_REMOVE(&batch, p, todo);
        p->queued = false;
        attend(s, l, p, now);
    }
    if (l->unkept)
        give_up_unkept(s, l, now);
    if (l->full && l->served >= l->options->connections)
        session_stop(s, STOP_END);
    session_await(s, l->accepted > l->served ? "its clients to close" : "connections", WAVE_NEVER);
    return l->again ? now
                    : time_min(first_end(&l->settle),
                               time_min(first_end(&l->hold), first_end(&l->linger)));
}

static unsigned poll_output(struct session *s, struct pollfd *fds)
{
    const struct listen *l = s->user;

    return service_poll(&l->service, fds);
}

static const struct session_ops ops = {
    .event = event, .turn = turn, .poll = poll_output, .opened = opened};

/*
 * The run
 */

/* Answers from now on, and says where. */
static int start(struct session *s, const struct target *target, struct diag *d)
{
    const struct listen *l = s->user;
    const struct options *o = l->options;
    const struct wire_info *info = s->port->info;
    struct stack_listener at = {.v6 = target->v6,
                                .any = target->any && !o->has_source,
                                .addr = info->local,
                                .port = info->lport,
                                .half_open = o->half_open,
                                .answer_rst = o->close != CLOSE_VANISH};
    char place[ADDR_PORT_TEXT], text[200];

    if (stack_listen(s->stack, &at) != 0)
        return diag_fail(d, WAVE_ENOMEM, "no memory to listen");
    snprintf(text, sizeof text, "listening on %s, %s: %s",
             addr_port_text(target->v6, &info->local, info->lport, place),
             info->ifindex ? info->interface : "every interface", service_text(&l->service));
    report_note(&s->report, NULL, session_stamp(s), false, text);
    return 0;
}

/* How the connections ended, in words: ": 12 open, 1 reset". */
static void count_up(const struct session *s, char *text, size_t room)
{
    size_t n = 0;

    text[0] = '\0';
    for (int v = 0; v < REPORT_VERDICTS; v++)
        if (s->verdicts[v] && n < room)
            n += (size_t)snprintf(text + n, room - n, "%s%u %s", n ? ", " : ": ", s->verdicts[v],
                                  verdict_name((enum verdict)v));
}

/* How the run ended. See above for what decides. */
static void outcome_of_run(const struct session *s, const struct listen *l, struct outcome *o)
{
    uint64_t cookies = stack_cookies(s->stack);
    char counts[160], rest[80] = "", number[HUMAN_TEXT];

    count_up(s, counts, sizeof counts);
    if (cookies)
        snprintf(rest, sizeof rest, "; %s SYN cookie%s sent", human_count(cookies, number),
                 cookies == 1 ? "" : "s");
    if (s->stop == STOP_LOCAL)
        say(o, VERDICT_LOCAL, NULL, NULL, "%s", s->error.text);
    else if (s->stop == STOP_TIMEOUT && l->served < l->options->connections)
        say(o, VERDICT_FAILED, NULL, NULL,
            "the timeout ran out when %u of %u connections had been served%s%s", l->served,
            l->options->connections, counts, rest);
    else
        say(o, VERDICT_OPEN, NULL, NULL, "%u connection%s%s%s%s", s->opened,
            s->opened == 1 ? "" : "s", counts, rest,
            s->stop == STOP_SIGNAL ? "; ended by a signal" : "");
    if (s->signal)
        o->exit = 128 + s->signal;
}

/* From the first SYN to the verdict; returns the exit status. */
static int run(struct listen *l, const struct target *target)
{
    struct session *s;
    struct outcome outcome;
    struct guest *p;
    struct diag d;
    int status;

    if (start_open(&l->start, l->options, target, &ops, l, &d) != 0 ||
        start(l->start.session, target, &d) != 0) {
        start_close(&l->start);
        return view_refuse(l->options, &d);
    }
    s = l->start.session;
    if (s->shows)
        report_add(&s->report, watch, NULL);
    session_run(s);
    while ((p = TAILQ_FIRST(&l->all)))
        finish(s, l, p); /* NOLINT(clang-analyzer-unix.Malloc): takes it off the list first */
    if (service_close(&l->service, &d) != 0)
        session_fail(s, &d);
    outcome_of_run(s, l, &outcome);
    status = start_verdict(&l->start, NULL, &outcome, NULL);
    start_close(&l->start);
    return status;
}

const char *listen_check(const struct options *o)
{
    if (o->output && (o->connections != 1 || o->echo))
        return "--output takes what a single peer sends: it needs --connections 1, and no --echo";
    return NULL;
}

int listen_run(const struct options *o)
{
    static struct listen l; /* its buffer is more than a stack should carry */
    const struct service_config service = {.kind = o->echo      ? SERVICE_ECHO
                                                   : o->serve   ? SERVICE_FILE
                                                   : o->data.at ? SERVICE_DATA
                                                                : SERVICE_DISCARD,
                                           .data = o->data.at,
                                           .len = o->data.len,
                                           .serve = o->serve,
                                           .output = o->output};
    struct target target;
    struct diag d;

    memset(&l, 0, sizeof l);
    l.options = o;
    TAILQ_INIT(&l.all);
    TAILQ_INIT(&l.todo);
    TAILQ_INIT(&l.hold);
    TAILQ_INIT(&l.linger);
    TAILQ_INIT(&l.settle);
    if (target_resolve(&o->target, options_family(o), &target, &d) != 0 ||
        service_open(&l.service, &service, &d) != 0)
        return view_refuse(o, &d);
    return run(&l, &target);
}

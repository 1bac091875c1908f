/* What happens with the connections of `tcpwave idle`, step by step; cmd/idle.h says why. */
#include "cmd/idle.h"

#include <string.h>

#include "cmd/platform.h"

#define CONTROL_MAX (30 * WAVE_S) /* between two probes of the control connection */
#define CONTROL_MIN (50 * WAVE_MS)
#define CONTROL_PROBES 12 /* unanswered ones after which it is silent */
#define CONTROL_TRIES 8   /* control connections in a row that were forgotten at once */
#define CONTROL_SYNS 3    /* attempts to open another one */
#define REFUSED (10 * WAVE_S) /* another one is tried so long; or half of --give-up, if less */
#define REFUSED_PAUSE (500 * WAVE_MS) /* between two attempts of those */
#define ANSWER_MIN WAVE_S /* for the answer to a first probe */
#define ANSWER_MAX (3 * WAVE_S)
#define PROBING (6 * WAVE_S) /* before there is data; or half of --give-up, if that is less */
#define COMPLETES WAVE_MS /* between the end of the handshake and the first probe */
#define INQUEST (3 * WAVE_S)
#define SUSPENDED (100 * WAVE_MS) /* platform_asleep() differs by less for other reasons */
#define INTERRUPTED 3             /* silences that the peer may interrupt, one after the other */

#define STALLED 2      /* passes that told nothing, after which a peer that speaks ends the run */
#define MOVED_SHARE 50 /* of an end of the bracket: less is chance */

static const char spoke[] = "the peer sent something itself, several times";
static const char unopened[] = "no port or memory for the connection";
static const char asleep[] = "this host was suspended meanwhile";
static const char dead_all[] = "the control connection, which was not silent, died too";
static const char forgotten_all[] = "the control connection, which was not silent, was reset too";

/* Discards what the peer has sent, so that its window stays open. */
static void discard(struct idle *x, struct idle_conn *c, struct conn *e, wave_time now)
{
    const uint8_t *data;
    size_t len;

    while ((len = conn_peek(e, &data)) > 0) {
        conn_consume(e, now, len);
        session_changed(x->session, &c->conn, now);
    }
}

/*
 * Samples
 */

/* Returns the connection's number in the report; 0: nothing is reported. */
static uint32_t number_of(const struct idle_conn *c)
{
    const struct report_flow *f = session_flow(&c->conn);

    return f ? f->connection : 0;
}

/* Returns what a death shows of where it was caused. */
static enum idle_clue clue_of(const struct idle *x, const struct idle_conn *c)
{
    const struct report_flow *f = session_flow(&c->conn);

    if (c->sample.outcome == IDLE_RESET)
        return !f || !signs_rst_comparable(&f->signs) ? IDLE_NO_CLUE
               : signs_rst_elsewhere(&f->signs)       ? IDLE_RST_BETWEEN
                                                      : IDLE_RST_PEER;
    if (c->heard)
        return IDLE_HEARD;
    if (c->sample.outcome == IDLE_ICMP)
        return memcmp(&x->icmp_from, &x->target.addr, sizeof x->icmp_from) == 0 ? IDLE_ICMP_PEER
                                                                                : IDLE_ICMP_BETWEEN;
    return IDLE_NO_CLUE;
}

/* Tells a death, with what its clue and the inquest show. */
static void tell_death(struct idle *x, const struct idle_conn *c, bool accepted)
{
    static const char *const note[] = {
        [IDLE_NO_CLUE] = NULL,
        [IDLE_HEARD] = "the peer's own segments still came",
        [IDLE_RST_BETWEEN] = "the RST has another TTL than the peer's segments",
        [IDLE_RST_PEER] = "the RST has the TTL of the peer's segments",
        [IDLE_ICMP_BETWEEN] = "the ICMP error came from another host than the peer",
        [IDLE_ICMP_PEER] = "the ICMP error came from the peer"};
    struct idle_blame *blame = &x->blame[x->search.pass];
    const bool had = c->old_acked || c->clue == IDLE_HEARD;
    const bool path = had || c->clue == IDLE_RST_BETWEEN || c->clue == IDLE_ICMP_BETWEEN;
    const bool peer =
        !path && (c->clue == IDLE_ICMP_PEER || (c->clue == IDLE_RST_PEER && accepted));

    blame->had += had;
    blame->path += path;
    blame->peer += peer;
    blame->unknown += accepted && !path && !peer;
    idle_tell(x, c->number, &c->sample,
              path   ? "path"
              : peer ? "peer"
                     : NULL,
              c->old_acked ? "the peer still had the connection"
              : c->clue    ? note[c->clue]
              : accepted   ? "a new connection from the same port was accepted"
                           : NULL);
}

/* Begins the inquest into a death: a SYN from the same port. */
static void begin_inquest(struct idle *x, struct idle_conn *dead, wave_time now)
{
    const struct idle_conn death = {
        .sample = dead->sample, .number = number_of(dead), .clue = clue_of(x, dead)};
    const uint32_t port = dead->port;
    struct idle_conn *c;

    session_release(x->session, &dead->conn);
    x->open--;
    c = idle_open(x, &port);
    if (!c) {
        tell_death(x, &death, false);
        return;
    }
    x->open++;
    c->sample = death.sample;
    c->number = death.number;
    c->clue = death.clue;
    if (session_flow(&c->conn))
        session_flow(&c->conn)->asks_older = true;
    idle_go_to(c, IDLE_INQUEST, now + INQUEST);
}

void idle_sample_is(struct idle *x, struct idle_conn *c, struct idle_sample sample,
                    const char *note, wave_time now)
{
    if (c->step != IDLE_OPENING &&
        platform_asleep(x->options->show.platform) > c->asleep + SUSPENDED) {
        sample.outcome = IDLE_INCONCLUSIVE;
        note = asleep;
    }
    if (sample.outcome == IDLE_INCONCLUSIVE)
        x->doubt = note;
    idle_search_add(&x->search, &sample);
    c->sample = sample;
    if (sample.outcome == IDLE_SILENT || sample.outcome == IDLE_RESET ||
        sample.outcome == IDLE_ICMP) {
        begin_inquest(x, c, now);
        return;
    }
    if (!note && c->tries)
        note = "the peer did not hold it at first";
    idle_tell(x, number_of(c), &sample, sample.outcome == IDLE_CLOSED ? "peer" : NULL, note);
    idle_close(x, c, now);
}

bool idle_has_ended(const struct conn *e, enum idle_outcome *how)
{
    if (conn_state(e) == STATE_CLOSED && conn_end(e) == END_RESET)
        *how = IDLE_RESET;
    else if (conn_fin_received(e))
        *how = IDLE_CLOSED;
    else
        return false;
    return true;
}

/* Notes until when the peer has repeated its SYN-ACK. */
static void note_repeats(struct idle *x, const struct idle_conn *c)
{
    const struct session_record *r = c->conn.record;

    if (r && r->syn_acks > 1 && r->syn_ack_at[1] - r->syn_acked_at > x->repeated)
        x->repeated = r->syn_ack_at[1] - r->syn_acked_at;
}

wave_time idle_patience(const struct conn *e)
{
    const wave_time patience = 3 * conn_srtt(e);

    return patience < ANSWER_MIN ? ANSWER_MIN : time_min(patience, ANSWER_MAX);
}

/* Sends the first probe; before it, if it was held back, the third segment of the handshake. */
static void ask(struct idle *x, struct idle_conn *c, struct conn *e, wave_time now)
{
    if (conn_held(e)) {
        note_repeats(x, c);
        c->sample.silence = now - c->since;
        conn_hold(e, false);
        session_changed(x->session, &c->conn, now);
        c->asked_at = now;
        idle_go_to(c, IDLE_COMPLETING, now + COMPLETES);
        return;
    }
    if (x->options->state != IDLE_SYN_RECEIVED)
        c->sample.silence = now - c->since;
    conn_probe(e, false);
    session_changed(x->session, &c->conn, now);
    c->asked_at = now;
    c->received = conn_received(e);
    c->repeats = 0;
    c->pause = idle_patience(e);
    idle_go_to(c, IDLE_ASKED, now + c->pause);
}

/* Returns from when on an end that is seen counts: the timer of the peer's application knows
 * nothing of our probes. With --keepalive it is told for how long the connection lived. */
static wave_time ends_from(const struct idle *x, const struct idle_conn *c)
{
    const bool untouched = x->options->state == IDLE_ESTABLISHED && !c->interrupted;

    return x->options->keepalive || untouched ? c->begun : c->since;
}

static wave_time quiet(struct idle *x, struct idle_conn *c, struct conn *e, wave_time now)
{
    struct idle_sample sample = {.seen = true};

    if (idle_has_ended(e, &sample.outcome)) {
        x->rtt = conn_srtt(e);
        sample.silence = now - ends_from(x, c);
        idle_sample_is(x, c, sample, NULL, now);
        return now;
    }
    if (x->options->state != IDLE_SYN_RECEIVED && idle_is_repeating(c))
        return idle_not_held(x, c, IDLE_UNHELD_SYN_ACK, now);
    if (c->conn.arrived != c->arrived && x->options->state != IDLE_SYN_RECEIVED) {
        if (c->interrupted) {
            x->spoke_sum += now - c->since;
            x->spoke_count++;
        }
        c->arrived = c->conn.arrived;
        c->since = now;
        c->next_at = c->since + c->wanted;
        if (++c->interrupted > INTERRUPTED) {
            sample = (struct idle_sample){now - c->since, IDLE_INCONCLUSIVE, false};
            x->spoken++;
            idle_sample_is(x, c, sample, spoke, now);
            return now;
        }
    }
    if (now >= c->next_at)
        ask(x, c, e, now);
    return c->next_at;
}

/* Handles an answer: the connection is alive. With --keepalive the next silence begins. */
static void answered(struct idle *x, struct idle_conn *c, struct conn *e, wave_time now)
{
    c->since = conn_last_in(e);
    c->arrived = c->conn.arrived;
    c->interrupted = 0;
    if (x->options->keepalive && now - c->begun < x->options->to) {
        idle_go_to(c, IDLE_QUIET, c->since + c->wanted);
        return;
    }
    idle_sample_is(x, c, (struct idle_sample){c->sample.silence, IDLE_ALIVE, false},
                   c->repeats || c->step == IDLE_DATA ? "answered after a retransmission" : NULL,
                   now);
}

/* Probes the control connection: does it live while another one does not answer? */
static void ask_control(struct idle *x, wave_time now)
{
    struct conn *control = x->control ? session_engine(x->session, &x->control->conn) : NULL;

    if (control && conn_probe(control, false) == 0)
        session_changed(x->session, &x->control->conn, now);
}

/* Nothing has answered so far: sends a few probes with a byte, and then data; where that is
 * impossible, more probes. Where the SYN was lost the RTO begins with 3 s (RFC 6298, 5.7), and data
 * alone would be sent too few times to tell loss from death. */
static void ask_again(struct idle *x, struct idle_conn *c, struct conn *e, wave_time now)
{
    static const char byte = '\n';

    if (c->step == IDLE_ASKED)
        ask_control(x, now);
    if (x->options->state == IDLE_HALF_CLOSED) {
        conn_probe(e, true);
        c->step = IDLE_DATA;
        c->next_at = now + c->pause;
        if (now - c->asked_at >= x->options->tcp.give_up)
            idle_go_to(c, IDLE_IN_DOUBT, WAVE_NEVER);
    } else if (!c->heard && now - c->asked_at < time_min(PROBING, x->options->tcp.give_up / 2)) {
        c->repeats++;
        conn_probe(e, true);
        c->next_at = now + c->pause / 2;
    } else {
        conn_send(e, now, &byte, 1);
        idle_go_to(c, IDLE_DATA, WAVE_NEVER); /* the engine gives up */
    }
    session_changed(x->session, &c->conn, now);
}

static wave_time asked(struct idle *x, struct idle_conn *c, struct conn *e, wave_time now)
{
    c->sample.outcome = c->icmp ? IDLE_ICMP : IDLE_SILENT;
    if (idle_has_ended(e, &c->sample.outcome) || conn_state(e) == STATE_CLOSED) {
        ask_control(x, now);
        idle_go_to(c, IDLE_IN_DOUBT, WAVE_NEVER);
        return now;
    }
    /* What the peer sends of its own accord answers nothing: then only our data can show that what
     * we send arrives. */
    if (x->options->state != IDLE_HALF_CLOSED)
        c->heard |= conn_received(e) != c->received;
    const bool untold = c->heard && c->step != IDLE_DATA;
    if (conn_last_in(e) > c->asked_at && !untold && !conn_outstanding(e)) {
        answered(x, c, e, now);
        return now;
    }
    if (now >= c->next_at)
        ask_again(x, c, e, now);
    return c->next_at;
}

/* The third segment of the handshake was sent late, and may be answered with RST. */
static wave_time completing(struct idle *x, struct idle_conn *c, struct conn *e, wave_time now)
{
    if (conn_state(e) == STATE_CLOSED || conn_fin_received(e))
        return asked(x, c, e, now);
    if (now >= c->next_at)
        ask(x, c, e, now);
    return c->next_at;
}

/* It is dead, as it seems. That counts once the control connection has been answered since. */
static wave_time in_doubt(struct idle *x, struct idle_conn *c, wave_time now)
{
    const struct conn *control = x->control ? session_engine(x->session, &x->control->conn) : NULL;

    if (!control || !state_synchronized(conn_state(control)) ||
        conn_last_in(control) <= c->asked_at)
        return WAVE_NEVER;
    idle_sample_is(x, c, c->sample, NULL, now);
    return now;
}

static wave_time inquest(struct idle *x, struct idle_conn *c, const struct conn *e, wave_time now)
{
    const bool accepted = conn_state(e) == STATE_ESTABLISHED;
    const struct report_flow *f = session_flow(&c->conn);

    c->old_acked = f && signs_count(&f->signs, SIGN_ACK_ASTRAY) > 0;
    if (!c->old_acked && !accepted && conn_state(e) != STATE_CLOSED && now < c->next_at)
        return c->next_at;
    tell_death(x, c, accepted);
    idle_close(x, c, now);
    return now;
}

/* Takes a connection as far as it gets now. It may be released. Returns when to come back. */
static wave_time conn_turn(struct idle *x, struct idle_conn *c, wave_time now)
{
    struct conn *e = session_engine(x->session, &c->conn);

    discard(x, c, e, now);
    switch (c->step) {
    case IDLE_OPENING:
    case IDLE_PROVING:
    case IDLE_AGAIN:
    case IDLE_HALF_CLOSING:
        return idle_opening(x, c, e, now);
    case IDLE_QUIET:
        return quiet(x, c, e, now);
    case IDLE_COMPLETING:
        return completing(x, c, e, now);
    case IDLE_ASKED:
    case IDLE_DATA:
        return asked(x, c, e, now);
    case IDLE_IN_DOUBT:
        return in_doubt(x, c, now);
    case IDLE_INQUEST:
        return inquest(x, c, e, now);
    case IDLE_CLOSING:
        if (conn_state(e) != STATE_CLOSED && now < c->next_at)
            return c->next_at;
        session_end_conn(x->session, &c->conn, STOP_ASKED);
        idle_go_to(c, IDLE_OVER, now + WAVE_MS); /* until its RST has left */
        return c->next_at;
    case IDLE_OVER:
        if (now < c->next_at)
            return c->next_at;
        session_release(x->session, &c->conn);
        x->open--;
        return WAVE_NEVER;
    }
    return WAVE_NEVER;
}

static wave_time silence_so_far(const struct idle_conn *c, wave_time now)
{
    return c->step < IDLE_QUIET ? 0 : c->step == IDLE_QUIET ? now - c->since : c->sample.silence;
}

/* Gives up the connections that have no sample yet. If `note` is given, they get one that says
 * nothing. */
static void give_up_samples(struct idle *x, const char *note, wave_time now)
{
    struct session_conn *next;

    for (struct session_conn *c = session_first(x->session); c; c = next) {
        next = session_next(x->session, c);
        if (idle_of(c)->control || idle_of(c)->step >= IDLE_INQUEST)
            continue;
        if (note)
            idle_sample_is(
                x, idle_of(c),
                (struct idle_sample){silence_so_far(idle_of(c), now), IDLE_INCONCLUSIVE, false},
                note, now);
        else
            idle_close(x, idle_of(c), now);
    }
}

/*
 * The control connection
 */

static void open_control(struct idle *x)
{
    x->control = idle_open(x, NULL);
    x->control_asked = x->control_answered = false;
    x->controls++;
    if (x->control)
        x->control->control = true;
    else
        session_fail(x->session, &(struct diag){"no port or memory for the control connection"});
}

/* Opens another control connection in the place of one that has ended. From now on, that one is one
 * of the others, and over. */
static void replace_control(struct idle *x, wave_time now)
{
    x->control->control = false;
    x->open++;
    idle_close(x, x->control, now);
    open_control(x);
}

/* The peer holds the control connection. */
static void control_opened(struct idle *x, struct conn *e, wave_time now)
{
    const struct keepalive_times times = {.idle = x->control_every,
                                          .interval =
                                              x->control_every < WAVE_S ? x->control_every : WAVE_S,
                                          .count = CONTROL_PROBES};

    x->control->step = IDLE_QUIET;
    x->refused_since = x->control_next = 0;
    if (conn_keepalive_times(e, now, &times) != 0)
        conn_keepalive(e, now, true);
    session_changed(x->session, &x->control->conn, now);
}

/* Ends the run, since no control connection can be opened, or kept. */
static void lose(struct idle *x)
{
    x->lost = true;
    session_stop(x->session, STOP_END);
}

/* Another control connection was refused, or rejected: tries it for a while, since a service may be
 * there a little later than its host. */
static void control_refused(struct idle *x, wave_time now)
{
    const wave_time patience = time_min(REFUSED, x->options->tcp.give_up / 2);

    if (!x->refused_since)
        x->refused_since = now;
    if (now >= x->refused_since + patience) {
        lose(x);
    } else if (!x->control_next) {
        x->control_next = now + REFUSED_PAUSE;
    } else if (now >= x->control_next) {
        x->control_next = 0;
        replace_control(x, now);
    }
}

/* A control connection was not opened. The first one says how the run ends; a later one may have
 * been lost on the way. */
static void control_unopened(struct idle *x, enum conn_end end, wave_time now)
{
    if (x->controls == 1)
        session_stop(x->session, STOP_END);
    else if (end != END_TIMEOUT_SYN)
        control_refused(x, now);
    else if (++x->control_fails >= CONTROL_SYNS)
        lose(x);
    else
        replace_control(x, now);
}

/* The peer does not hold the control connection after its handshake. */
static void control_unheld(struct idle *x, struct conn *e, wave_time now)
{
    x->unheld[x->control->unheld] += !x->control_next;
    x->control_unheld = true;
    if (conn_state(e) != STATE_CLOSED) {
        conn_abort(e, now);
        session_changed(x->session, &x->control->conn, now);
    }
    control_refused(x, now);
}

/* The control connection is not open yet, or the peer has not shown yet that it holds it. Returns
 * when to come back. */
static wave_time control_opening(struct idle *x, struct conn *e, wave_time now)
{
    if (x->control->step == IDLE_OPENING && conn_state(e) == STATE_CLOSED) {
        control_unopened(x, conn_end(e), now);
        return WAVE_NEVER;
    }
    if (x->control->step == IDLE_OPENING && conn_state(e) == STATE_ESTABLISHED)
        idle_prove_begin(x, x->control, now);
    if (x->control->step == IDLE_OPENING)
        return WAVE_NEVER;
    switch (idle_prove(x, x->control, e, now)) {
    case IDLE_HELD:
        control_opened(x, e, now);
        break;
    case IDLE_UNHELD:
        control_unheld(x, e, now);
        break;
    case IDLE_UNPROVED:
        return x->control->next_at;
    }
    return WAVE_NEVER;
}

/* A control connection that was open has ended. */
static void control_ended(struct idle *x, enum conn_end end, wave_time now)
{
    const bool forgotten =
        end == END_KEEPALIVE || end == END_TIMEOUT || (end == END_RESET && x->control_asked);

    if (end == END_RESET && x->control_asked)
        give_up_samples(x, forgotten_all, now);
    else if (forgotten && x->control_answered)
        give_up_samples(x, dead_all, now);
    x->blame[x->search.pass].control += !forgotten;
    if (forgotten && !x->control_answered) {
        x->control_silent = x->control_every;
        x->control_every = x->control_every / 4 > CONTROL_MIN ? x->control_every / 4 : CONTROL_MIN;
        x->control_fails++;
    }
    if (x->control_fails >= CONTROL_TRIES)
        lose(x);
    else
        replace_control(x, now);
}

/* Returns when to come back. */
static wave_time control_turn(struct idle *x, wave_time now)
{
    struct conn *e;

    if (!x->controls) {
        x->control_every = x->search.config.from / 2;
        if (x->control_every > CONTROL_MAX)
            x->control_every = CONTROL_MAX;
        open_control(x);
    }
    if (!x->control)
        return WAVE_NEVER;
    e = session_engine(x->session, &x->control->conn);
    discard(x, x->control, e, now);
    if (x->control->step < IDLE_QUIET)
        return control_opening(x, e, now);
    if (conn_state(e) == STATE_CLOSED || conn_fin_received(e))
        control_ended(x, conn_end(e), now);
    return WAVE_NEVER;
}

/*
 * Passes
 */

/* Returns whether an end of the bracket has moved by more than chance. */
static bool has_moved(wave_time before, wave_time now)
{
    const wave_time less = before < now ? before : now, more = before < now ? now : before;

    return more - less > less / MOVED_SHARE;
}

/* Returns whether nothing more can be learnt, since the peer itself sends so often, or does not
 * hold the connections. It is asked after each pass. */
static bool is_hindered(struct idle *x)
{
    struct idle_answer a;

    idle_search_answer(&x->search, &a);
    const bool told = a.kind != x->before.kind || has_moved(x->before.survived, a.survived) ||
                      has_moved(x->before.died, a.died);
    x->stalled = x->search.pass && (x->spoken || x->unheld_now) && !told ? x->stalled + 1 : 0;
    x->spoken = x->unheld_now = 0;
    x->before = a;
    return x->stalled == STALLED;
}

/* Begins the next pass. Returns false if there is none. */
static bool begin_pass(struct idle *x, wave_time now)
{
    wave_time silence[IDLE_PARALLEL];

    x->hindered = is_hindered(x);
    if (x->hindered)
        return false;
    const unsigned n = idle_search_plan(&x->search, silence);

    for (unsigned i = 0; i < n; i++) {
        struct idle_conn *c = idle_open(x, NULL);
        if (!c) {
            idle_search_add(&x->search, &(struct idle_sample){.outcome = IDLE_INCONCLUSIVE});
            x->doubt = unopened;
            continue;
        }
        c->wanted = silence[i];
        if (x->options->state == IDLE_SYN_RECEIVED)
            conn_hold(session_engine(x->session, &c->conn), true);
        x->open++;
    }
    x->asleep = platform_asleep(x->options->show.platform);
    x->pass_began = now;
    x->pass_ends = now + (n ? silence[n - 1] : 0);
    if (x->options->keepalive)
        x->pass_ends = now + x->options->to;
    return n > 0;
}

wave_time idle_turn(struct session *s, wave_time now)
{
    struct idle *x = s->user;
    struct session_conn *next;
    wave_time at;

    x->session = s;
    at = control_turn(x, now);
    for (struct session_conn *c = session_first(s); c && !s->loop.done; c = next) {
        next = session_next(s, c);
        if (!idle_of(c)->control)
            at = time_min(at, conn_turn(x, idle_of(c), now));
    }
    if (s->loop.done || !x->control || x->control->step < IDLE_QUIET)
        return x->control_next ? time_min(at, x->control_next) : at;
    if (platform_asleep(x->options->show.platform) > x->asleep + SUSPENDED) {
        x->asleep = platform_asleep(x->options->show.platform);
        give_up_samples(x, asleep, now);
        return now;
    }
    if (x->search.pass && x->search.pending && idle_search_pass_over(&x->search)) {
        give_up_samples(x, NULL, now);
        x->search.pending = 0;
        return now;
    }
    if (!x->open) {
        if (!begin_pass(x, now)) {
            x->done = true;
            session_stop(s, STOP_ASKED);
            return WAVE_NEVER;
        }
        idle_progress(x, now, true);
        return now;
    }
    session_await(s, "the longest silence of this pass", x->pass_ends);
    return time_min(at, idle_progress(x, now, false));
}

static void answered_control(struct idle *x)
{
    x->control_asked = false;
    x->control_answered = true;
    x->control_fails = 0;
}

static void icmp_came(struct idle *x, struct idle_conn *c, const struct addr *from, uint8_t type,
                      uint8_t code)
{
    c->icmp = x->has_icmp = true;
    x->icmp_from = *from;
    x->icmp_type = type;
    x->icmp_code = code;
}

void idle_icmp(struct session *s, struct session_conn *c, const struct icmp *e)
{
    const struct report_flow *f = session_flow(c);
    struct idle *x = s->user;

    if (x->options->state != IDLE_HALF_CLOSED || idle_of(c)->control || !f || !f->signs.has_high ||
        (idle_of(c)->step != IDLE_ASKED && idle_of(c)->step != IDLE_DATA))
        return;
    if (e->meaning != ICMP_TOO_BIG && e->has_seq && seq_eq(e->seq, seq_sub(f->signs.high, 1)))
        icmp_came(x, idle_of(c), &e->from, e->type, e->code);
}

void idle_event(struct session *s, struct session_conn *c, const struct event *e)
{
    struct idle *x = s->user;

    if (idle_of(c)->control && e->kind == EVENT_PROBE)
        x->control_asked = true;
    else if (idle_of(c)->control && e->kind == EVENT_PROBE_ANSWER)
        answered_control(x);
    else if (e->kind == EVENT_ICMP && e->u.icmp.meaning != ICMP_TOO_BIG && !idle_of(c)->control &&
             idle_of(c)->step == IDLE_DATA)
        icmp_came(x, idle_of(c), &e->u.icmp.from, e->u.icmp.type, e->u.icmp.code);
    else if (e->kind == EVENT_PEER_PROBE && idle_of(c)->step == IDLE_DATA)
        idle_of(c)->heard = true;
}

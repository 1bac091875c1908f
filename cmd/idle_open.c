/* How `tcpwave idle` opens its connections, makes sure that the peer holds them before their
 * silence begins, opens those once more that it does not hold, and closes them; cmd/idle.h says
 * why. */
#include "cmd/idle.h"

#include "cmd/platform.h"

#define CLOSING (2 * WAVE_S)
#define SETTLES WAVE_MS          /* between the end of the handshake and the first probe */
#define PROVE_PROBES 7           /* first probes, after which it is not held */
#define REPEATS (1300 * WAVE_MS) /* a SYN-ACK that is not answered is repeated by then */
#define REPEATED 2         /* SYN-ACKs that the peer repeats only if it takes none of our answers */
#define AGAIN_MAX 3        /* how often a connection is opened once more */
#define AGAIN_PAUSE WAVE_S /* before the first time, and twice as long before each further one */

static const char *const unheld_note[IDLE_UNHELD_KINDS] = {
    [IDLE_UNHELD_RST] = "not held by the peer: a RST answered its first probe",
    [IDLE_UNHELD_SILENT] = "not held by the peer: nothing answered its first probes",
    [IDLE_UNHELD_SYN_ACK] = "not held by the peer, which repeats its SYN-ACK",
    [IDLE_UNHELD_FIN] = "not held by the peer: nothing acknowledged our FIN",
    [IDLE_UNHELD_REFUSED] = "refused, while another connection is open",
    [IDLE_UNHELD_SYN] = "the connection could not be opened"};

struct idle_conn *idle_open(struct idle *x, const uint32_t *named)
{
    struct session_conn *c;

    for (uint32_t tries = named ? 1 : x->ports; tries > 0; tries--) {
        const uint32_t port = named ? *named : x->next_port;

        if (!named)
            x->next_port = (x->next_port + 1) % x->ports;
        if (session_connect(x->session, port, &x->target.addr, x->target.port, &c) != 0)
            continue;
        idle_of(c)->port = port;
        return idle_of(c);
    }
    return NULL;
}

void idle_close(struct idle *x, struct idle_conn *c, wave_time now)
{
    struct conn *e = session_engine(x->session, &c->conn);

    if (e && conn_held(e)) { /* a RST takes the half-open connection from the peer */
        conn_abort(e, now);
        session_changed(x->session, &c->conn, now);
        idle_go_to(c, IDLE_CLOSING, now);
        return;
    }
    if (!e || conn_state(e) == STATE_CLOSED) {
        idle_go_to(c, IDLE_OVER, now);
        return;
    }
    conn_keepalive(e, now, false);
    conn_close(e, now);
    session_changed(x->session, &c->conn, now);
    idle_go_to(c, IDLE_CLOSING, now + CLOSING);
}

/*
 * Does the peer hold it?
 */

/* Returns how many SYN-ACKs of the peer's have come. */
static uint32_t syn_acks(const struct idle_conn *c)
{
    return c->conn.record ? c->conn.record->syn_acks : 0;
}

void idle_prove_begin(struct idle *x, struct idle_conn *c, wave_time now)
{
    c->begun = now;
    c->asked_at = 0;
    c->repeats = 0;
    c->syn_acks = syn_acks(c);
    c->asleep = platform_asleep(x->options->show.platform);
    idle_go_to(c, IDLE_PROVING, now + SETTLES);
}

/* Returns whether the peer has shown that it is past SYN_RECEIVED: it has sent data, or told by a
 * D-SACK (RFC 2883) that it had the byte of our probe already. In SYN_RECEIVED a host does
 * neither. */
static bool is_past_handshake(const struct idle_conn *c, const struct conn *e)
{
    const struct report_flow *f = session_flow(&c->conn);

    return conn_received(e) > 0 || (f && f->signs.unneeded > 0);
}

/* Returns when a peer in SYN_RECEIVED would have repeated its SYN-ACK. The first time is after a
 * second, and then each pause is twice as long. */
static wave_time repeats_by(const struct idle_conn *c)
{
    const struct session_record *r = c->conn.record;

    return r && r->syn_acks > 1 ? r->syn_ack_at[1] + 2 * REPEATS : c->begun + REPEATS;
}

/* Sends another probe. It has a byte: some hosts answer no other, and others tell more then. */
static void prove_by_probe(struct idle *x, struct idle_conn *c, struct conn *e, wave_time now)
{
    conn_probe(e, true);
    session_changed(x->session, &c->conn, now);
    c->asked_at = c->asked_at ? c->asked_at : now;
    c->pause = idle_patience(e);
    c->next_at = now + (c->repeats++ ? c->pause / 2 : c->pause);
}

enum idle_proof idle_prove(struct idle *x, struct idle_conn *c, struct conn *e, wave_time now)
{
    const bool answered = c->asked_at && conn_last_in(e) > c->asked_at;

    if (answered && !c->answered) {
        c->answered = true;
        c->syn_acks_crossed = syn_acks(c);
    }
    c->unheld = IDLE_UNHELD_SILENT;
    if (conn_fin_received(e))
        return IDLE_HELD;
    if (conn_state(e) == STATE_CLOSED) {
        if (conn_end(e) == END_RESET)
            c->unheld = IDLE_UNHELD_RST;
        return IDLE_UNHELD;
    }
    if (idle_is_repeating(c)) {
        c->unheld = IDLE_UNHELD_SYN_ACK;
        return IDLE_UNHELD;
    }
    if (syn_acks(c) != c->syn_acks) { /* our acknowledgement of it is sent, and then a probe */
        c->syn_acks = syn_acks(c);
        c->asked_at = 0;
        c->next_at = now + SETTLES;
    } else if (answered && (is_past_handshake(c, e) || now >= repeats_by(c))) {
        return IDLE_HELD;
    } else if (answered) {
        c->next_at = repeats_by(c);
    } else if (now >= c->next_at) {
        if (c->repeats == PROVE_PROBES)
            return IDLE_UNHELD;
        prove_by_probe(x, c, e, now);
    }
    return IDLE_UNPROVED;
}

/* Those that came before the first answer may have crossed our third segment on a long path. */
bool idle_is_repeating(const struct idle_conn *c)
{
    return c->answered && syn_acks(c) >= c->syn_acks_crossed + REPEATED;
}

wave_time idle_not_held(struct idle *x, struct idle_conn *c, enum idle_unheld why, wave_time now)
{
    struct conn *e = session_engine(x->session, &c->conn);

    x->unheld[why]++;
    if (why == IDLE_UNHELD_SYN || c->tries == AGAIN_MAX) {
        x->left_out++;
        x->unheld_now++;
        idle_sample_is(x, c, (struct idle_sample){.outcome = IDLE_INCONCLUSIVE}, unheld_note[why],
                       now);
        return now;
    }
    if (conn_state(e) != STATE_CLOSED) { /* what the peer may have of it goes with a RST */
        conn_abort(e, now);
        session_changed(x->session, &c->conn, now);
    }
    idle_go_to(c, IDLE_AGAIN, now + (AGAIN_PAUSE << c->tries++));
    return c->next_at;
}

/* Opens it once more, by another port. */
static wave_time open_again(struct idle *x, struct idle_conn *c, wave_time now)
{
    struct idle_conn *other = now < c->next_at ? NULL : idle_open(x, NULL);

    if (now >= c->next_at && !other)
        c->next_at = now + AGAIN_PAUSE;
    if (!other)
        return c->next_at;
    other->wanted = c->wanted;
    other->tries = c->tries;
    session_release(x->session, &c->conn);
    return WAVE_NEVER;
}

/*
 * The steps until it is silent
 */

static void begin_silence(struct idle *x, struct idle_conn *c, wave_time now)
{
    c->since = now;
    c->arrived = c->conn.arrived;
    c->asleep = platform_asleep(x->options->show.platform);
    idle_go_to(c, IDLE_QUIET, now + c->wanted);
    if (!x->options->keepalive && c->next_at > x->pass_ends)
        x->pass_ends = c->next_at;
}

/* It is SYN_SENT, or its handshake has ended. */
static wave_time handshake(struct idle *x, struct idle_conn *c, const struct conn *e, wave_time now)
{
    const enum state state = conn_state(e);

    if (state == STATE_CLOSED)
        return idle_not_held(
            x, c, conn_end(e) == END_REFUSED ? IDLE_UNHELD_REFUSED : IDLE_UNHELD_SYN, now);
    if (!state_synchronized(state) || state == STATE_SYN_RECEIVED)
        return WAVE_NEVER;
    if (x->options->state == IDLE_SYN_RECEIVED) {
        c->begun = now;
        begin_silence(x, c, now);
    } else {
        idle_prove_begin(x, c, now);
    }
    return c->next_at;
}

static wave_time proving(struct idle *x, struct idle_conn *c, struct conn *e, wave_time now)
{
    switch (idle_prove(x, c, e, now)) {
    case IDLE_UNHELD:
        return idle_not_held(x, c, c->unheld, now);
    case IDLE_UNPROVED:
        return c->next_at;
    case IDLE_HELD:
        break;
    }
    if (x->options->state != IDLE_HALF_CLOSED || conn_fin_received(e)) {
        conn_ack(e); /* see the head of cmd/idle.h */
        session_changed(x->session, &c->conn, now);
        begin_silence(x, c, now);
        return c->next_at;
    }
    conn_close(e, now);
    session_changed(x->session, &c->conn, now);
    c->begun = now;
    idle_go_to(c, IDLE_HALF_CLOSING, WAVE_NEVER);
    return c->next_at;
}

static wave_time half_closing(struct idle *x, struct idle_conn *c, struct conn *e, wave_time now)
{
    struct idle_sample sample = {.silence = now - c->begun, .seen = true};

    if (idle_has_ended(e, &sample.outcome)) {
        idle_sample_is(x, c, sample, NULL, now);
        return now;
    }
    if (conn_state(e) == STATE_CLOSED)
        return idle_not_held(x, c, IDLE_UNHELD_FIN, now);
    if (idle_is_repeating(c))
        return idle_not_held(x, c, IDLE_UNHELD_SYN_ACK, now);
    if (conn_state(e) != STATE_FIN_WAIT_2)
        return WAVE_NEVER;
    begin_silence(x, c, now);
    return c->next_at;
}

wave_time idle_opening(struct idle *x, struct idle_conn *c, struct conn *e, wave_time now)
{
    switch (c->step) {
    case IDLE_OPENING:
        return handshake(x, c, e, now);
    case IDLE_PROVING:
        return proving(x, c, e, now);
    case IDLE_AGAIN:
        return open_again(x, c, now);
    default:
        return half_closing(x, c, e, now);
    }
}

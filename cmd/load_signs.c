/*
 * Notices what a connection of `tcpwave load` shows that a finding may be based on
 * (lib/report/facts.h: many_kind), and counts the connections. No segment is on record, so that
 * each is judged when the engine has an event for it, by the connection as it is then.
 */
#include "cmd/load.h"

#define SOON (150 * WAVE_MS)   /* from our data to its answer */
#define FEW 2                  /* retransmissions that were not taken */
#define AT_ONCE (20 * WAVE_MS) /* after the handshake, or two round trips */
#define TO_FIN                                                                                     \
    (50 * WAVE_MS)  /* what comes so soon after our FIN may answer it, or two round trips */
#define IDLE WAVE_S /* the shortest silence that counts */
#define ANOTHER_CLOCK (1u << 24) /* timestamps that no delay on the way is apart: 16 s at least */
#define NARROW 256               /* bytes of a window that are of little use */
#define SHUT_PROBES 3            /* of a shut window: more than a second */
#define FIN_TIMES 5              /* that our FIN was sent: several seconds */
#define FULL 1300                /* bytes of data that make a large segment */
#define BEYOND_MAX 1000        /* bytes beyond a gap: what is larger did not vanish for its size */
#define RTO_MAX (120 * WAVE_S) /* the engine's: conn_config.rto_max */
#define GAP_MIN (3 * WAVE_S)

/* Counts the connection, if it has not been counted for that. With rules of --impair, it may be
 * their doing. */
static void count_once(struct load *l, struct load_conn *x, unsigned saw, enum many_kind kind)
{
    if (l->impair || (x->seen & saw))
        return;
    x->seen = (x->seen | saw) & 63;
    l->seen.many.count[kind]++;
}

static void count_end(struct load *l, enum many_kind kind)
{
    if (!l->impair)
        l->seen.many.count[kind]++;
}

/* Returns how long the step has taken that the connection has reached. */
static wave_time taken(const struct load *l, const struct load_conn *x)
{
    const wave_time since = course_since(&x->course);

    return l->when > since ? l->when - since : 0;
}

static wave_time trips(const struct conn *c, wave_time least)
{
    const wave_time two = 2 * conn_srtt(c);

    return two > least ? two : least;
}

/* Returns how many bytes of our data the peer has acknowledged. */
static uint32_t acknowledged(const struct load *l, const struct conn *c)
{
    const uint32_t n = conn_snd_una(c).v - conn_iss(c).v;

    if (!n || n > l->options->data.len)
        return n ? (uint32_t)l->options->data.len : 0;
    return n - 1;
}

/* Returns whether the peer has acknowledged our SYN, and not all of our data. */
static bool some_untaken(const struct load *l, const struct conn *c)
{
    return acknowledged(l, c) < l->options->data.len;
}

void load_seen_tolerated(struct load *l, struct load_conn *x)
{
    count_once(l, x, LOAD_SAW_UNSTAMPED, MANY_UNSTAMPED);
}

/* RFC 7323, 5.3, R1. A segment that was delayed on the way is discarded as well. But TS.Recent is
 * that of a segment at RCV.NXT at most, so that new data from there on was sent later; and no
 * delay makes timestamps so far apart. */
static void old_timestamp(struct load *l, const struct conn *c, struct load_conn *x,
                          const struct seg *s)
{
    if ((seg_len(s) && seq_geq(s->seq, conn_rcv_nxt(c))) ||
        conn_ts_recent(c) - s->opt.tsval >= ANOTHER_CLOCK)
        count_once(l, x, LOAD_SAW_OLD_TIMESTAMP, MANY_OLD_TIMESTAMP);
}

/* What was discarded in SYN-SENT acknowledges no SYN of ours. Once ports are used a second time, it
 * may be for the connection before. */
static void note_astray(struct load *l, const struct conn *c, const struct seg *s)
{
    const enum sign_kind kind = s->flags & SEG_RST   ? SIGN_RST_ASTRAY
                                : s->flags & SEG_SYN ? SIGN_SYN_ACK_ASTRAY
                                                     : SIGN_ACK_ASTRAY;

    /* With rules, the segment may be one that they changed or made. */
    if (!l->impair && conn_state(c) == STATE_SYN_SENT && l->opened <= l->tuples.ports &&
        (s->flags & (SEG_RST | SEG_ACK)))
        signs_note(&l->seen.flow.signs, kind, 0);
}

/* Returns whether the peer has acknowledged our SYN and none of our data. */
static bool is_untaken(const struct load *l, const struct conn *c)
{
    return l->options->data.len && conn_only_syn_acked(c);
}

/* A SYN-ACK that is repeated after our acknowledgement, while our data is not taken though it was
 * repeated twice. A path that loses one segment in ten loses all of these of one connection in ten
 * thousand. */
static void note_syn_ack(struct load *l, const struct conn *c, struct load_conn *x)
{
    if (conn_state(c) == STATE_SYN_SENT || !is_untaken(l, c) || x->shut_out)
        return;
    if (conn_backoff(c) < FEW)
        return;
    x->shut_out = true;
    l->seen.queue_full++;
}

void load_seen_discarded(struct load *l, const struct conn *c, struct load_conn *x, enum check why)
{
    const struct seg *s = l->seen.segment;

    if (!s)
        return;
    if (why == CHECK_PAWS)
        old_timestamp(l, c, x, s);
    note_astray(l, c, s);
    if ((s->flags & (SEG_SYN | SEG_ACK | SEG_RST)) == (SEG_SYN | SEG_ACK))
        note_syn_ack(l, c, x);
}

static bool is_target(const struct load *l, const struct flow *flow)
{
    for (uint32_t i = 0; i < l->plan.pairs; i++) {
        const struct load_pair *p = &l->plan.pair[i];
        if (p->rport == flow->rport && addr_eq(&p->remote, &flow->remote))
            return true;
    }
    return false;
}

void load_seen_stray(struct load *l, const struct flow *flow)
{
    if (l->impair || is_target(l, flow) ||
        (l->seen.segment->flags & (SEG_SYN | SEG_ACK | SEG_RST)) != (SEG_SYN | SEG_ACK))
        return;
    l->seen.elsewhere++;
    l->seen.answerer = flow->remote;
    l->seen.answerer_port = flow->rport;
}

void load_seen_icmp(struct load *l, const struct event *e)
{
    if (l->impair || (e->u.icmp.meaning != ICMP_SOFT && e->u.icmp.meaning != ICMP_HARD))
        return;
    l->seen.icmps++;
    l->seen.icmp =
        (struct icmp){.from = e->u.icmp.from, .type = e->u.icmp.type, .code = e->u.icmp.code};
}

/* With SYN cookies a host repeats no SYN-ACK. While its accept queue is full it ignores our ACK and
 * our data, and later it answers as one that knows no such connection: with a RST without ACK (RFC
 * 9293, 3.10.7.1). At once a firewall may do that as well. */
static void note_forgotten(struct load *l, const struct conn *c, struct load_conn *x)
{
    const struct seg *s = l->seen.segment;
    const bool soon =
        course_step(&x->course) == COURSE_ANSWER && l->loop.now - course_since(&x->course) < SOON;

    if (conn_end(c) != END_RESET || !s || (s->flags & (SEG_RST | SEG_ACK)) != SEG_RST || soon ||
        !is_untaken(l, c) || x->shut_out)
        return;
    x->shut_out = true;
    l->seen.queue_full++;
}

/* Returns whether the peer was heard since the retransmission timer fired the last time but one,
 * when what it has fired for now was sent last. Each wait of the timer has twice the length of the
 * one before, and the timer may be late. */
static bool heard_since(const struct load *l, const struct conn *c, uint32_t n)
{
    const wave_time before = time_min(conn_rto(c) << (n - 1), RTO_MAX);

    return conn_last_in(c) + before + before / 4 > l->loop.now;
}

/* A window probe, or our FIN once more. */
void load_seen_retransmission(struct load *l, const struct conn *c, struct load_conn *x,
                              const struct event *e)
{
    const uint32_t n = e->u.retransmit.n;
    const enum retransmit_kind why = e->u.retransmit.why;
    const bool fin_alone = conn_fin_sent(c) && conn_flight(c) == 1;

    if (n > 20 || conn_state(c) == STATE_SYN_SENT)
        return;
    if (why == RETRANSMIT_PERSIST && n >= SHUT_PROBES && conn_snd_wnd(c) < NARROW &&
        some_untaken(l, c) && heard_since(l, c, n))
        count_once(l, x, LOAD_SAW_WINDOW, MANY_WINDOW_SHUT);
    if (why == RETRANSMIT_RTO && n >= FIN_TIMES && fin_alone && heard_since(l, c, n))
        count_once(l, x, LOAD_SAW_FIN, MANY_FIN_UNTAKEN);
}

void load_seen_mss(const struct load *l, const struct conn *c, struct load_conn *x)
{
    x->cut = conn_cut(c) && !l->impair;
}

/* RFC 7323, 3.2: returns whether the segment echoes what this connection cannot have sent, since it
 * is of the future or from before the run. */
static bool echoes_astray(const struct load *l, const struct conn *c, const struct seg *s)
{
    const uint32_t age = conn_stamp(c, l->loop.now) - s->opt.tsecr;

    return conn_stamped(c) && (s->opt.has & OPT_TIMESTAMP) && s->opt.tsecr &&
           (s->flags & (SEG_ACK | SEG_RST | SEG_SYN)) == SEG_ACK &&
           age > (l->loop.now - l->began) / WAVE_MS + 1;
}

static void look_at_echo(struct load *l, const struct conn *c, struct load_conn *x)
{
    if (l->seen.segment && echoes_astray(l, c, l->seen.segment))
        count_once(l, x, LOAD_SAW_ECHO, MANY_ECHO_ASTRAY);
}

void load_seen_data(struct load *l, const struct conn *c, struct load_conn *x)
{
    const struct seg *s = l->seen.segment;

    if (s && s->len > l->seen.largest)
        l->seen.largest = s->len;
    if (course_step(&x->course) == COURSE_ANSWER)
        look_at_echo(l, c, x);
    else
        x->later = true;
}

/* Returns whether the connection was established so short a time ago, and nothing has come since.
 * The step of before our close begins with the handshake, but with data, once the answer is not
 * waited for any more. */
static bool at_once(const struct load *l, const struct conn *c, const struct load_conn *x)
{
    const enum course_step step = course_step(&x->course);

    return !conn_received(c) && step == (l->options->data.len ? COURSE_ANSWER : COURSE_HOLD) &&
           taken(l, x) <= trips(c, AT_ONCE);
}

static void count_at_once(struct load *l, const struct load_conn *x, enum many_kind kind)
{
    const wave_time after = taken(l, x);

    count_end(l, kind);
    if (after > l->seen.many.at_once)
        l->seen.many.at_once = after;
}

/* Returns whether neither side has sent anything for long: all of ours was acknowledged. */
static bool was_idle(const struct load *l, const struct conn *c, const struct load_conn *x)
{
    return course_step(&x->course) == COURSE_HOLD && !x->later && !conn_outstanding(c) &&
           taken(l, x) >= IDLE;
}

static void count_idle(struct load *l, const struct load_conn *x, enum many_kind kind)
{
    struct facts_many *m = &l->seen.many;
    const bool first = !m->count[MANY_FIN_IDLE] && !m->count[MANY_RST_IDLE];

    count_end(l, kind);
    m->idle = first ? taken(l, x) : time_min(m->idle, taken(l, x));
}

/* The peer's FIN, before ours. One that has read what we sent may need no more, and with
 * --close=passive it was asked to close first. */
void load_seen_fin(struct load *l, const struct conn *c, struct load_conn *x)
{
    const bool untaken = some_untaken(l, c);
    const bool asked = l->options->close.how == CLOSE_PASSIVE;

    if (conn_fin_sent(c))
        return;
    if (untaken && conn_received(c))
        x->seen |= LOAD_SAW_EARLY;
    if (at_once(l, c, x) && !asked && (!l->options->data.len || untaken))
        count_at_once(l, x, MANY_FIN_AT_ONCE);
    else if (was_idle(l, c, x))
        count_idle(l, x, MANY_FIN_IDLE);
}

/* Returns whether the RST answers our FIN: it came soon after it, and neither data nor a FIN of the
 * peer's before it. */
static bool answers_fin(const struct load *l, const struct conn *c, const struct load_conn *x)
{
    const struct seg *s = l->seen.segment;

    return course_step(&x->course) == COURSE_CLOSING && conn_fin_sent(c) && !x->later &&
           taken(l, x) <= trips(c, TO_FIN) &&
           (!(s->flags & SEG_ACK) || seq_eq(s->ack, conn_snd_nxt(c)));
}

/* The peer's RST after the handshake. */
static void was_reset(struct load *l, const struct conn *c, const struct load_conn *x)
{
    if (conn_fin_received(c) || !l->seen.segment || x->shut_out)
        return;
    if (at_once(l, c, x)) {
        count_at_once(l, x, MANY_RST_AT_ONCE);
    } else if (answers_fin(l, c, x)) {
        count_end(l, MANY_RST_TO_FIN);
        if (!conn_received(c) && taken(l, x) <= trips(c, AT_ONCE) && !l->options->data.len &&
            !l->options->close.hold)
            count_end(l, MANY_RST_BARE);
    } else if (was_idle(l, c, x)) {
        count_idle(l, x, MANY_RST_IDLE);
    }
}

void load_seen_ended(struct load *l, const struct conn *c, struct load_conn *x)
{
    const bool untaken = some_untaken(l, c);
    const bool reset = conn_end(c) == END_RESET;

    note_forgotten(l, c, x);
    if (reset)
        was_reset(l, c, x);
    if (untaken && ((x->seen & LOAD_SAW_EARLY) || (reset && conn_received(c) && !conn_fin_sent(c))))
        count_end(l, MANY_EARLY);
    if (l->options->data.len >= FULL && acknowledged(l, c)) {
        if (x->cut) {
            count_end(l, MANY_CUT);
            l->seen.queue_full -= x->shut_out; /* our ACK was lost, with our data */
        } else {
            l->seen.passed += acknowledged(l, c) >= FULL;
        }
    }
}

void load_seen_state(struct load *l, const struct conn *c, struct load_conn *x, enum state to)
{
    if (to == STATE_ESTABLISHED) {
        if (conn_unstamped_alone(c))
            count_end(l, MANY_UNSTAMPED_SYN);
        return;
    }
    look_at_echo(l, c, x);
}

void load_seen_gap(struct load *l, const struct conn *c)
{
    const uint32_t beyond = conn_beyond(c);

    if (beyond && beyond < BEYOND_MAX && conn_last_in(c) + GAP_MIN <= l->loop.now)
        count_end(l, MANY_GAP);
}

/*
 * Matches answers to segments. A ring holds the time and the state of the last segments, up to
 * MATCH_MEMORY of them. With sequence numbers that count up, the distance between an answer's
 * number and that of the oldest segment gives the index; with fixed ones, all segments of a port
 * have the same numbers, and the answer goes to the oldest that has none.
 */
#include "cmd/send_match.h"

#include <stdlib.h>

#include "lib/core/err.h"

#define NONE UINT64_MAX

/* Holds what is remembered of one segment. Its numbers follow from its index. */
struct match_sent {
    wave_time stamp;
    bool answered; /* at least once */
};

struct match {
    struct match_plan plan;
    uint64_t memory;   /* size of the ring, a power of two */
    uint64_t head;     /* segments sent; the last `memory` of them are in the ring */
    uint64_t answered; /* segments with an answer, in the whole run */
    uint64_t newest;   /* the last segment that has an answer, or NONE */
    uint64_t seen;    /* the capture is in order: segments before this one are not expected in it */
    bool left;        /* match_seen() has returned true */
    uint64_t expired; /* every segment before it has an answer or was reported as unanswered */
    struct match_sent *ring;
    uint64_t *waiting; /* for each port: no segment before this one waits for its first answer */
};

/* Returns the size of the ring: a power of two, and so small that the sequence numbers in it do not
 * wrap onto each other. */
static uint64_t memory_for(const struct match_plan *plan)
{
    uint64_t n = 1;

    while (n < plan->count && n < MATCH_MEMORY && n * 2 * plan->step <= UINT32_MAX)
        n *= 2;
    return n;
}

int match_open(struct match **out, const struct match_plan *plan)
{
    struct match *m = calloc(1, sizeof *m);

    if (!m)
        return WAVE_ENOMEM;
    m->plan = *plan;
    m->newest = NONE;
    m->memory = memory_for(plan);
    m->ring = calloc(m->memory, sizeof *m->ring);
    m->waiting = calloc(plan->ports, sizeof *m->waiting);
    if (!m->ring || !m->waiting) {
        match_close(m);
        return WAVE_ENOMEM;
    }
    for (uint16_t i = 0; i < plan->ports; i++)
        m->waiting[i] = i;
    *out = m;
    return 0;
}

void match_close(struct match *m)
{
    if (!m)
        return;
    free(m->ring);
    free(m->waiting);
    free(m);
}

uint16_t match_port(const struct match_plan *p, uint64_t i)
{
    return (uint16_t)(p->lport + i % p->ports);
}

uint32_t match_seq(const struct match_plan *p, uint64_t i)
{
    return p->seq + (uint32_t)i * p->step;
}

/* Returns the record of segment `i`, which must still be remembered. */
static struct match_sent *at(const struct match *m, uint64_t i)
{
    return &m->ring[i & (m->memory - 1)];
}

/* Returns the oldest segment that is remembered. */
static uint64_t tail(const struct match *m)
{
    return m->head > m->memory ? m->head - m->memory : 0;
}

/* Returns the first segment from `i` on that has this source port. */
static uint64_t on_port(const struct match *m, uint16_t lport, uint64_t i)
{
    uint64_t place = (uint16_t)(lport - m->plan.lport), ports = m->plan.ports;

    return i + (place + ports - i % ports) % ports;
}

void match_sent(struct match *m, wave_time stamp)
{
    *at(m, m->head++) = (struct match_sent){.stamp = stamp};
}

/* Returns the oldest segment of that port, from `i` on, that has no answer, or NONE. */
static uint64_t unanswered_from(const struct match *m, uint16_t lport, uint64_t i)
{
    i = on_port(m, lport, i);
    while (i < m->head && at(m, i)->answered)
        i += m->plan.ports;
    return i < m->head ? i : NONE;
}

/* Returns the oldest segment of the port that has no answer, or NONE. It notes how far it has
 * searched, so that no segment is examined twice. */
static uint64_t oldest_waiting(struct match *m, uint16_t lport)
{
    uint64_t *from = &m->waiting[(uint16_t)(lport - m->plan.lport)];
    uint64_t first = unanswered_from(m, lport, *from > tail(m) ? *from : tail(m));

    *from = first == NONE ? on_port(m, lport, m->head) : first;
    return first;
}

/* Returns the newest segment of the port, or NONE. */
static uint64_t newest_on(const struct match *m, uint16_t lport)
{
    uint64_t next = on_port(m, lport, m->head);

    return next >= m->plan.ports && next - m->plan.ports >= tail(m) ? next - m->plan.ports : NONE;
}

/* Chooses among the segments of a port that cannot be told apart: returns the oldest that has no
 * answer, or the newest if all have one. *sure is false if another one has no answer either: then
 * the round trip would be a guess. */
static uint64_t any_on(struct match *m, uint16_t lport, bool *sure)
{
    uint64_t i = oldest_waiting(m, lport);

    *sure = i == NONE || unanswered_from(m, lport, i + m->plan.ports) == NONE;
    return i == NONE ? newest_on(m, lport) : i;
}

/* Finds a segment by its sequence number, in a run whose numbers count up. Returns the newest
 * remembered segment of the port whose number is `min` to `max` below `number`, or NONE. */
static uint64_t by_distance(const struct match *m, uint16_t lport, uint32_t number, uint32_t min,
                            uint32_t max)
{
    uint64_t first = tail(m), ports = m->plan.ports;
    uint32_t beyond = number - min - match_seq(&m->plan, first);
    uint64_t i = first + beyond / m->plan.step;

    if (m->head == 0)
        return NONE;
    if (i >= m->head)
        i = m->head - 1;
    /* Go back to a segment of this port. */
    uint64_t back = (i % ports + ports - (uint16_t)(lport - m->plan.lport)) % ports;
    if (i < first + back)
        return NONE;
    i -= back;
    uint32_t distance = number - match_seq(&m->plan, i);
    return distance >= min && distance <= max ? i : NONE;
}

/* Returns the segment to which `number` is at a distance of `min` to `max` from its own number, or
 * NONE. A segment at exactly `max` is preferred. */
static uint64_t by_number(struct match *m, uint16_t lport, uint32_t number, uint32_t min,
                          uint32_t max, bool *sure)
{
    *sure = true;
    if (m->plan.step) {
        uint64_t exact = by_distance(m, lport, number, max, max);
        return exact == NONE ? by_distance(m, lport, number, min, max) : exact;
    }
    uint32_t distance = number - m->plan.seq;
    return distance >= min && distance <= max ? any_on(m, lport, sure) : NONE;
}

bool match_seen(struct match *m, uint16_t lport, uint32_t seq, wave_time stamp, uint64_t *out)
{
    uint64_t i;

    if ((uint16_t)(lport - m->plan.lport) >= m->plan.ports)
        return false;
    if (m->seen < tail(m))
        m->seen = tail(m);
    if (m->plan.step)
        i = by_distance(m, lport, seq, 0, 0);
    else
        i = seq == m->plan.seq ? on_port(m, lport, m->seen) : NONE;
    if (i >= m->head || i < m->seen) /* NONE is beyond them all */
        return false;
    m->seen = i + 1;
    m->left = true;
    at(m, i)->stamp = stamp;
    *out = i;
    return true;
}

/* Records that segment `i` has been answered, or that the answer is a stray if `i` is NONE. The
 * round trip is measured if `sure` is true. */
static struct match_result answered(struct match *m, enum answer_kind kind, uint64_t i, bool sure,
                                    wave_time stamp)
{
    struct match_result a = {.kind = kind, .to = i, .rtt = WAVE_NEVER, .stray = i == NONE};

    if (a.stray)
        return a;
    struct match_sent *s = at(m, i);
    wave_time took = stamp > s->stamp ? stamp - s->stamp : 0;
    a.duplicate = s->answered;
    a.late = took > m->plan.wait;
    a.out_of_order = !s->answered && m->newest != NONE && m->newest > i;
    if (sure)
        a.rtt = took;
    if (!s->answered) {
        s->answered = true;
        m->answered++;
        if (m->newest == NONE || m->newest < i)
            m->newest = i;
    }
    return a;
}

static enum answer_kind kind_of(const struct seg *s)
{
    unsigned flags = s->flags & (SEG_SYN | SEG_FIN | SEG_RST | SEG_ACK);

    if (flags & SEG_RST)
        return ANSWER_RST;
    if (flags == (SEG_SYN | SEG_ACK))
        return ANSWER_SYN_ACK;
    return flags == SEG_ACK && !s->len ? ANSWER_ACK : ANSWER_OTHER;
}

/* Returns whether the segment's SEQ is our SEG.ACK, the number that we said we expect next. */
static bool has_our_ack(const struct match *m, const struct seg *s)
{
    return (m->plan.flags & SEG_ACK) && s->seq.v == m->plan.ack;
}

/* Returns whether it acknowledges a segment of ours that is no longer remembered. */
static bool is_forgotten(const struct match *m, const struct seg *s)
{
    return (s->flags & SEG_ACK) && m->plan.step && tail(m) > 0 &&
           seq_leq(s->ack, seq_of(match_seq(&m->plan, tail(m))));
}

struct match_result match_answer(struct match *m, uint16_t lport, const struct seg *s,
                                 wave_time stamp)
{
    enum answer_kind kind = kind_of(s);
    uint64_t i = NONE;
    bool sure = true, unexpected = false;

    if ((uint16_t)(lport - m->plan.lport) >= m->plan.ports)
        return answered(m, kind, NONE, false, stamp);
    if (s->flags & SEG_ACK)
        i = by_number(m, lport, s->ack.v, m->plan.len != 0, m->plan.len, &sure);
    if (i == NONE && has_our_ack(m, s))
        i = any_on(m, lport, &sure);
    if (i == NONE && (kind == ANSWER_ACK || (kind == ANSWER_RST && !is_forgotten(m, s)))) {
        unexpected = true;
        /* 4.4BSD acknowledges SEG.SEQ in its RST, and not the SYN or FIN behind it. */
        if (kind == ANSWER_RST && (s->flags & SEG_ACK))
            i = by_number(m, lport, s->ack.v, 0, m->plan.len, &sure);
        if (i == NONE)
            i = any_on(m, lport, &sure);
    }
    struct match_result a = answered(m, kind, i, sure, stamp);
    a.unexpected = unexpected;
    return a;
}

struct match_result match_icmp(struct match *m, uint16_t lport, const uint32_t *seq,
                               wave_time stamp)
{
    uint64_t i = NONE;
    bool sure = false;

    if ((uint16_t)(lport - m->plan.lport) < m->plan.ports)
        i = seq ? by_number(m, lport, *seq, 0, 0, &sure) : any_on(m, lport, &sure);
    return answered(m, ANSWER_ICMP, i, sure, stamp);
}

/* Returns the oldest segment that has no answer and was not reported as unanswered, or `head`. */
static uint64_t oldest_open(struct match *m)
{
    if (m->expired < tail(m))
        m->expired = tail(m);
    while (m->expired < m->head && at(m, m->expired)->answered)
        m->expired++;
    return m->expired;
}

bool match_unanswered(struct match *m, wave_time stamp, uint64_t *i)
{
    if (match_expiry(m) > stamp)
        return false;
    *i = m->expired++;
    return true;
}

wave_time match_expiry(struct match *m)
{
    uint64_t i = oldest_open(m);

    return i < m->head ? time_add(at(m, i)->stamp, m->plan.wait) : WAVE_NEVER;
}

wave_time match_over(const struct match *m)
{
    return m->head ? time_add(at(m, m->head - 1)->stamp, m->plan.wait) : WAVE_NEVER;
}

bool match_left(const struct match *m)
{
    return m->left;
}

uint64_t match_count(const struct match *m)
{
    return m->head;
}

uint64_t match_answered(const struct match *m)
{
    return m->answered;
}

/*
 * Which answer belongs to which segment. send_match.h finds the segment by arithmetic; the
 * reference looks at every segment that was sent. Sequence numbers are near to those that were
 * sent, wrap around, repeat and are forgotten. Answers come in any order, twice, and for segments
 * that were never sent.
 */
#include "cmd/send_match.h"
#include "tests/fuzz/fuzz.h"

#define NOBODY UINT64_MAX

enum { SEGMENTS = 4096 };

struct answers_world {
    struct match *match;
    struct match_plan plan;
    struct cursor in;
    wave_time now;
    uint64_t memory;
    uint64_t count, answered; /* segments */
    uint64_t seen, told;      /* none before these is looked for any more */
    struct {
        wave_time stamp;
        bool answered;
    } sent[SEGMENTS];
};

static uint16_t port_of(const struct answers_world *w, uint64_t i)
{
    return (uint16_t)(w->plan.lport + i % w->plan.ports);
}

static uint32_t seq_at(const struct answers_world *w, uint64_t i)
{
    return (uint32_t)(w->plan.seq + i * w->plan.step);
}

static uint64_t oldest(const struct answers_world *w)
{
    return w->count > w->memory ? w->count - w->memory : 0;
}

/* Those of the port, all alike: the oldest that waits, else the newest. */
static uint64_t any_of(const struct answers_world *w, uint16_t port, bool *sure)
{
    uint64_t first = NOBODY, newest = NOBODY;
    unsigned waiting = 0;

    for (uint64_t i = oldest(w); i < w->count; i++) {
        if (port_of(w, i) != port)
            continue;
        newest = i;
        if (w->sent[i].answered)
            continue;
        waiting++;
        if (first == NOBODY)
            first = i;
    }
    *sure = waiting <= 1;
    return first == NOBODY ? newest : first;
}

/* The one that `number` lies `min` to `max` behind: all of it if there is such a one. */
static uint64_t by_number(const struct answers_world *w, uint16_t port, uint32_t number,
                          uint32_t min, uint32_t max, bool *sure)
{
    uint64_t found = NOBODY;

    *sure = true;
    if (!w->plan.step)
        return number - w->plan.seq >= min && number - w->plan.seq <= max ? any_of(w, port, sure)
                                                                          : NOBODY;
    for (uint64_t i = oldest(w); i < w->count; i++) {
        const uint32_t distance = number - seq_at(w, i);

        if (port_of(w, i) != port || distance < min || distance > max)
            continue;
        found = i;
        if (distance == max)
            return i;
    }
    return found;
}

static void hold_answer(struct answers_world *w, const struct match_result *a,
                        enum answer_kind kind, uint64_t to, bool sure)
{
    wave_time took;
    bool newer = false;

    require(a->kind == kind && a->stray == (to == NOBODY));
    if (a->stray)
        return;
    require(a->to == to);
    took = w->now > w->sent[to].stamp ? w->now - w->sent[to].stamp : 0;
    for (uint64_t i = to + 1; i < w->count; i++)
        newer = newer || w->sent[i].answered;
    require(a->duplicate == w->sent[to].answered);
    require(a->late == (took > w->plan.wait));
    require(a->out_of_order == (newer && !w->sent[to].answered));
    require(a->rtt == (sure ? took : WAVE_NEVER));
    w->answered += !w->sent[to].answered;
    w->sent[to].answered = true;
}

static uint16_t some_port(struct answers_world *w)
{
    const uint8_t how = cursor_u8(&w->in);

    return (uint16_t)(w->plan.lport + (how < 240 ? how % w->plan.ports : how));
}

/* Near what one of the segments has; the higher the byte, the newer. */
static uint32_t some_number(struct answers_world *w)
{
    const uint64_t i = w->count * cursor_u8(&w->in) / 256;
    const struct seq base = seq_of(seq_at(w, i));

    return fuzz_near(&w->in, cursor_u8(&w->in) & 1 ? seq_add(base, w->plan.len) : base).v;
}

static void answer(struct answers_world *w)
{
    static const uint16_t usual[] = {
        SEG_SYN | SEG_ACK, SEG_RST | SEG_ACK, SEG_RST, SEG_ACK,
        SEG_FIN | SEG_ACK, SEG_SYN,           0,       SEG_PSH | SEG_ACK};
    const uint8_t shape = cursor_u8(&w->in);
    const uint16_t port = some_port(w);
    struct seg s = {.flags = usual[shape & 7], .len = shape & 8};
    enum answer_kind kind = ANSWER_OTHER;
    bool sure = false, unexpected = false, forgotten = false;
    uint64_t to = NOBODY;
    struct match_result a;

    s.ack = seq_of(some_number(w));
    s.seq = shape & 16 ? seq_of(w->plan.ack) : seq_of(cursor_u32(&w->in));
    if (s.flags & SEG_RST)
        kind = ANSWER_RST;
    else if ((s.flags & (SEG_SYN | SEG_FIN | SEG_ACK)) == (SEG_SYN | SEG_ACK))
        kind = ANSWER_SYN_ACK;
    else if ((s.flags & (SEG_SYN | SEG_FIN | SEG_ACK)) == SEG_ACK && s.len == 0)
        kind = ANSWER_ACK;
    if ((uint16_t)(port - w->plan.lport) < w->plan.ports) {
        if (s.flags & SEG_ACK)
            to = by_number(w, port, s.ack.v, w->plan.len ? 1 : 0, w->plan.len, &sure);
        if (to == NOBODY && (w->plan.flags & SEG_ACK) && s.seq.v == w->plan.ack)
            to = any_of(w, port, &sure);
        forgotten = (s.flags & SEG_ACK) && w->plan.step && oldest(w) > 0 &&
                    seq_leq(s.ack, seq_of(seq_at(w, oldest(w))));
        if (to == NOBODY && (kind == ANSWER_ACK || (kind == ANSWER_RST && !forgotten))) {
            if (kind == ANSWER_RST && (s.flags & SEG_ACK)) /* 4.4BSD acknowledges one too little */
                to = by_number(w, port, s.ack.v, 0, w->plan.len, &sure);
            if (to == NOBODY)
                to = any_of(w, port, &sure);
            unexpected = true;
        }
    }
    a = match_answer(w->match, port, &s, w->now);
    require(a.stray || a.unexpected == unexpected);
    hold_answer(w, &a, kind, to, sure);
}

static void trouble(struct answers_world *w)
{
    const uint16_t port = some_port(w);
    const uint32_t number = some_number(w);
    const bool quoted = cursor_u8(&w->in) & 1;
    bool sure = false;
    uint64_t to = NOBODY;
    struct match_result a;

    if ((uint16_t)(port - w->plan.lport) < w->plan.ports)
        to = quoted ? by_number(w, port, number, 0, 0, &sure) : any_of(w, port, &sure);
    a = match_icmp(w->match, port, quoted ? &number : NULL, w->now);
    hold_answer(w, &a, ANSWER_ICMP, to, sure);
}

/* The capture's view of what went out, in order. */
static void capture(struct answers_world *w)
{
    const uint16_t port = some_port(w);
    const uint32_t number = some_number(w);
    const wave_time stamp = w->now - cursor_u8(&w->in);
    uint64_t want = NOBODY, i = 0;
    bool found;

    if (w->seen < oldest(w))
        w->seen = oldest(w);
    for (uint64_t j = w->seen; j < w->count && want == NOBODY; j++)
        if (port_of(w, j) == port && seq_at(w, j) == number)
            want = j;
    found = match_seen(w->match, port, number, stamp, &i);
    require(found == (want != NOBODY));
    if (!found)
        return;
    require(i == want);
    w->seen = i + 1;
    w->sent[i].stamp = stamp;
}

static void transmit(struct answers_world *w)
{
    if (w->count == SEGMENTS)
        return;
    require(match_port(&w->plan, w->count) == port_of(w, w->count));
    require(match_seq(&w->plan, w->count) == seq_at(w, w->count));
    match_sent(w->match, w->now);
    w->sent[w->count].stamp = w->now;
    w->sent[w->count++].answered = false;
}

/* Each that waited long enough is told of once, in order. */
static void patience(struct answers_world *w)
{
    uint64_t i = 0;

    for (;;) {
        wave_time due;

        if (w->told < oldest(w))
            w->told = oldest(w);
        while (w->told < w->count && w->sent[w->told].answered)
            w->told++;
        due = w->told < w->count ? time_add(w->sent[w->told].stamp, w->plan.wait) : WAVE_NEVER;
        require(match_expiry(w->match) == due);
        if (due > w->now) {
            require(!match_unanswered(w->match, w->now, &i));
            return;
        }
        require(match_unanswered(w->match, w->now, &i) && i == w->told);
        w->told++;
    }
}

static void begin(struct answers_world *w)
{
    const uint8_t how = cursor_u8(&w->in);
    struct match_plan *p = &w->plan;

    p->seq = how & 1 ? 0xffffff00u : 1000;
    p->ack = 77;
    p->flags = how & 2 ? SEG_ACK : SEG_SYN;
    p->len = how & 4 ? cursor_u16(&w->in) : how & 8 ? 1 : 0;
    p->step = how & 16 ? cursor_u16(&w->in) : how & 32 ? 1 : 0;
    p->ports = (uint16_t)(1 + (how & 64 ? cursor_u8(&w->in) : cursor_u8(&w->in) % 4));
    p->lport = how & 128 ? (uint16_t)(65536 - p->ports) : 40000;
    p->wait = cursor_u8(&w->in) * WAVE_MS;
    p->count = 1 + cursor_u16(&w->in) % SEGMENTS; /* there may be more: those are forgotten */
    require(match_open(&w->match, p) == 0);
    for (w->memory = 1; w->memory < p->count && w->memory * 2 * p->step <= UINT32_MAX;)
        w->memory *= 2;
    w->now = 1000 * WAVE_S;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct answers_world w;

    memset(&w, 0, sizeof w);
    w.in = cursor_of(bytes, size);
    begin(&w);
    while (w.in.left > 0) {
        const uint8_t what = cursor_u8(&w.in);

        if (what < 40)
            transmit(&w);
        else if (what < 70)
            for (unsigned n = cursor_u8(&w.in); n > 0; n--)
                transmit(&w);
        else if (what < 150)
            answer(&w);
        else if (what < 170)
            trouble(&w);
        else if (what < 210)
            capture(&w);
        else if (what < 230)
            patience(&w);
        else
            w.now += cursor_u16(&w.in) * WAVE_US;
        require(match_count(w.match) == w.count && match_answered(w.match) == w.answered);
    }
    match_close(w.match);
    return 0;
}

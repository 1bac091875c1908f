/*
 * The buffers of both directions, compared with plain arrays that hold a mark for every byte. Data
 * is received in any order and with any overlap; data is sent, lost, selectively acknowledged,
 * retransmitted and dropped. The reference looks at every byte and every record each time, so it
 * has none of the shortcuts of the code under test.
 */
#include "lib/core/rack.h"
#include "lib/core/reasm.h"
#include "lib/core/sack.h"
#include "tests/fuzz/fuzz.h"

enum { SPACE = 4096, RECORDS = 4096, BLOCKS = 8 };

struct buffers_world {
    struct env env;
    struct cursor in;
    struct fuzz_memory memory;
    wave_time now;
    uint32_t isn; /* sequence number of byte 0 */
};

static struct seq at_byte(const struct buffers_world *w, uint32_t byte)
{
    return seq_of(w->isn + byte);
}

/*
 * Received.
 */

struct receiver {
    struct reasm *r;
    uint32_t read, next, top; /* bytes below were read; arrived in order; were ever seen */
    uint8_t value[SPACE];     /* of the copy that came first */
    uint32_t touched[SPACE];  /* which insertion covered it last; 0: it is not there */
    uint32_t insertions;
    bool has_fin;
    uint32_t fin;
};

/* Where the run of bytes that are there, or are not, ends. */
static uint32_t run_end(const struct receiver *m, uint32_t from)
{
    uint32_t to = from;

    while (to < m->top && !m->touched[to] == !m->touched[from])
        to++;
    return to;
}

static unsigned runs_beyond(const struct receiver *m, struct sack_block *run, uint32_t *stamp,
                            unsigned max)
{
    unsigned n = 0;

    for (uint32_t at = m->next; at < m->top; at = run_end(m, at)) {
        const uint32_t end = run_end(m, at);
        if (!m->touched[at])
            continue;
        if (n < max) {
            run[n] = (struct sack_block){seq_of(at), seq_of(end)};
            stamp[n] = 0;
            for (uint32_t i = at; i < end; i++)
                if (m->touched[i] > stamp[n])
                    stamp[n] = m->touched[i];
        }
        n++;
    }
    return n;
}

/* RFC 2018, section 4: the blocks are the runs, the one that changed last first. */
static void hold_sack(const struct buffers_world *w, const struct receiver *m)
{
    static struct sack_block run[SPACE / 2 + 1];
    static uint32_t stamp[SPACE / 2 + 1];
    struct sack_block block[BLOCKS];
    const unsigned runs = runs_beyond(m, run, stamp, SPACE / 2 + 1);
    const unsigned n = reasm_sack(m->r, block, BLOCKS);

    require(n == (runs < BLOCKS ? runs : BLOCKS));
    for (unsigned i = 0; i < n; i++) {
        unsigned latest = 0;
        for (unsigned j = 1; j < runs; j++)
            if (stamp[j] > stamp[latest])
                latest = j;
        require(seq_eq(block[i].first, at_byte(w, run[latest].first.v)));
        require(seq_eq(block[i].end, at_byte(w, run[latest].end.v)));
        stamp[latest] = 0;
    }
}

static void hold_received(const struct buffers_world *w, const struct receiver *m)
{
    const uint8_t *data;
    const uint32_t n = reasm_peek(m->r, &data);

    require(reasm_ready(m->r) == m->next - m->read);
    require(n <= m->next - m->read && (n > 0) == (m->next > m->read));
    require(n == 0 || memcmp(data, m->value + m->read, n) == 0);
    if (m->r) /* exists only while it holds something */
        require(m->r->ready || m->r->runs || m->r->has_fin);
    require((m->r && m->r->has_fin) == m->has_fin);
    require(w->env.mem_used == 0 || m->r);
    hold_sack(w, m);
}

/* Some byte of the segment that is there already, the whole stretch of it that a run holds. */
static void hold_duplicate(const struct buffers_world *w, const struct receiver *m, uint32_t first,
                           uint32_t end, const struct reasm_result *result)
{
    uint32_t from = first, to;

    while (from < end && !m->touched[from])
        from++;
    require(result->duplicate == (from < end));
    if (from == end)
        return;
    to = run_end(m, from) < end ? run_end(m, from) : end;
    require(seq_eq(result->dup.first, at_byte(w, from)));
    require(seq_eq(result->dup.end, at_byte(w, to)));
}

static void insert(struct buffers_world *w, struct receiver *m, uint32_t first, uint32_t len,
                   uint32_t limit)
{
    const uint32_t end = first + len, before = m->next, capacity = m->r ? m->r->ring.capacity : 0;
    const uint32_t need = end - m->read, runs = m->r ? m->r->runs : 0;
    uint8_t data[SPACE];
    struct reasm_result result;

    require(first >= m->next && end <= SPACE);
    m->insertions++;
    for (uint32_t i = 0; i < len; i++)
        data[i] = (uint8_t)(first + i + m->insertions);
    w->memory.refused = false;
    result = reasm_insert(&m->r, &w->env, at_byte(w, m->next), at_byte(w, first), data, len, limit);
    if (result.discarded) {
        require(w->memory.refused || (need > limit && need > capacity) ||
                (m->has_fin && end > m->fin) || (first > before && runs == REASM_RUNS_MAX));
        require(result.advanced == 0);
        return;
    }
    require(need <= limit || need <= capacity);
    require(!m->has_fin || end <= m->fin);
    require(result.filled == (first == before && runs > 0));
    hold_duplicate(w, m, first, end, &result);
    for (uint32_t i = first; i < end; i++) {
        if (!m->touched[i])
            m->value[i] = data[i - first];
        m->touched[i] = m->insertions;
    }
    m->top = m->top > end ? m->top : end;
    while (m->next < m->top && m->touched[m->next])
        m->next++;
    require(result.advanced == m->next - before);
    require(result.out_of_order == (run_end(m, m->next) < m->top));
}

/* Every other byte, or every third and so on: a list of runs that fills up. */
static void comb(struct buffers_world *w, struct receiver *m)
{
    const uint8_t how = cursor_u8(&w->in);
    const uint32_t stride = 2 + how % 6, count = how > 250 ? 600 : how / 6;
    uint32_t at = m->next + 1 + cursor_u8(&w->in);

    for (uint32_t i = 0; i < count && at < SPACE; i++, at += stride)
        insert(w, m, at, 1, SPACE);
}

static void consume(struct buffers_world *w, struct receiver *m)
{
    const uint32_t n = cursor_u16(&w->in);

    reasm_consume(&m->r, &w->env, n);
    m->read = n < m->next - m->read ? m->read + n : m->next;
}

static void early_fin(struct buffers_world *w, struct receiver *m)
{
    uint32_t fin = m->next;

    if (m->has_fin)
        return;
    for (uint32_t i = m->next; i < m->top; i++) /* beyond all that is there */
        if (m->touched[i])
            fin = i + 1;
    fin += cursor_u8(&w->in);
    w->memory.refused = false;
    if (!reasm_fin(&m->r, &w->env, at_byte(w, fin))) {
        require(w->memory.refused);
        return;
    }
    m->has_fin = true;
    m->fin = fin;
}

static void settle(struct buffers_world *w, struct receiver *m)
{
    reasm_drop_gaps(&m->r, &w->env);
    for (uint32_t i = m->next; i < m->top; i++)
        m->touched[i] = 0;
    m->top = m->next;
    m->has_fin = false;
}

static void receive(struct buffers_world *w)
{
    static struct receiver m;

    memset(&m, 0, sizeof m);
    while (w->in.left > 0) {
        const uint8_t what = cursor_u8(&w->in);
        uint32_t first, len;

        if (what < 160) {
            first = m.next + (what & 1 ? cursor_u8(&w->in) : what & 2 ? cursor_u16(&w->in) : 0);
            len = 1 + (what & 4 ? cursor_u8(&w->in) : cursor_u16(&w->in) % 3000);
            if (first + len <= SPACE)
                insert(w, &m, first, len, what & 8 ? 1000 + cursor_u16(&w->in) : SPACE);
        } else if (what < 200) {
            consume(w, &m);
        } else if (what < 220) {
            comb(w, &m);
        } else if (what < 230) {
            early_fin(w, &m);
        } else if (what < 235) {
            settle(w, &m);
        } else {
            w->memory.left = what & 7;
        }
        hold_received(w, &m);
    }
    reasm_free(&m.r, &w->env);
}

/*
 * Sent.
 */

struct sender {
    struct queue *q;
    uint32_t base, next, end; /* acknowledged; sent; queued */
    uint32_t sents;
    struct queue_record sent[RECORDS]; /* numbers from byte 0 on */
    struct rack rack;
};

static uint32_t sent_end(const struct queue_record *s)
{
    return s->first.v + s->len;
}

static void hold_sent(const struct buffers_world *w, const struct sender *m)
{
    const struct queue *q = m->q;
    uint32_t out = 0, sacked = 0, lost = 0, sacked_sents = 0, first_lost = UINT32_MAX;
    uint8_t copy[SPACE];

    require(!q == (m->base == m->end));
    require(queue_unsent(q, at_byte(w, m->next)) == m->end - m->next);
    if (!q) {
        require(m->sents == 0 && w->env.mem_used == 0);
        return;
    }
    require(q->len == m->end - m->base && seq_eq(q->base, at_byte(w, m->base)));
    queue_copy(q, q->base, q->len, copy);
    require(memcmp(copy, pattern_at(m->base), q->len) == 0);
    require(q->sents == m->sents);
    for (uint32_t i = 0; i < m->sents; i++) {
        const struct queue_record *s = queue_at(q, i), *t = &m->sent[i];

        require(s->first.v - w->isn == t->first.v && s->len == t->len && s->len > 0);
        require(s->flags == t->flags && s->at == t->at);
        require((s->flags & (QUEUE_SACKED | QUEUE_LOST)) != (QUEUE_SACKED | QUEUE_LOST));
        require(t->first.v == m->base + out);
        out += t->len;
        if (t->flags & QUEUE_SACKED) {
            sacked += t->len;
            sacked_sents++;
        }
        if (t->flags & QUEUE_LOST) {
            lost += t->len;
            if (first_lost == UINT32_MAX)
                first_lost = i;
        }
    }
    require(q->out == out && m->base + out == m->next);
    require(q->sacked == sacked && q->lost == lost && q->sacked_sents == sacked_sents);
    require(queue_pipe(q) == out - sacked - lost);
    require(queue_first_lost(m->q) == first_lost);
}

static void append(struct buffers_world *w, struct sender *m)
{
    const uint32_t len = cursor_u16(&w->in) % 3000;
    const uint32_t limit = cursor_u8(&w->in) < 200 ? SPACE : cursor_u16(&w->in);
    const uint32_t held = m->end - m->base, room = held < limit ? limit - held : 0;
    size_t n;

    if (m->end + len > SPACE)
        return;
    w->memory.refused = false;
    n = queue_append(&m->q, &w->env, at_byte(w, m->base), pattern_at(m->end), len, limit);
    require(n == (len < room ? len : room) || (n == 0 && w->memory.refused));
    m->end += (uint32_t)n;
}

/* As queue_sent() has it: no two moments of sending are the same. */
static wave_time moment(const struct buffers_world *w, const struct queue *q)
{
    return w->now > q->sent_at ? w->now : q->sent_at + 1;
}

static void transmit(struct buffers_world *w, struct sender *m)
{
    const uint32_t unsent = m->end - m->next;
    uint32_t len = 1 + cursor_u8(&w->in) * 6u;

    if (unsent == 0 || m->sents == RECORDS)
        return;
    len = len < unsent ? len : unsent;
    w->memory.refused = false;
    if (!queue_can_send(m->q, &w->env)) {
        require(w->memory.refused);
        return;
    }
    m->sent[m->sents++] =
        (struct queue_record){.first = seq_of(m->next), .len = len, .at = moment(w, m->q)};
    queue_sent(m->q, at_byte(w, m->next), len, w->now);
    m->next += len;
}

static void transmit_again(struct buffers_world *w, struct sender *m)
{
    const uint32_t i = m->sents ? cursor_u8(&w->in) % m->sents : 0;

    if (m->sents == 0 || (m->sent[i].flags & QUEUE_SACKED))
        return;
    m->sent[i].at = moment(w, m->q);
    m->sent[i].flags = QUEUE_RETRANSMITTED;
    queue_retransmitted(m->q, i, w->now);
}

static void split(struct buffers_world *w, struct sender *m)
{
    const uint32_t i = m->sents ? cursor_u8(&w->in) % m->sents : 0;
    struct queue_record *s = &m->sent[i];
    const uint32_t len = 1 + cursor_u16(&w->in) % 1600;

    if (m->sents == 0 || m->sents == RECORDS)
        return;
    w->memory.refused = false;
    if (!queue_split(m->q, &w->env, i, len)) {
        require(w->memory.refused);
        return;
    }
    if (len >= s->len)
        return;
    memmove(s + 1, s, (m->sents++ - i) * sizeof *s);
    s[1].first = seq_add(s->first, len);
    s[1].len -= len;
    s->len = len;
}

static void acknowledge(struct buffers_world *w, struct sender *m)
{
    uint32_t n = cursor_u16(&w->in), gone = 0;

    n = n < m->next - m->base ? n : m->next - m->base;
    if (!m->q)
        return;
    queue_drop(m->q, n);
    queue_free_if_empty(&m->q, &w->env);
    m->base += n;
    while (gone < m->sents && sent_end(&m->sent[gone]) <= m->base)
        gone++;
    m->sents -= gone;
    memmove(m->sent, m->sent + gone, m->sents * sizeof m->sent[0]);
    if (m->sents && m->sent[0].first.v < m->base) {
        m->sent[0].len = sent_end(&m->sent[0]) - m->base;
        m->sent[0].first = seq_of(m->base);
    }
}

static void sack(struct buffers_world *w, struct sender *m, wave_time min_rtt)
{
    struct opt o = {.has = OPT_SACK, .sacks = (uint8_t)(1 + cursor_u8(&w->in) % OPT_SACK_MAX)};
    uint32_t bytes = 0;
    struct sack_result result;

    for (unsigned b = 0; b < o.sacks; b++) {
        struct sack_block *k = &o.sack[b];
        const unsigned i = cursor_u8(&w->in), n = cursor_u8(&w->in);

        k->first = fuzz_near(&w->in, at_byte(w, m->base));
        k->end = fuzz_near(&w->in, k->first);
        if (m->sents && !(n & 0x80)) { /* where records begin and end */
            k->first = at_byte(w, m->sent[i % m->sents].first.v);
            k->end = at_byte(w, sent_end(&m->sent[(i + n % 8) % m->sents]));
        }
    }
    result = sack_input(&m->rack, m->q, &o, at_byte(w, m->base), at_byte(w, m->next), w->now,
                        min_rtt, WAVE_NEVER);
    for (uint32_t i = 0; i < m->sents; i++) {
        struct queue_record *s = &m->sent[i];
        for (unsigned b = 0; b < o.sacks && !(s->flags & QUEUE_SACKED); b++) {
            const struct sack_block *k = &o.sack[b];
            if (seq_geq(k->first, at_byte(w, m->base)) && seq_leq(k->end, at_byte(w, m->next)) &&
                seq_leq(k->first, at_byte(w, s->first.v)) &&
                seq_geq(k->end, at_byte(w, sent_end(s)))) {
                s->flags = (uint8_t)((s->flags | QUEUE_SACKED) & ~QUEUE_LOST);
                bytes += s->len;
            }
        }
    }
    require(result.bytes == bytes);
}

/* RFC 8985, 6.2, step 5, over every record. */
static void detect(struct buffers_world *w, struct sender *m, wave_time min_rtt)
{
    const bool recovery = cursor_u8(&w->in) & 1;
    const wave_time srtt = min_rtt + cursor_u16(&w->in) * WAVE_US;
    struct rack_result want = {0, WAVE_NEVER}, result;
    wave_time window;

    if (!m->q)
        return;
    window = min_rtt / 4 * m->rack.reo_mult;
    window = window < srtt ? window : srtt;
    if (!m->rack.reordered && (recovery || m->q->sacked_sents >= 3))
        window = 0;
    for (uint32_t i = 0; m->q->rack.any && i < m->sents; i++) {
        struct queue_record *s = &m->sent[i];
        const wave_time due = s->at + m->q->rack.rtt + window;

        if ((s->flags & (QUEUE_SACKED | QUEUE_LOST)) || s->at >= m->q->rack.at)
            continue;
        if (due <= w->now) {
            s->flags |= QUEUE_LOST;
            want.lost += s->len;
        } else if (want.recheck_at == WAVE_NEVER || due > want.recheck_at) {
            want.recheck_at = due;
        }
    }
    result = rack_detect(&m->rack, m->q, w->now, srtt, min_rtt, recovery);
    require(result.lost == want.lost && result.recheck_at == want.recheck_at);
}

/* The retransmission timer fired: RFC 2018, section 8 when what is first was SACKed. */
static void all_lost(struct sender *m)
{
    const bool reneged = m->sents && (m->sent[0].flags & QUEUE_SACKED);

    if (!m->q)
        return;
    queue_all_lost(m->q);
    for (uint32_t i = 0; i < m->sents; i++) {
        if (reneged)
            m->sent[i].flags &= (uint8_t)~QUEUE_SACKED;
        if (!(m->sent[i].flags & QUEUE_SACKED))
            m->sent[i].flags |= QUEUE_LOST;
    }
}

static void mark_lost(struct buffers_world *w, struct sender *m)
{
    const uint32_t i = m->sents ? cursor_u8(&w->in) % m->sents : 0;

    if (m->sents == 0)
        return;
    queue_mark_lost(m->q, i);
    if (!(m->sent[i].flags & QUEUE_SACKED))
        m->sent[i].flags |= QUEUE_LOST;
}

static void transmission(struct buffers_world *w)
{
    static struct sender m;
    const wave_time min_rtt = cursor_u8(&w->in) * WAVE_US;

    memset(&m, 0, sizeof m);
    m.rack.reo_mult = 1;
    while (w->in.left > 0) {
        const uint8_t what = cursor_u8(&w->in);

        if (what < 30)
            append(w, &m);
        else if (what < 100)
            for (unsigned i = what & 1 ? 1 : 16; i > 0; i--)
                transmit(w, &m);
        else if (what < 120)
            transmit_again(w, &m);
        else if (what < 130)
            split(w, &m);
        else if (what < 160)
            acknowledge(w, &m);
        else if (what < 200)
            sack(w, &m, min_rtt);
        else if (what < 220)
            detect(w, &m, min_rtt);
        else if (what < 224)
            all_lost(&m);
        else if (what < 230)
            mark_lost(w, &m);
        else if (what < 248)
            w->now += cursor_u16(&w->in) * WAVE_US;
        else
            w->memory.left = what & 7;
        hold_sent(w, &m);
    }
    queue_free(&m.q, &w->env);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct buffers_world w;
    struct conn_config config;
    uint8_t how;

    pattern_fill();
    conn_config_default(&config, 1500, false);
    env_init(&w.env, &config, 1);
    w.env.resize = fuzz_resize;
    w.env.resize_ctx = &w.memory;
    w.memory.left = 0;
    w.now = WAVE_S;
    w.in = cursor_of(bytes, size);
    how = cursor_u8(&w.in);
    w.isn = how & 2 ? 0xfffffc00u : how & 4 ? 0x7ffffc00u : 1;
    if (how & 1)
        receive(&w);
    else
        transmission(&w);
    require(w.env.mem_used == 0);
    return 0;
}

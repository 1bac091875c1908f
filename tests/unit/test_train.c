/*
 * Tests trains: with env.train the engine may give several segments as one (seg.train). Cut, they
 * have to be exactly the segments that it would have given one by one. The same course, with random
 * acknowledgements, losses and windows, is played with and without trains, and all that is sent is
 * compared.
 */
#include "tests/unit/engine.h"

#include "lib/core/conn_priv.h"
#include "lib/core/queue.h"

#define STEPS 1500
#define SENT_MAX 30000

/* A segment as it leaves: its header as on the wire, its ECN field, and the sum of its data. */
struct train_sent {
    uint32_t header, len, sum, ecn;
    struct seq seq;
    uint8_t bytes[60];
};

_Static_assert(sizeof(struct train_sent) == 80, "it has no padding: it is compared as a whole");

struct train_course {
    struct train_sent sent[SENT_MAX];
    size_t count, trains;
    struct entry end;
    uint32_t records; /* in flight at the end */
};

static uint64_t dice;

static uint32_t roll(uint32_t below)
{
    dice = dice * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(dice >> 33) % below;
}

static void add(struct train_course *c, const struct seg *s, const uint8_t *data)
{
    struct train_sent *t = &c->sent[c->count++];

    check(c->count < SENT_MAX, "more is sent than expected");
    struct seg alone = *s;

    memset(t, 0, sizeof *t);
    t->len = s->len;
    t->ecn = s->ecn;
    t->seq = s->seq;
    for (uint32_t i = 0; i < s->len; i++)
        t->sum = t->sum * 31 + data[i];
    alone.len = 0;
    alone.data = NULL;
    t->header = (uint32_t)seg_build(&rig.c.flow, &alone, t->bytes, sizeof t->bytes);
}

/* Cuts a train as the kernel does: only its last segment keeps PSH. */
static void cut(struct train_course *c, const struct seg *train)
{
    struct seg s = *train;

    check(train->len > train->train && train->train == conn_segment_size(&rig.c),
          "a train of %u bytes in segments of %u", train->len, train->train);
    check(seg_count(train) <= rig.env.train && train->len <= CONN_ROOM, "it is too long");
    c->trains++;
    for (uint32_t at = 0; at < train->len; at += s.len) {
        s.seq = seq_add(train->seq, at);
        s.len = train->len - at < train->train ? train->len - at : train->train;
        s.flags = (uint16_t)(at + s.len < train->len ? train->flags & ~SEG_PSH : train->flags);
        add(c, &s, train->data + at);
    }
}

static void pull(struct train_course *c)
{
    struct event e;
    struct seg s;

    while (env_event(&rig.env, &e))
        ;
    while (conn_output(&rig.c, rig.now, &s, rig.room)) {
        if (s.train)
            cut(c, &s);
        else
            add(c, &s, s.data);
        while (env_event(&rig.env, &e))
            ;
    }
}

/* An acknowledgement of some of what is out; now and then with a SACK block, which makes what lies
 * before it lost. */
static void acknowledge(void)
{
    static const uint8_t peer_data[1000];
    const uint8_t *data;
    size_t some;
    const struct queue *q = rig.c.queue;
    const uint32_t flight = snd_nxt() - snd_una();
    struct seg s = make(ACK, rcv_nxt(), snd_una() + (roll(3) ? roll(flight + 1) : 0),
                        roll(8) ? 60000u << 5 : roll(60000), 0);

    if (q && q->sents > 4 && roll(60) == 0) {
        const struct queue_record *r = queue_at(q, 1 + roll(q->sents - 1));
        s.opt.has |= OPT_SACK;
        s.opt.sack[0] = (struct sack_block){r->first, seq_add(r->first, r->len)};
        s.opt.sacks = 1;
        s.ack = rig.c.snd.una;
    }
    if (roll(200) == 0)
        s.flags |= SEG_ECE;
    if (rig.c.reasm ? roll(4) == 0 : roll(100) == 0) {
        /* Out of order, and later the gap is filled: in between our segments have SACK blocks. */
        s.seq = seq_add(s.seq, rig.c.reasm ? 0 : 1000);
        s.len = 1000;
        s.data = peer_data;
    } else if (rcv_nxt() > 10 && roll(20) == 0) {
        /* Its front is a duplicate: our next segment says so with a D-SACK block. */
        s.seq = seq_sub(s.seq, 10);
        s.len = sizeof peer_data;
        s.data = peer_data;
    }
    conn_input(&rig.c, rig.now, &s);
    while ((some = conn_peek(&rig.c, &data)) > 0)
        conn_consume(&rig.c, rig.now, some);
}

/* The FIN belongs to the last of them, which may then not be part of a train. */
static void close_after_whole_segments(const uint8_t *data)
{
    const uint32_t size = conn_segment_size(&rig.c),
                   unsent = queue_unsent(rig.c.queue, rig.c.snd.nxt);

    conn_send(&rig.c, rig.now, data, size - unsent % size);
    conn_close(&rig.c, rig.now);
}

static void play(struct train_course *c, uint64_t seed, uint32_t train)
{
    static uint8_t data[400000];

    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)((i * 2654435761u) >> 11);
    c->count = c->trains = 0;
    dice = seed;
    rig_start(&variants[1]);
    rig.env.config.nagle = seed & 2;
    rig.env.train = train;
    establish(RTT);
    if (seed & 1)
        rig.c.flags |= CONN_ECN;
    for (int i = 0; i < STEPS && rig.c.state != STATE_CLOSED; i++) {
        rig.now += roll(4) ? roll(3) * WAVE_MS : roll(100) == 0 ? 2 * WAVE_S : 10 * WAVE_US;
        if (roll(2)) {
            const uint32_t more = roll(sizeof data);
            if (queue_unsent(rig.c.queue, rig.c.snd.nxt) < sizeof data / 2)
                conn_send(&rig.c, rig.now, data, more);
        } else
            acknowledge();
        if (i == STEPS - 200)
            close_after_whole_segments(data);
        conn_tick(&rig.c, rig.now);
        pull(c);
    }
    c->end = entry();
    c->records = rig.c.queue ? rig.c.queue->sents : 0;
    rig_stop();
}

static void a_train_is_the_segments_that_it_stands_for(void **state)
{
    static struct train_course each, trains;

    (void)state;
    for (uint64_t seed = 0; seed < 12; seed++) {
        const uint32_t longest = seed < 4 ? 2 + (uint32_t)seed : 128;
        play(&each, seed, 0);
        play(&trains, seed, longest);
        check(each.trains == 0, "a train without env.train");
        check(trains.trains > 50, "only %zu trains in course %u", trains.trains, (unsigned)seed);
        check(each.count == trains.count, "%zu segments, not %zu", trains.count, each.count);
        for (size_t i = 0; i < each.count; i++)
            check(memcmp(&each.sent[i], &trains.sent[i], sizeof each.sent[i]) == 0,
                  "segment %zu of course %u is another one: seq %u len %u, not %u len %u", i,
                  (unsigned)seed, trains.sent[i].seq.v - 0xfffffffe, trains.sent[i].len,
                  each.sent[i].seq.v - 0xfffffffe, each.sent[i].len);
        check(each.records == trains.records, "%u records are left, not %u", trains.records,
              each.records);
        check(memcmp(&each.end, &trains.end, sizeof each.end) == 0, "the end is another one");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_train_is_the_segments_that_it_stands_for),
    };
    return run_cases(tests, COUNT(tests));
}

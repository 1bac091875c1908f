/* Tests what queue.h, reasm.h, ring.h and sack.h promise, at limits that the engine does not reach.
 * */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/core/queue.h"
#include "lib/core/reasm.h"
#include "lib/core/sack.h"

static struct env env;
static struct queue *q;
static struct reasm *r;
static uint8_t bytes[200000];

static int make(void **state)
{
    struct conn_config config;

    (void)state;
    conn_config_default(&config, 1500, false);
    env_init(&env, &config, 1);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i % 251);
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    queue_free(&q, &env);
    reasm_free(&r, &env);
    assert_int_equal(env.mem_used, 0);
    return 0;
}

/*
 * Sending.
 */

#define BASE 0xffffff00u

static size_t append(size_t from, size_t len, uint32_t limit)
{
    return queue_append(&q, &env, seq_of(BASE), bytes + from, len, limit);
}

static void send(uint32_t len)
{
    assert_true(queue_can_send(q, &env));
    queue_sent(q, seq_add(q->base, q->out), len, 5 * WAVE_S);
}

static void a_queue_takes_no_more_than_its_limit(void **state)
{
    (void)state;
    assert_int_equal(append(0, SIZE_MAX, 1000), 1000);
    assert_int_equal(append(0, 1, 1000), 0);
    assert_int_equal(append(1000, 5000, 1500), 500);
    assert_int_equal(append(1000, 1, 700), 0); /* a limit that was lowered takes nothing back */
    assert_int_equal(q->len, 1500);
}

/* Writes up to `len` bytes where the queue says, and appends them; returns how many. */
static uint32_t append_in_place(size_t from, uint32_t len, uint32_t limit)
{
    uint8_t *at = NULL;
    uint32_t room = queue_place(q, limit, &at), n = room < len ? room : len;

    if (n == 0)
        return 0;
    memcpy(at, bytes + from, n);
    assert_int_equal(queue_append(&q, &env, seq_of(BASE), at, n, limit), n);
    return n;
}

static void what_is_written_in_place_is_what_is_held(void **state)
{
    static uint8_t held[4096];
    size_t given = 2000, taken = 0;

    (void)state;
    assert_int_equal(queue_place(NULL, 1000, &(uint8_t *){NULL}), 0);
    assert_int_equal(append(0, 2000, 2048), 2000);
    assert_int_equal(append_in_place(given, 100, 2000), 0); /* the limit */
    while (given < 20000) {                                 /* several times round the ring */
        uint32_t n = append_in_place(given, 1000, 2048);
        given += n;
        assert_int_equal(q->len, given - taken);
        queue_copy(q, q->base, q->len, held);
        assert_memory_equal(held, bytes + taken, q->len);
        if (n == 0) {
            queue_drop(q, 700);
            taken += 700;
        }
    }
    assert_int_equal(q->ring.capacity, 2048);
}

static void an_empty_queue_is_not_made(void **state)
{
    (void)state;
    assert_int_equal(append(0, 0, 1000), 0);
    assert_null(q);
    assert_int_equal(append(0, 10, 0), 0);
    assert_null(q);
    assert_int_equal(queue_unsent(NULL, seq_of(1)), 0);
    assert_int_equal(queue_pipe(NULL), 0);
}

static void a_peer_does_not_choose_how_many_records_there_are(void **state)
{
    uint32_t n = 0;

    (void)state;
    append(0, 100000, UINT32_MAX);
    while (queue_can_send(q, &env)) {
        queue_sent(q, seq_add(q->base, n), 1, 0);
        assert_true(++n < 100000);
    }
    assert_int_equal(n, QUEUE_RECORDS_MAX);
    queue_drop(q, 1);
    assert_true(queue_can_send(q, &env));
}

static void a_mark_counts_once(void **state)
{
    (void)state;
    append(0, 3000, UINT32_MAX);
    for (int i = 0; i < 3; i++)
        send(1000);
    for (int again = 0; again < 2; again++) {
        queue_mark_lost(q, 0);
        queue_mark_sacked(q, 1);
        assert_int_equal(q->lost, 1000);
        assert_int_equal(q->sacked, 1000);
        assert_int_equal(q->sacked_sents, 1);
        assert_int_equal(queue_pipe(q), 1000);
    }
    queue_mark_lost(q, 1); /* the peer has it */
    assert_int_equal(q->lost, 1000);
    queue_mark_sacked(q, 0); /* it was only late */
    assert_int_equal(q->lost, 0);
    assert_int_equal(q->sacked, 2000);
}

static void without_a_lost_record_there_is_no_first(void **state)
{
    (void)state;
    append(0, 3000, UINT32_MAX);
    for (int i = 0; i < 3; i++)
        send(1000);
    assert_int_equal(queue_first_lost(q), UINT32_MAX);
    queue_mark_lost(q, 2);
    assert_int_equal(queue_first_lost(q), 2);
    queue_mark_lost(q, 1);
    assert_int_equal(queue_first_lost(q), 1);
    queue_retransmitted(q, 1, 6 * WAVE_S);
    assert_int_equal(queue_first_lost(q), 2);
    queue_retransmitted(q, 2, 6 * WAVE_S);
    assert_int_equal(queue_first_lost(q), UINT32_MAX);
}

static void a_record_is_cut_with_its_marks(void **state)
{
    (void)state;
    append(0, 2000, UINT32_MAX);
    send(1000), send(1000);
    queue_mark_sacked(q, 0);
    queue_mark_lost(q, 1);
    assert_true(queue_split(q, &env, 0, 1000)); /* nothing to cut */
    assert_int_equal(q->sents, 2);
    assert_true(queue_split(q, &env, 0, 300));
    assert_true(queue_split(q, &env, 2, 400));
    assert_int_equal(q->sents, 4);
    assert_int_equal(q->sacked_sents, 2);
    assert_int_equal(q->sacked, 1000);
    assert_int_equal(q->lost, 1000);
    for (uint32_t i = 0, at = BASE; i < 4; i++) {
        static const uint32_t len[] = {300, 700, 400, 600};
        assert_int_equal(queue_at(q, i)->first.v, at);
        assert_int_equal(queue_at(q, i)->len, len[i]);
        assert_int_equal(queue_at(q, i)->flags, i < 2 ? QUEUE_SACKED : QUEUE_LOST);
        at += len[i];
    }
}

static void acknowledged_bytes_go_with_the_records_that_held_them(void **state)
{
    uint8_t got[500];

    (void)state;
    append(0, 3000, UINT32_MAX);
    send(1000), send(1000);
    queue_mark_lost(q, 0);
    queue_mark_sacked(q, 1);
    queue_drop(q, 600);
    assert_int_equal(q->lost, 400);
    queue_drop(q, 900);
    assert_int_equal(q->sents, 1);
    assert_int_equal(q->lost, 0);
    assert_int_equal(q->sacked, 500);
    assert_int_equal(q->out, 500);
    queue_copy(q, seq_of(BASE + 1500), 500, got);
    assert_memory_equal(got, bytes + 1500, 500);
    queue_drop(q, 700); /* with what was never sent */
    assert_int_equal(q->sents, 0);
    assert_int_equal(q->out + q->sacked + q->sacked_sents, 0);
    assert_int_equal(q->len, 800);
    assert_int_equal(queue_unsent(q, seq_of(BASE + 2200)), 800);
}

static struct sack_result report(struct queue *to, uint32_t first, uint32_t end)
{
    const struct opt o = {
        .has = OPT_SACK, .sacks = 1, .sack = {{seq_of(BASE + first), seq_of(BASE + end)}}};

    struct rack rack = {.reo_mult = 1};

    return sack_input(&rack, to, &o, seq_of(BASE + 1000), seq_of(BASE + 5000), 6 * WAVE_S, 0,
                      WAVE_NEVER);
}

static void rfc2883_4_a_duplicate_is_seen_without_a_queue(void **state)
{
    (void)state;
    assert_true(report(NULL, 0, 1000).dsack);
    assert_false(report(NULL, 1000, 2000).dsack);
    assert_int_equal(report(NULL, 1000, 2000).bytes, 0);
}

static void rfc2018_3_a_block_covers_whole_segments_once(void **state)
{
    (void)state;
    append(0, 5000, UINT32_MAX);
    for (int i = 0; i < 5; i++)
        send(1000);
    queue_drop(q, 1000);
    assert_int_equal(report(q, 1500, 3500).bytes, 1000); /* 2000 to 3000 and pieces */
    assert_int_equal(report(q, 2000, 4000).bytes, 1000); /* 3000 to 4000 is news */
    assert_int_equal(report(q, 4000, 5001).bytes, 0);    /* never sent */
    assert_int_equal(report(q, 999, 2000).bytes, 0);     /* below the acknowledgement */
    assert_int_equal(q->sacked, 2000);
}

/*
 * Receiving.
 */

#define NEXT 0x7fffff00u

static struct reasm_result insert(uint32_t at, uint32_t len, uint32_t limit)
{
    const uint32_t next = r ? r->ready : 0;

    return reasm_insert(&r, &env, seq_of(NEXT + next), seq_of(NEXT + at), bytes + at, len, limit);
}

static void the_limit_bounds_the_ring(void **state)
{
    (void)state;
    assert_true(insert(5000, 100, 5000).discarded);
    assert_null(r); /* and nothing is kept for it */
    assert_int_equal(env.mem_used, 0);
    assert_false(insert(4900, 100, 5000).discarded);
    assert_true(insert(60000, 1, 5000).discarded);
    assert_false(insert(r->ring.capacity - 50, 50, 5000).discarded); /* it is there anyhow */
    assert_int_equal(r->ring.capacity, 8192);
    assert_int_equal(insert(0, 4900, 5000).advanced, 5000);
}

static void nothing_counts_beyond_a_fin(void **state)
{
    (void)state;
    assert_true(reasm_fin(&r, &env, seq_of(NEXT + 1000)));
    assert_true(insert(900, 101, 5000).discarded);
    assert_false(insert(900, 100, 5000).discarded);
    assert_int_equal(insert(0, 900, 5000).advanced, 1000);
}

static void no_more_gaps_than_the_list_holds(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < REASM_RUNS_MAX; i++)
        assert_false(insert(10 + 10 * i, 5, 100000).discarded);
    assert_true(insert(10 + 10 * REASM_RUNS_MAX, 5, 100000).discarded);
    assert_false(insert(12, 8, 100000).discarded); /* joins two */
    assert_false(insert(10 + 10 * REASM_RUNS_MAX, 5, 100000).discarded);
    assert_int_equal(r->runs, REASM_RUNS_MAX);
    assert_int_equal(insert(0, 10, 100000).advanced, 25);
}

static void no_more_is_given_back_than_there_is(void **state)
{
    const uint8_t *data;

    (void)state;
    reasm_consume(&r, &env, 5); /* none at all */
    insert(0, 100, 5000);
    insert(200, 100, 5000);
    assert_int_equal(reasm_peek(r, &data), 100);
    reasm_consume(&r, &env, UINT32_MAX);
    assert_int_equal(reasm_peek(r, &data), 0);
    assert_null(data);
    assert_int_equal(r->runs, 1); /* what lies beyond the gap stays at its place */
}

static void rfc2018_4_no_more_blocks_than_runs(void **state)
{
    struct sack_block block[4];

    (void)state;
    assert_int_equal(reasm_sack(NULL, block, 4), 0);
    insert(100, 50, 5000);
    insert(300, 50, 5000);
    assert_int_equal(reasm_sack(r, block, 4), 2);
    assert_int_equal(block[0].first.v, NEXT + 300);
    assert_int_equal(block[1].first.v, NEXT + 100);
    assert_int_equal(reasm_sack(r, block, 1), 1);
    assert_int_equal(reasm_sack(r, block, 0), 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, make, unmake)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_queue_takes_no_more_than_its_limit),
        CASE(what_is_written_in_place_is_what_is_held),
        CASE(an_empty_queue_is_not_made),
        CASE(a_peer_does_not_choose_how_many_records_there_are),
        CASE(a_mark_counts_once),
        CASE(without_a_lost_record_there_is_no_first),
        CASE(a_record_is_cut_with_its_marks),
        CASE(acknowledged_bytes_go_with_the_records_that_held_them),
        CASE(rfc2883_4_a_duplicate_is_seen_without_a_queue),
        CASE(rfc2018_3_a_block_covers_whole_segments_once),
        CASE(the_limit_bounds_the_ring),
        CASE(nothing_counts_beyond_a_fin),
        CASE(no_more_gaps_than_the_list_holds),
        CASE(no_more_is_given_back_than_there_is),
        CASE(rfc2018_4_no_more_blocks_than_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

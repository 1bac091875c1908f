/*
 * Tests two honest ends with an attacker between them that sees every number that passes, and
 * injects forged segments, a few before each one that arrives. The RFCs say what it must not
 * achieve: every byte still arrives, both ends close, and memory is bounded.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/sim.h"

#define BUFFER 65536u
#define BYTES 100000u
#define SEEDS 20u
#define FAR_AWAY (1u << 24) /* beyond any window here */

static struct sim *sim;
static uint64_t forged;

static uint32_t chance(uint32_t below)
{
    return (uint32_t)prng_below(&sim->prng, below);
}

/* Sends a segment to `c` as if its peer had sent it. The timestamp is the last one that was
 * accepted. What `c` answers to numbers that it never sent goes to the attacker. */
static void forge(struct conn *c, unsigned flags, struct seq seq, struct seq ack, uint32_t len,
                  uint16_t wnd)
{
    static const uint8_t lies[1500] = {0xee};
    struct seg s = {.seq = seq,
                    .ack = flags & SEG_ACK ? ack : seq_of(0),
                    .flags = (uint16_t)flags,
                    .wnd = wnd,
                    .data = lies,
                    .len = len};

    if (c->flags & CONN_TIMESTAMPS)
        s.opt = (struct opt){.has = OPT_TIMESTAMP, .tsval = c->ts_recent};
    conn_input(c, link_now(sim->link), &s);
    forged++;
}

static uint32_t window(const struct conn *c)
{
    return c->rcv.adv.v - c->rcv.nxt.v;
}

static void rst_outside(struct conn *c)
{
    forge(c, SEG_RST, seq_sub(c->rcv.nxt, 1 + chance(FAR_AWAY)), c->snd.nxt, 0, 0);
    forge(c, SEG_RST | SEG_ACK, seq_add(c->rcv.nxt, FAR_AWAY + chance(FAR_AWAY)), c->snd.nxt, 0, 0);
}

static void rst_inside(struct conn *c)
{
    if (window(c) > 1)
        forge(c, SEG_RST, seq_add(c->rcv.nxt, 1 + chance(window(c) - 1)), c->snd.nxt, 0, 0);
}

static void syn_inside(struct conn *c)
{
    if (window(c) > 1)
        forge(c, SEG_SYN, seq_add(c->rcv.nxt, chance(window(c))), c->snd.nxt, 0, 60000);
    forge(c, SEG_SYN, c->rcv.irs, c->snd.nxt, 100, 60000);
    forge(c, SEG_SYN | SEG_ACK, c->rcv.irs, seq_add(c->snd.iss, 1), 0, 60000);
}

static void forged_fin(struct conn *c)
{
    forge(c, SEG_FIN | SEG_ACK, seq_add(c->rcv.nxt, FAR_AWAY), c->snd.una, 0, 60000);
    forge(c, SEG_FIN, c->rcv.nxt, c->snd.una, 0, 60000);
    forge(c, SEG_FIN | SEG_ACK, c->rcv.nxt, seq_add(c->snd.nxt, 1 + chance(FAR_AWAY)), 0, 60000);
}

static void ack_of_unsent(struct conn *c)
{
    forge(c, SEG_ACK, c->rcv.nxt, seq_add(c->snd.nxt, 1 + chance(FAR_AWAY)), 0, 60000);
    forge(c, SEG_ACK | SEG_PSH, c->rcv.nxt, seq_add(c->snd.nxt, 1 + chance(FAR_AWAY)), 100, 60000);
}

/* Sends other bytes in place of those that have come already, and bytes where none can be yet. */
static void contradiction(struct conn *c)
{
    uint32_t had = conn_received(c);

    if (had && !(c->flags & CONN_FIN_RCVD)) {
        had = 1 + chance(had < 1000 ? had : 1000);
        forge(c, SEG_ACK | SEG_PSH, seq_sub(c->rcv.nxt, had), c->snd.una, had, 60000);
    }
    forge(c, SEG_ACK | SEG_PSH, seq_add(c->rcv.nxt, FAR_AWAY), c->snd.una, 1000, 60000);
}

/* This one is acceptable in everything: only the next segment of the true peer announces the true
 * window. */
static void shrinking_window(struct conn *c)
{
    forge(c, SEG_ACK, c->rcv.nxt, c->snd.una, 0, (uint16_t)chance(3));
}

/* Sends a segment that is acceptable but for its options, which are random. If one of them happens
 * to be a timestamp, it is an old one. */
static void malformed_options(struct conn *c)
{
    uint8_t bytes[60] = {[12] = 0xf0, [13] = SEG_ACK};
    struct seg s;

    for (unsigned i = 20; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(chance(3) ? chance(12) : chance(256));
    assert_int_equal(seg_parse(bytes, sizeof bytes, &s), 0);
    s.seq = c->rcv.nxt;
    s.ack = c->snd.una;
    s.wnd = 60000;
    s.opt.has |= OPT_TIMESTAMP;
    s.opt.tsval = c->ts_recent;
    conn_input(c, link_now(sim->link), &s);
    forged++;
}

/* Sends SACK blocks for data that is in flight, and for data that is not. */
static void forged_sack(struct conn *c)
{
    struct seg s = {.seq = c->rcv.nxt, .ack = c->snd.una, .flags = SEG_ACK, .wnd = 60000};
    uint32_t flight = c->snd.nxt.v - c->snd.una.v;

    s.opt.has = OPT_SACK | OPT_TIMESTAMP;
    s.opt.tsval = c->ts_recent;
    s.opt.sacks = 2;
    s.opt.sack[0] = (struct sack_block){seq_add(c->snd.una, chance(flight + 1)), c->snd.nxt};
    s.opt.sack[1] = (struct sack_block){seq_add(c->snd.nxt, chance(FAR_AWAY)),
                                        seq_add(c->snd.nxt, FAR_AWAY + chance(FAR_AWAY))};
    conn_input(c, link_now(sim->link), &s);
    forged++;
}

static void (*attack)(struct conn *c);

static void between(void *ctx, wave_time at, enum link_end from, bool arrived, uint64_t number,
                    const struct seg *s)
{
    enum link_end to = from == LINK_A ? LINK_B : LINK_A;
    struct conn *c = sim_conn(sim, to);

    (void)ctx;
    (void)at;
    (void)number;
    (void)s;
    if (!arrived || c->state < STATE_ESTABLISHED || c->state == STATE_TIME_WAIT)
        return;
    attack(c);
    if (c->env->mem_used > 8 * BUFFER + 65536)
        sim_fail(sim, "%zu bytes are held", c->env->mem_used);
}

/* Runs against this attack, over a link with this impairment. */
static void withstands_over(void (*against)(struct conn *c),
                            const struct path_impairment *impairment)
{
    struct conn_config config = sim_config(1500);

    attack = against;
    forged = 0;
    config.rcvbuf = config.sndbuf = BUFFER;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        sim = sim_new(seed, &config, &config);
        sim_impair(sim, impairment);
        sim->watch = between;
        sim->end[LINK_A].user = (struct sim_user){.total = BYTES, .close = SIM_CLOSE_SENT};
        sim->end[LINK_B].user = (struct sim_user){.total = BYTES, .close = SIM_CLOSE_AFTER_PEER};
        sim_establish(sim);
        if (!sim_run_for(sim, WAVE_H))
            sim_fail(sim, "it did not come to its end");
        sim_assert_complete(sim);
        sim_delete(sim);
    }
    assert_true(forged > 100 * SEEDS);
}

static void withstands(void (*against)(struct conn *c))
{
    withstands_over(against, &(struct path_impairment){.delay = 5 * WAVE_MS});
    withstands_over(
        against, &(struct path_impairment){.delay = 5 * WAVE_MS, .jitter = WAVE_MS, .loss = 200});
}

#define WITHSTANDS(name, against)                                                                  \
    static void name(void **unused)                                                                \
    {                                                                                              \
        (void)unused;                                                                              \
        withstands(against);                                                                       \
    }

WITHSTANDS(rfc5961_3_2_resets_outside_the_window, rst_outside)
WITHSTANDS(rfc5961_3_2_resets_inside_the_window, rst_inside)
WITHSTANDS(rfc5961_4_2_syns_inside_the_window_and_old_ones, syn_inside)
WITHSTANDS(rfc9293_3_10_7_4_forged_fins, forged_fin)
WITHSTANDS(rfc5961_5_2_acknowledgements_of_what_was_never_sent, ack_of_unsent)
WITHSTANDS(the_first_copy_of_a_byte_counts, contradiction)
WITHSTANDS(rfc9293_3_8_6_must_34_a_window_that_shrinks_to_nothing_all_the_time, shrinking_window)
WITHSTANDS(rfc9293_must_7_options_malformed_in_every_way, malformed_options)
WITHSTANDS(rfc2018_8_blocks_that_are_not_true, forged_sack)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc5961_3_2_resets_outside_the_window),
        cmocka_unit_test(rfc5961_3_2_resets_inside_the_window),
        cmocka_unit_test(rfc5961_4_2_syns_inside_the_window_and_old_ones),
        cmocka_unit_test(rfc9293_3_10_7_4_forged_fins),
        cmocka_unit_test(rfc5961_5_2_acknowledgements_of_what_was_never_sent),
        cmocka_unit_test(the_first_copy_of_a_byte_counts),
        cmocka_unit_test(rfc9293_3_8_6_must_34_a_window_that_shrinks_to_nothing_all_the_time),
        cmocka_unit_test(rfc9293_must_7_options_malformed_in_every_way),
        cmocka_unit_test(rfc2018_8_blocks_that_are_not_true),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Tests --preset in whole commands over a simulated network: each preset puts on the wire what it
 * promises, and the run tells of it and blames neither the path nor the peer. The rig fails a case
 * in which anything but information is found, since nothing here disturbs the network. What a peer
 * does about it is tested against the kernel's TCP (tests/live/presets_*.sh).
 *
 * The far end dials after a second, says 20,000 bytes, and closes; times are those of the table.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/preset.h"
#include "tests/unit/command_rig.h"

#define RTT (2 * RIG_DELAY)
#define SAID 20000

#define EACH(s)                                                                                    \
    const struct rig_segment *s = r.segment;                                                       \
    s < r.segment + r.segments;                                                                    \
    s++

static struct command_rig r;
static char speech[SAID + 1];

/* Says what the far end does, beside what its manner is. */
enum act { SAYS = 1, CLOSES = 2, SAYS_LITTLE = 4, COMES_AGAIN = 8, CLOSES_LATE = 16 };

/* One run of a preset. */
struct preset_case {
    const char *name;
    unsigned command; /* PRESET_LISTEN or PRESET_CONNECT */
    enum host_behaviour far;
    unsigned acts;
    wave_time until;  /* when the run is interrupted, in virtual time */
    const char *more; /* options */
    void (*check)(void);
    const char *finds; /* a finding beyond information that this run must have; NULL: none */
};

static void dials(struct command_rig *x)
{
    rig_dial(x, 50000, 8000);
}

static void says(struct command_rig *x)
{
    memset(speech, 'x', SAID);
    rig_far_send(x, 0, speech);
}

static void says_little(struct command_rig *x)
{
    rig_far_send(x, 0, "hello");
}

static void closes(struct command_rig *x)
{
    rig_far_close(x, 0);
}

/*
 * What is on the wire
 */

/* When the connection began. */
static wave_time began(void)
{
    return r.dials ? WAVE_S : 0;
}

/* A sequence number, counted from its sender's SYN. */
static uint32_t counted(const struct rig_segment *s)
{
    return s->seg.seq.v - rig_segment(&r, s->out, SEG_SYN, 1)->seg.seq.v;
}

/* The number that it acknowledges, likewise. */
static uint32_t acked(const struct rig_segment *s)
{
    return s->seg.ack.v - rig_segment(&r, !s->out, SEG_SYN, 1)->seg.seq.v;
}

static bool is(const struct rig_segment *s, bool out, unsigned flags)
{
    return s->out == out && (s->seg.flags & flags) == flags;
}

/* Segments with data and, of those, the ones that begin where an earlier one did. */
static unsigned data_of(bool out, unsigned *repeated)
{
    unsigned n = 0;

    *repeated = 0;
    for (EACH(s)) {
        if (s->out != out || !s->seg.len)
            continue;
        n++;
        for (const struct rig_segment *b = r.segment; b < s; b++)
            if (b->out == out && b->seg.len && seq_eq(b->seg.seq, s->seg.seq)) {
                ++*repeated;
                break;
            }
    }
    return n;
}

static unsigned with_option(bool out, unsigned option, bool syn)
{
    unsigned n = 0;

    for (EACH(s))
        n += s->out == out && (s->seg.opt.has & option) && !(s->seg.flags & SEG_SYN) == !syn;
    return n;
}

/* How far our side has acknowledged the peer's stream. */
static uint32_t furthest_ack(void)
{
    uint32_t most = 0;

    for (EACH(s))
        if (is(s, true, SEG_ACK) && acked(s) > most)
            most = acked(s);
    return most;
}

/* The other side took all that it was sent, in either direction, and both have closed. */
static void comes_to_an_end(void)
{
    assert_true(rig_segments(&r, true, SEG_FIN) > 0);
    assert_true(rig_segments(&r, false, SEG_FIN) > 0);
    assert_int_equal(rig_segments(&r, false, SEG_RST), 0);
}

/*
 * Checks of each preset
 */

static void syn_ack_is_lost(void)
{
    assert_true(rig_segments(&r, r.dials, SEG_SYN | SEG_ACK) >= (r.dials ? 1 : 2));
    assert_true(rig_segments(&r, !r.dials, SEG_SYN) >= 2 || r.dials);
    for (EACH(s)) /* a second passes before anything is acknowledged */
        if (is(s, true, SEG_ACK))
            assert_true(s->at >= began() + WAVE_S);
    comes_to_an_end();
}

static void third_ack_is_lost(void)
{
    assert_true(rig_segments(&r, r.dials, SEG_SYN | SEG_ACK) == 2);
    comes_to_an_end();
}

static void syns_are_not_answered(void)
{
    assert_true(rig_segments(&r, false, SEG_SYN) >= 3);
    assert_true(rig_segment(&r, true, SEG_SYN, 1)->at >= 6 * WAVE_S);
}

static void syn_ack_is_wrong(void)
{
    assert_int_equal(acked(rig_segment(&r, true, SEG_SYN, 1)), 1001);
    assert_int_equal(rig_segment(&r, false, SEG_RST, 1)->seg.seq.v,
                     rig_segment(&r, true, SEG_SYN, 1)->seg.ack.v);
    assert_int_equal(rig_segments(&r, true, SEG_FIN), 0);
}

static void only_challenges(void)
{
    assert_int_equal(rig_segments(&r, true, SEG_SYN), 0);
    assert_true(rig_segments(&r, true, SEG_ACK) >= 2);
    assert_true(rig_segments(&r, false, SEG_RST) >= 1);
}

static void syns_cross(void)
{
    assert_int_equal(rig_segment(&r, true, SEG_SYN, 1)->seg.flags & SEG_ACK, 0);
    assert_int_equal(rig_segments(&r, false, SEG_SYN | SEG_ACK), 1);
    rig_expect_states(&r, "local", "CLOSED SYN_SENT ESTABLISHED CLOSE_WAIT LAST_ACK CLOSED");
    comes_to_an_end();
}

static void backlog_is_full(void)
{
    unsigned repeated;

    assert_true(rig_segments(&r, true, SEG_SYN | SEG_ACK) >= 3);
    data_of(false, &repeated);
    assert_true(repeated >= 2);
    assert_int_equal(furthest_ack(), 1);
}

static void mss_is_tiny(void)
{
    unsigned repeated;

    assert_int_equal(rig_segment(&r, true, SEG_SYN, 1)->seg.opt.mss, 1);
    assert_true(data_of(false, &repeated) >= SAID / 48);
    comes_to_an_end();
}

static void wscale_is_gone(void)
{
    assert_int_equal(rig_segment(&r, true, SEG_SYN, 1)->seg.opt.has & OPT_WSCALE, 0);
    comes_to_an_end();
}

static void resets_at_once(void)
{
    const struct rig_segment *rst = rig_segment(&r, true, SEG_RST, 1);

    assert_int_equal(counted(rst), 1);
    assert_int_equal(rig_segments(&r, true, SEG_FIN), 0);
    assert_true(rst->at <= began() + 2 * RTT);
}

static void resets_a_second_later(void)
{
    const struct rig_segment *rst = rig_segment(&r, true, SEG_RST, 1);

    assert_int_equal(furthest_ack(), 1 + SAID);
    assert_in_range(rst->at, began() + WAVE_S, began() + WAVE_S + 4 * RTT);
}

static void time_wait_is_met(void)
{
    assert_int_equal(rig_segments(&r, false, SEG_SYN), 2);
    assert_int_equal(rig_segments(&r, true, SEG_SYN | SEG_ACK), 2);
    rig_expect_printed(&r, "a new SYN ended TIME_WAIT", 1);
}

static void peer_closes_first(void)
{
    assert_true(rig_segment(&r, false, SEG_FIN, 1)->at < rig_segment(&r, true, SEG_FIN, 1)->at);
}

static void nothing_is_acknowledged(void)
{
    unsigned repeated;

    data_of(false, &repeated);
    assert_true(repeated >= 2);
    assert_int_equal(furthest_ack(), 1);
}

static void acks_are_ahead(void)
{
    uint32_t ack[8] = {0};
    unsigned n = 0;

    for (EACH(s))
        if (is(s, true, SEG_ACK) && !(s->seg.flags & (SEG_SYN | SEG_FIN)) && n < 8)
            ack[n++] = acked(s);
    assert_int_equal(ack[1] - ack[0], 2 * 1448); /* from here on a segment too much */
    assert_int_equal(ack[2] - ack[1], 1448);
    assert_int_equal(ack[6] - ack[5], 0); /* to here */
    comes_to_an_end();
}

static void unsent_is_acknowledged(void)
{
    unsigned repeated;

    assert_true(furthest_ack() > 1000000);
    data_of(false, &repeated);
    assert_true(repeated >= 2);
}

static void acks_come_four_times(void)
{
    unsigned same = 0, most = 0;
    uint32_t last = 0;

    assert_int_equal(with_option(true, OPT_SACK_PERMITTED, true), 0);
    for (EACH(s))
        if (is(s, true, SEG_ACK) && !s->seg.len && !(s->seg.flags & (SEG_SYN | SEG_FIN))) {
            same = acked(s) == last ? same + 1 : 1;
            last = acked(s);
            most = same > most ? same : most;
        }
    assert_true(most >= 4);
    comes_to_an_end();
}

static void sack_is_wrong(void)
{
    unsigned n = 0;

    for (EACH(s))
        if (s->out && (s->seg.opt.has & OPT_SACK)) {
            n++;
            assert_true(s->seg.opt.sack[0].first.v - rig_segment(&r, false, SEG_SYN, 1)->seg.seq.v >
                        SAID);
        }
    assert_true(n > 0);
    comes_to_an_end();
}

/* What a SACK block has reported is acknowledged only after it was sent once more. */
static void sack_is_taken_back(void)
{
    unsigned repeated;

    assert_true(with_option(true, OPT_SACK, false) > 0);
    data_of(false, &repeated);
    assert_true(repeated >= 3); /* only one segment was lost */
    comes_to_an_end();
}

static void timestamps_are_gone(void)
{
    assert_true(with_option(true, OPT_TIMESTAMP, true) > 0);
    assert_int_equal(with_option(true, OPT_TIMESTAMP, false), 0);
    comes_to_an_end();
}

static void echo_is_wrong(void)
{
    unsigned wrong = 0;

    for (EACH(s)) {
        bool sent = false;
        if (!s->out || !(s->seg.opt.has & OPT_TIMESTAMP) || (s->seg.flags & SEG_SYN))
            continue;
        for (EACH(b))
            sent |= !b->out && b->seg.opt.tsval == s->seg.opt.tsecr;
        wrong += !sent;
    }
    assert_true(wrong > 3);
    comes_to_an_end();
}

static void data_is_old(void)
{
    const struct rig_segment *syn = rig_segment(&r, true, SEG_SYN, 1);
    unsigned repeated;

    data_of(true, &repeated);
    assert_true(repeated >= 2);
    for (EACH(s))
        if (s->out && s->seg.len)
            assert_true((int32_t)(s->seg.opt.tsval - syn->seg.opt.tsval) < -30000);
}

static void probes_get_no_answer(void)
{
    wave_time probed = 0;
    unsigned probes = 0;

    for (EACH(s))
        if (!s->out && !s->seg.len && counted(s) == 5 && !(s->seg.flags & SEG_SYN)) {
            probes++;
            probed = probed ? probed : s->at;
        }
    assert_int_equal(probes, 2);
    assert_int_equal(furthest_ack(), 6);
    for (EACH(s))
        assert_true(!s->out || s->at < probed);
}

static void window_is_zero(void)
{
    unsigned repeated;

    for (EACH(s))
        assert_true(!is(s, true, SEG_ACK) || s->seg.wnd == 0);
    assert_true(rig_segments(&r, true, SEG_ACK) >= 3); /* the probes are answered */
    data_of(false, &repeated);
}

static void window_opens(void)
{

    for (EACH(s))
        if (is(s, true, SEG_ACK))
            assert_int_equal(s->seg.wnd == 0, s->at < began() + 3 * WAVE_S);
    assert_int_equal(furthest_ack(), 1 + SAID + 1);
    comes_to_an_end();
}

static void window_is_tiny(void)
{
    for (EACH(s)) {
        assert_true(!is(s, true, SEG_ACK) || s->seg.wnd <= 512);
        assert_true(s->out || s->seg.len <= 512);
    }
    comes_to_an_end();
}

static void window_is_silly(void)
{
    for (EACH(s))
        assert_true(!is(s, true, SEG_ACK) || s->seg.wnd == 1);
    assert_true(furthest_ack() > 1);
}

static void window_shrinks(void)
{
    uint32_t edge = 0, most = 0;
    bool moved_left = false;

    for (EACH(s))
        if (is(s, true, SEG_ACK)) {
            edge = acked(s) + ((uint32_t)s->seg.wnd << (s->seg.flags & SEG_SYN ? 0 : 7));
            moved_left |= edge < most;
            most = edge > most ? edge : most;
        }
    assert_true(moved_left);
    comes_to_an_end();
}

static void reads_slowly(void)
{
    uint32_t last = 65536;
    unsigned shut = 0;

    for (EACH(s))
        if (is(s, true, SEG_ACK)) {
            shut += s->seg.wnd < last && s->seg.wnd < 26000;
            last = s->seg.wnd;
        }
    assert_true(shut >= 1);
    comes_to_an_end();
}

static void order_is_lost(void)
{
    unsigned early = 0;
    uint32_t most = 0;

    for (EACH(s))
        if (s->out && s->seg.len) {
            early += counted(s) < most;
            most = counted(s) > most ? counted(s) : most;
        }
    assert_true(early >= 3);
    comes_to_an_end();
}

static void all_comes_twice(void)
{
    unsigned repeated, n = data_of(true, &repeated);

    assert_int_equal(n, 2 * repeated);
    assert_true(repeated >= 5);
    assert_int_equal(rig_segments(&r, true, SEG_SYN) % 2, 0);
    assert_int_equal(rig_segments(&r, true, SEG_FIN) % 2, 0);
}

static void data_comes_again(void)
{
    unsigned repeated;
    const struct rig_segment *sack;

    data_of(true, &repeated);
    assert_true(repeated >= 1);
    sack = NULL;
    for (EACH(s)) /* D-SACK */
        if (!s->out && (s->seg.opt.has & OPT_SACK))
            sack = s;
    assert_non_null(sack);
    comes_to_an_end();
}

static void data_is_damaged(void)
{
    unsigned repeated;

    data_of(true, &repeated);
    assert_true(repeated >= 3);
    comes_to_an_end();
}

static void data_is_urgent(void)
{
    unsigned repeated;

    assert_true(data_of(true, &repeated) >= 10);
    for (EACH(s))
        if (s->out && s->seg.len)
            assert_true((s->seg.flags & SEG_URG) && s->seg.urp == 1);
    comes_to_an_end();
}

static void marks_are_erased(void)
{
    const bool asked = rig_segment(&r, !r.dials, SEG_SYN, 1)->seg.flags & SEG_ECE;

    assert_true(asked);
    assert_true(rig_segment(&r, r.dials, SEG_SYN | SEG_ACK | SEG_ECE, 1) != NULL);
    for (EACH(s))
        assert_true(!s->out || s->seg.ecn == 0);
    comes_to_an_end();
}

static void data_is_reset(void)
{
    assert_int_equal(rig_segments(&r, true, SEG_RST), 1);
    assert_int_equal(rig_segments(&r, true, SEG_FIN), 0);
    assert_true(rig_segment(&r, true, SEG_RST, 1)->at < began() + WAVE_S);
}

static void reset_is_inexact(void)
{
    assert_int_equal(counted(rig_segment(&r, true, SEG_RST, 1)), 11);
    if (r.dials) /* a run of connect is over when it has reset its connection */
        assert_int_equal(counted(rig_segment(&r, true, SEG_RST, 2)), 1);
}

static void fin_has_data(void)
{
    const struct rig_segment *fin = rig_segment(&r, true, SEG_FIN, 1);

    assert_true(fin->seg.len > 0);
    comes_to_an_end();
}

static void fin_is_lost(void)
{
    const struct rig_segment *fin = rig_segment(&r, true, SEG_FIN, 1);

    /* Otherwise it would come with the data in listen, and 40 ms after the second that connect
     * gives an answer to begin. */
    assert_true(fin->at >= WAVE_S + 150 * WAVE_MS);
    assert_int_equal(rig_segments(&r, true, SEG_FIN), 1);
    comes_to_an_end();
}

static void fins_cross(void)
{
    const struct rig_segment *ours = rig_segment(&r, true, SEG_FIN, 1);
    const struct rig_segment *theirs = rig_segment(&r, false, SEG_FIN, 1);

    assert_true(theirs->at < ours->at);
    assert_true(acked(ours) <= counted(theirs) + theirs->seg.len);
    comes_to_an_end();
}

static void fin_comes_later(void)
{
    const struct rig_segment *theirs = rig_segment(&r, false, SEG_FIN, 1);

    assert_true(rig_segment(&r, true, SEG_FIN, 1)->at >= theirs->at + 2 * WAVE_MIN);
    assert_int_equal(rig_segments(&r, false, SEG_FIN), 1); /* it was acknowledged */
}

static void fin_never_comes(void)
{
    assert_int_equal(rig_segments(&r, false, SEG_FIN), 1);
    assert_int_equal(rig_segments(&r, true, SEG_FIN), 0);
}

static void data_follows_the_fin(void)
{
    const struct rig_segment *theirs = rig_segment(&r, false, SEG_FIN, 1);
    unsigned repeated;

    assert_true(data_of(true, &repeated) >= 10);
    for (EACH(s))
        assert_true(!s->out || !s->seg.len || s->at > theirs->at);
    comes_to_an_end();
}

static void falls_silent(void)
{
    unsigned repeated;

    for (EACH(s))
        assert_true(!s->out || s->at < began() + WAVE_S);
    data_of(false, &repeated);
    assert_true(repeated >= 2);
}

/*
 * The table
 */

#define L PRESET_LISTEN
#define C PRESET_CONNECT
#define D HOST_DISCARD
#define N HOST_NEVER_CLOSES

/* clang-format off */
static const struct preset_case cases[] = {
    {"lose-syn-ack", L, D, CLOSES_LATE, 10, "", syn_ack_is_lost, NULL},
    {"lose-syn-ack", C, D, 0, 10, "", syn_ack_is_lost, NULL},
    {"lose-third-ack", L, D, CLOSES_LATE, 10, "", third_ack_is_lost, NULL},
    {"lose-third-ack", C, D, 0, 10, "", third_ack_is_lost, NULL},
    {"drop-syn", L, D, 0, 20, "", syns_are_not_answered, NULL},
    {"bad-ack-to-syn", L, D, 0, 20, "", syn_ack_is_wrong, NULL},
    {"challenge-only", L, D, 0, 20, "", only_challenges, NULL},
    {"simultaneous-open", L, D, SAYS | CLOSES, 10, "", syns_cross, NULL},
    {"backlog-full", L, D, SAYS, 20, "", backlog_is_full, NULL},
    {"mss-tiny", L, D, SAYS | CLOSES, 20, "", mss_is_tiny, NULL},
    {"mss-tiny", C, D, SAYS | CLOSES, 20, "", mss_is_tiny, NULL},
    {"wscale-stripped", L, D, SAYS | CLOSES, 10, "", wscale_is_gone, NULL},
    {"rst-after-handshake", L, D, 0, 10, "", resets_at_once, NULL},
    {"rst-after-handshake", C, D, 0, 10, "", resets_at_once, NULL},
    {"accept-and-reset", L, D, SAYS, 10, "", resets_a_second_later, NULL},
    {"time-wait-reuse", L, D, COMES_AGAIN, 20, " -d hello", time_wait_is_met, NULL},
    {"time-wait-reuse", C, D, CLOSES, 20, " -p 5000", peer_closes_first, NULL},
    {"never-ack", L, D, SAYS, 20, "", nothing_is_acknowledged, NULL},
    {"never-ack", C, D, SAYS, 20, "", nothing_is_acknowledged, NULL},
    {"optimistic-ack", L, D, SAYS | CLOSES, 20, "", acks_are_ahead, NULL},
    {"optimistic-ack", C, D, SAYS | CLOSES, 20, "", acks_are_ahead, NULL},
    {"ack-unsent", L, D, SAYS, 20, "", unsent_is_acknowledged, NULL},
    {"ack-unsent", C, D, SAYS, 20, "", unsent_is_acknowledged, NULL},
    {"dup-ack-flood", L, D, SAYS | CLOSES, 20, "", acks_come_four_times, NULL},
    {"dup-ack-flood", C, D, SAYS | CLOSES, 20, "", acks_come_four_times, NULL},
    {"bad-sack", L, D, SAYS | CLOSES, 60, "", sack_is_wrong, NULL},
    {"bad-sack", C, D, SAYS | CLOSES, 60, "", sack_is_wrong, NULL},
    {"sack-renege", L, D, SAYS | CLOSES, 60, "", sack_is_taken_back, NULL},
    {"sack-renege", C, D, SAYS | CLOSES, 60, "", sack_is_taken_back, NULL},
    {"no-timestamps-after-syn", L, D, 0, 10, "", timestamps_are_gone, NULL},
    {"no-timestamps-after-syn", C, D, 0, 10, "", timestamps_are_gone, NULL},
    {"wrong-timestamp-echo", L, D, 0, 10, "", echo_is_wrong, NULL},
    {"wrong-timestamp-echo", C, D, 0, 10, "", echo_is_wrong, NULL},
    {"old-timestamps", L, D, 0, 10, "", data_is_old, NULL},
    {"old-timestamps", C, D, 0, 10, "", data_is_old, NULL},
    {"deaf-to-keepalive", L, D, SAYS_LITTLE, 20, "", probes_get_no_answer, NULL},
    {"deaf-to-keepalive", C, D, SAYS_LITTLE, 20, "", probes_get_no_answer, NULL},
    {"zero-window", L, D, SAYS, 20, "", window_is_zero, NULL},
    {"zero-window", C, D, SAYS, 20, "", window_is_zero, NULL},
    {"zero-window-then-open", L, D, SAYS | CLOSES, 20, "", window_opens, NULL},
    {"zero-window-then-open", C, D, SAYS | CLOSES, 20, "", window_opens, NULL},
    {"tiny-window", L, D, SAYS | CLOSES, 20, "", window_is_tiny, NULL},
    {"tiny-window", C, D, SAYS | CLOSES, 20, "", window_is_tiny, NULL},
    {"silly-window", L, D, SAYS, 10, "", window_is_silly, NULL},
    {"silly-window", C, D, SAYS, 10, "", window_is_silly, NULL},
    {"shrink-window", L, D, SAYS | CLOSES, 60, "", window_shrinks, NULL},
    {"shrink-window", C, D, SAYS | CLOSES, 60, "", window_shrinks, NULL},
    {"slow-reader", L, D, SAYS | CLOSES, 20, "", reads_slowly, NULL},
    {"slow-reader", C, D, SAYS | CLOSES, 20, "", reads_slowly, NULL},
    {"out-of-order", L, D, 0, 10, "", order_is_lost, NULL},
    {"out-of-order", C, D, 0, 10, "", order_is_lost, NULL},
    {"duplicate-everything", L, D, 0, 10, "", all_comes_twice, NULL},
    {"duplicate-everything", C, D, 0, 10, "", all_comes_twice, NULL},
    {"retransmit-needlessly", L, D, 0, 10, "", data_comes_again, NULL},
    {"retransmit-needlessly", C, D, 0, 10, "", data_comes_again, NULL},
    {"bad-checksum", L, D, 0, 60, "", data_is_damaged, NULL},
    {"bad-checksum", C, D, 0, 60, "", data_is_damaged, NULL},
    {"urgent", L, D, 0, 10, "", data_is_urgent, NULL},
    {"urgent", C, D, 0, 10, "", data_is_urgent, NULL},
    {"ecn-bleach", L, D, 0, 10, "", marks_are_erased, NULL},
    {"ecn-bleach", C, D, 0, 10, "", marks_are_erased, NULL},
    {"rst-on-data", L, D, SAYS_LITTLE, 10, "", data_is_reset, NULL},
    {"rst-on-data", C, D, SAYS_LITTLE, 10, "", data_is_reset, NULL},
    {"inexact-rst", L, D, 0, 10, "", reset_is_inexact, NULL},
    {"inexact-rst", C, D, 0, 10, "", reset_is_inexact, NULL},
    {"fin-with-data", L, D, 0, 10, "", fin_has_data, NULL},
    {"fin-with-data", C, D, 0, 10, " -d hello", fin_has_data, NULL},
    {"lose-fin", L, D, 0, 10, " -d hello", fin_is_lost, NULL},
    {"lose-fin", C, D, 0, 10, " -d hello", fin_is_lost, NULL},
    {"simultaneous-close", L, D, CLOSES, 20, "", fins_cross, NULL},
    {"simultaneous-close", C, D, CLOSES, 20, "", fins_cross, NULL},
    {"half-close-hold", L, D, SAYS_LITTLE | CLOSES, 300, "", fin_comes_later, NULL},
    {"half-close-hold", C, D, SAYS_LITTLE | CLOSES, 300, "", fin_comes_later, NULL},
    {"never-close", L, D, SAYS_LITTLE | CLOSES, 3600, "", fin_never_comes, NULL},
    {"never-close", C, D, SAYS_LITTLE | CLOSES, 3600, "", fin_never_comes, NULL},
    {"late-data-after-fin", L, D, SAYS_LITTLE | CLOSES, 10, "", data_follows_the_fin, NULL},
    {"late-data-after-fin", C, D, SAYS_LITTLE | CLOSES, 10, "", data_follows_the_fin, NULL},
    {"vanish", L, N, 0, 20, "", falls_silent, NULL},
    {"vanish", C, N, 0, 20, "", falls_silent, NULL}};
/* clang-format on */

#define CASES (sizeof cases / sizeof *cases)

/* Schedules what the far end does: in listen from its call on, in connect from ours on. */
static void schedule(const struct preset_case *c)
{
    const bool vanishes = strcmp(c->name, "vanish") == 0;
    wave_time at = c->command == PRESET_LISTEN ? WAVE_S : 0;

    if (c->command == PRESET_LISTEN)
        rig_at(&r, at, dials);
    if (vanishes)
        rig_at(&r, at + 1500 * WAVE_MS, says);
    if (c->acts & SAYS)
        rig_at(&r, at + 4 * RTT, says);
    if (c->acts & SAYS_LITTLE)
        rig_at(&r, at + 4 * RTT, says_little);
    if (c->acts & CLOSES)
        rig_at(&r, at + 8 * RTT, closes);
    if (c->acts & CLOSES_LATE)
        rig_at(&r, at + 5 * WAVE_S, closes);
    if (c->acts & COMES_AGAIN)
        rig_at(&r, at + 2 * WAVE_S, dials);
    rig_at(&r, c->until * WAVE_S, rig_interrupt);
}

/* One case. */
static void preset_does_what_it_says(void **state)
{
    const struct preset_case *c = *state;
    char words[200], text[64];

    rig_init(&r, c->far);
    r.network.host.engine.ecn = strcmp(c->name, "ecn-bleach") == 0;
    r.network.host.engine.time_wait = true; /* a late segment of ours meets it, and gets no RST */
    r.network.host.engine.msl = 30 * WAVE_S;
    if (strcmp(c->name, "deaf-to-keepalive") == 0) {
        r.network.host.engine.keepalive = true;
        r.network.host.engine.keepalive_idle = r.network.host.engine.keepalive_interval = WAVE_S;
        r.network.host.engine.keepalive_count = 2;
    }
    r.disturbed = c->finds != NULL;
    schedule(c);
    snprintf(words, sizeof words, "%s --json %s --preset %s%s",
             c->command == PRESET_LISTEN ? "listen" : "connect",
             c->command == PRESET_LISTEN ? "8000" : RIG_PEER, c->name, c->more);
    rig_run(&r, words);
    c->check();
    assert_true(!c->finds || rig_count(&r, "finding", "code", c->finds) >= 1);
    rig_expect_text(&r, "verdict", "preset", c->name);
    assert_true(rig_count(&r, "finding", "code", "own-preset") >= 1);
    snprintf(text, sizeof text, "on purpose (--preset %s)", c->name);
    rig_expect_part(&r, "verdict", "message", text);
    rig_free(&r);
}

static void each_preset_has_a_case(void **state)
{
    (void)state;
    for (const struct preset *p = presets; p->name; p++)
        for (unsigned command = PRESET_LISTEN; command <= PRESET_CONNECT; command <<= 1) {
            bool found = !(p->commands & command);
            for (size_t i = 0; i < CASES; i++)
                found |= cases[i].command == command && strcmp(cases[i].name, p->name) == 0;
            if (!found)
                fail_msg("%s has no case", p->name);
        }
}

static void options_of_the_user_count(void **state)
{
    static const struct preset_case own = {.name = "half-close-hold",
                                           .command = PRESET_LISTEN,
                                           .acts = SAYS_LITTLE | CLOSES,
                                           .until = 60};
    wave_time theirs, ours;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    schedule(&own);
    rig_run(&r, "listen --json 8000 --preset half-close-hold --hold 1s --impair out:F~dup");
    theirs = rig_segment(&r, false, SEG_FIN, 1)->at;
    ours = rig_segment(&r, true, SEG_FIN, 1)->at;
    assert_in_range(ours, theirs + WAVE_S, theirs + WAVE_S + 2 * RTT);
    assert_int_equal(rig_segments(&r, true, SEG_FIN), 2);
    rig_free(&r);
}

int main(void)
{
    static char name[CASES][48];
    struct CMUnitTest tests[CASES + 3] = {
        [CASES] = cmocka_unit_test(each_preset_has_a_case),
        cmocka_unit_test(options_of_the_user_count),
        cmocka_unit_test(rig_schema),
    };

    for (size_t i = 0; i < CASES; i++) {
        snprintf(name[i], sizeof name[i], "%s_in_%s", cases[i].name,
                 cases[i].command == PRESET_LISTEN ? "listen" : "connect");
        tests[i] = (struct CMUnitTest){name[i], preset_does_what_it_says, NULL, NULL,
                                       (void *)(uintptr_t)&cases[i]};
    }

    return cmocka_run_group_tests(tests, NULL, NULL);
}

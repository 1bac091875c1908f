/* Tests HyStart++ (RFC 9406) through hystart.h, and in the first slow start of an engine. */
#include "lib/core/hystart.h"
#include "lib/core/queue.h"
#include "tests/unit/engine.h"

/* A round of ten acknowledgements, each of that round trip; its number moves the windows on. */
static enum hystart_phase round_of(struct hystart *h, unsigned round, uint32_t rtt)
{
    enum hystart_phase phase = HYSTART_SLOW_START;
    for (unsigned i = 1; i <= 10 && phase != HYSTART_DONE; i++)
        phase = hystart_acked(h, seq_of(round * 10 + i), seq_of((round + 1) * 10 + i), rtt);
    return phase;
}

static void rfc9406_4_2_a_steady_round_trip_is_slow_start(void **state)
{
    struct hystart h = {0};
    (void)state;
    for (unsigned round = 0; round < 30; round++)
        check(round_of(&h, round, 40000) == HYSTART_SLOW_START, "round %u", round);
}

/* An eighth longer, and at least 4 ms, at most 16. */
static void rfc9406_4_2_a_longer_round_trip_begins_the_conservative_phase(void **state)
{
    static const struct {
        uint32_t rtt, less, enough;
    } of[] = {{10000, 3999, 4000}, {80000, 9999, 10000}, {400000, 15999, 16000}};
    (void)state;
    for (size_t i = 0; i < COUNT(of); i++) {
        struct hystart h = {0};
        round_of(&h, 0, of[i].rtt);
        check(round_of(&h, 1, of[i].rtt + of[i].less) == HYSTART_SLOW_START, "%u us more",
              of[i].less);
        h = (struct hystart){0};
        round_of(&h, 0, of[i].rtt);
        check(round_of(&h, 1, of[i].rtt + of[i].enough) == HYSTART_CONSERVATIVE, "%u us more",
              of[i].enough);
    }
}

static void rfc9406_4_2_fewer_than_eight_samples_say_nothing(void **state)
{
    struct hystart h = {0};
    (void)state;
    round_of(&h, 0, 40000);
    /* The first ends the round before, and is its sample. */
    for (unsigned i = 1; i <= 8; i++)
        check(hystart_acked(&h, seq_of(10 + i), seq_of(30), 90000) == HYSTART_SLOW_START,
              "sample %u", i);
    check(hystart_acked(&h, seq_of(19), seq_of(30), 0) == HYSTART_SLOW_START, "none at all");
    check(hystart_acked(&h, seq_of(20), seq_of(30), 90000) == HYSTART_CONSERVATIVE, "the eighth");
}

static void rfc9406_4_2_five_conservative_rounds_end_slow_start(void **state)
{
    struct hystart h = {0};
    unsigned round = 1;
    (void)state;
    round_of(&h, 0, 40000);
    while (round_of(&h, round, 60000) == HYSTART_CONSERVATIVE && round < 30)
        round++;
    /* The phase begins within round 1, which is the first of the five. */
    check(round == 6, "it ended with round %u", round);
}

static void rfc9406_4_2_a_shorter_round_trip_resumes_slow_start(void **state)
{
    struct hystart h = {0};
    (void)state;
    round_of(&h, 0, 40000);
    check(round_of(&h, 1, 60000) == HYSTART_CONSERVATIVE, "no conservative phase");
    check(round_of(&h, 2, 59999) == HYSTART_SLOW_START, "slow start does not go on");
}

/* The engine over a path whose round trip gets longer with the window: slow start ends before a
 * loss, and in the conservative phase it grows by a quarter. */
static void rfc9406_4_2_slow_start_ends_without_a_loss(void **state)
{
    uint32_t acked = 1;
    (void)state;
    rig_start(&variants[1]);
    establish(40 * WAVE_MS);
    in(ACK, 1, 1, 200000, 0);
    for (int round = 0; round < 14 && rig.c.ssthresh == UINT32_MAX; round++) {
        push(200000 - (snd_nxt() - snd_una()) > 0 ? 100000 : 0);
        burst();
        const uint32_t until = snd_nxt(), before = rig.c.cwnd;
        rig.now += (40 + 10 * (wave_time)round) * WAVE_MS;
        while (acked < until && rig.c.ssthresh == UINT32_MAX) {
            acked = acked + eff_mss() < until ? acked + eff_mss() : until;
            in(ACK, 1, acked, 200000, 0);
        }
        if (rig.c.queue && rig.c.queue->hystart.css && round > 3)
            check(rig.c.cwnd <= before + before / 4 + eff_mss(), "from %u to %u", before,
                  rig.c.cwnd);
    }
    check(rig.c.ssthresh < UINT32_MAX && rig.c.ssthresh == rig.c.cwnd, "ssthresh is %u, cwnd %u",
          rig.c.ssthresh, rig.c.cwnd);
    check(rig.c.retransmits == 0, "something was lost");
}

int main(void)
{
    static const struct CMUnitTest cases[] = {
        cmocka_unit_test(rfc9406_4_2_a_steady_round_trip_is_slow_start),
        cmocka_unit_test(rfc9406_4_2_a_longer_round_trip_begins_the_conservative_phase),
        cmocka_unit_test(rfc9406_4_2_fewer_than_eight_samples_say_nothing),
        cmocka_unit_test(rfc9406_4_2_five_conservative_rounds_end_slow_start),
        cmocka_unit_test(rfc9406_4_2_a_shorter_round_trip_resumes_slow_start),
        cmocka_unit_test(rfc9406_4_2_slow_start_ends_without_a_loss),
    };
    return run_cases(cases, COUNT(cases));
}

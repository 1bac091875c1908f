/*
 * HyStart++. Slow start is divided into rounds, each of which ends when the data is acknowledged
 * that was in flight when it began. If the smallest RTT of a round is longer than that of the round
 * before, growth slows down; if it stays longer for five rounds, slow start ends.
 */
#include "lib/core/hystart.h"

/* The constants of RFC 9406, 4.3, in microseconds. */
#define MIN_RTT_THRESH 4000u
#define MAX_RTT_THRESH 16000u
#define MIN_RTT_DIVISOR 8u
#define N_RTT_SAMPLE 8u
#define CSS_ROUNDS 5u

/* Starts a round, which ends when `nxt` is acknowledged. */
static void new_round(struct hystart *h, struct seq nxt)
{
    h->last_min = h->round_min;
    h->round_min = 0;
    h->samples = 0;
    h->end = nxt;
}

/* Returns by how much the RTT must increase: an eighth of it, but 4 ms at least and 16 ms at
 * most. */
static uint32_t threshold(uint32_t last_min)
{
    const uint32_t part = last_min / MIN_RTT_DIVISOR;

    if (part < MIN_RTT_THRESH)
        return MIN_RTT_THRESH;
    return part < MAX_RTT_THRESH ? part : MAX_RTT_THRESH;
}

enum hystart_phase hystart_acked(struct hystart *h, struct seq una, struct seq nxt, uint32_t rtt)
{
    if (!h->started) {
        h->started = true;
        h->end = nxt;
    }
    if (rtt > 0) {
        if (h->round_min == 0 || rtt < h->round_min)
            h->round_min = rtt;
        if (h->samples < N_RTT_SAMPLE)
            h->samples++;
    }
    if (h->samples >= N_RTT_SAMPLE) {
        if (h->css && h->round_min < h->baseline) {
            h->css = false; /* it was not congestion: back to slow start */
        } else if (!h->css && h->last_min > 0 &&
                   h->round_min >= h->last_min + threshold(h->last_min)) {
            h->css = true;
            h->baseline = h->round_min;
            h->css_rounds = 0;
        }
    }
    if (seq_geq(una, h->end)) { /* 4.2: the round is over */
        new_round(h, nxt);
        if (h->css && ++h->css_rounds >= CSS_ROUNDS)
            return HYSTART_DONE;
    }
    return h->css ? HYSTART_CONSERVATIVE : HYSTART_SLOW_START;
}

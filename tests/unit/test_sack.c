/* Tests selective acknowledgement: the receiver's blocks (RFC 2018, RFC 2883), and which segments a
 * sender retransmits for them (RFC 6675, RFC 8985), not how it finds them. */
#include "lib/core/queue.h"
#include "lib/core/reasm.h"
#include "tests/unit/engine.h"

/*
 * The receiver.
 */

static void block_is(unsigned i, uint32_t first, uint32_t end)
{
    const struct opt *o = &rig.out.opt;
    check((o->has & OPT_SACK) && i < o->sacks, "there is no block %u", i);
    uint32_t f = o->sack[i].first.v - rig.irs, e = o->sack[i].end.v - rig.irs;
    check(f == first && e == end, "block %u is %u to %u, not %u to %u", i, f, e, first, end);
}

static void blocks_are(unsigned n)
{
    const struct opt *o = &rig.out.opt;
    unsigned got = o->has & OPT_SACK ? o->sacks : 0;
    check(got == n, "%u blocks are sent, not %u", got, n);
}

static void rfc2018_4_first_block_holds_the_newest_segment(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    in(ACK, 101, 1, WND, 100);
    out(ACK, 1, 1, 0);
    blocks_are(1);
    block_is(0, 101, 201);
    in(ACK, 301, 1, WND, 100);
    out(ACK, 1, 1, 0);
    blocks_are(2);
    block_is(0, 301, 401);
    block_is(1, 101, 201);
    in(ACK, 201, 1, WND, 50); /* grows the older block, which is the newest now */
    out(ACK, 1, 1, 0);
    blocks_are(2);
    block_is(0, 101, 251);
    block_is(1, 301, 401);
    in(ACK, 251, 1, WND, 50); /* joins them */
    out(ACK, 1, 1, 0);
    blocks_are(1);
    block_is(0, 101, 401);
}

static void rfc2018_3_three_blocks_beside_a_timestamp(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    for (uint32_t i = 0; i < 6; i++) {
        in(ACK, 101 + 200 * i, 1, WND, 100);
        out(ACK, 1, 1, 0);
        blocks_are(i < 3 ? i + 1 : 3);
        block_is(0, 101 + 200 * i, 201 + 200 * i);
    }
    block_is(1, 901, 1001); /* those reported most recently */
    block_is(2, 701, 801);
}

static void rfc2018_3_four_blocks_without_a_timestamp(void **state)
{
    (void)state;
    rig.peer.timestamps = false;
    establish(RTT);
    for (uint32_t i = 0; i < 6; i++) {
        in(ACK, 101 + 200 * i, 1, WND, 100);
        out(ACK, 1, 1, 0);
    }
    blocks_are(4);
    block_is(0, 1101, 1201);
    block_is(3, 501, 601);
}

static void rfc2018_4_blocks_go_with_their_gap(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    in(ACK, 101, 1, WND, 100);
    in(ACK, 301, 1, WND, 100);
    burst();
    in(ACK, 1, 1, WND, 100);
    out(ACK, 1, 201, 0);
    blocks_are(1);
    block_is(0, 301, 401);
    in(ACK, 201, 1, WND, 100);
    out(ACK, 1, 401, 0);
    blocks_are(0);
    take(400);
}

static void rfc2018_2_without_negotiation_no_blocks(void **state)
{
    (void)state;
    rig.peer.sack = false;
    establish(RTT);
    in(ACK, 101, 1, WND, 100);
    out(ACK, 1, 1, 0);
    blocks_are(0);
}

static void rfc2018_3_block_on_data_that_goes_out(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    in(ACK, 101, 1, WND, 100);
    out(ACK, 1, 1, 0);
    push(10);
    out(ACK, 1, 1, 10);
    blocks_are(1);
    block_is(0, 101, 201);
}

static void rfc2883_4_1_duplicate_below_the_ack_is_reported_first(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    in(ACK, 1, 1, WND, 300);
    acknowledges(301);
    in(ACK, 101, 1, WND, 100);
    out(ACK, 1, 301, 0);
    blocks_are(1);
    block_is(0, 101, 201);
    in(ACK, 301, 1, WND, 10); /* each duplicate is reported once */
    acknowledges(311);
    blocks_are(0);
}

static void rfc2883_4_1_duplicate_below_the_ack_beside_a_gap(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    in(ACK, 1, 1, WND, 300);
    acknowledges(301);
    in(ACK, 401, 1, WND, 100);
    out(ACK, 1, 301, 0);
    in(ACK, 1, 1, WND, 300);
    out(ACK, 1, 301, 0);
    blocks_are(2);
    block_is(0, 1, 301);
    block_is(1, 401, 501);
}

static void rfc2883_4_2_duplicate_beyond_a_gap_is_followed_by_its_block(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    in(ACK, 101, 1, WND, 300);
    out(ACK, 1, 1, 0);
    in(ACK, 201, 1, WND, 100);
    out(ACK, 1, 1, 0);
    blocks_are(2);
    block_is(0, 201, 301);
    block_is(1, 101, 401);
}

static void rfc2883_4_partly_duplicate_segment_reports_the_duplicate_part(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    in(ACK, 1, 1, WND, 100);
    acknowledges(101);
    in(ACK, 51, 1, WND, 100);
    acknowledges(151);
    blocks_are(1);
    block_is(0, 51, 101);
    take(150);
}

/* Only the bytes before the first gap can empty the list of what lies beyond gaps. */
static void rfc9293_3_10_7_4_a_full_list_of_gaps_does_not_keep_out_what_is_in_order(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    for (uint32_t i = 0; i <= REASM_RUNS_MAX; i++) {
        in(ACK, 101 + 2 * i, 1, WND, 1);
        out(ACK, 1, 1, 0);
    }
    check(rig.c.reasm->runs == REASM_RUNS_MAX, "%u runs are kept", rig.c.reasm->runs);
    in(ACK, 1, 1, WND, 10);
    out(ACK, 1, 11, 0);
    in(ACK, 11, 1, WND, 90);
    out(ACK, 1, 102, 0);
    take(101);
}

/*
 * The sender.
 */

/* Gives the engine the peer's ACK with blocks, which are pairs of relative numbers. */
static void sack(uint32_t ack, unsigned n, const uint32_t (*blocks)[2])
{
    struct seg s = make(ACK, 1, ack, WND, 0);
    s.opt.has |= OPT_SACK;
    s.opt.sacks = (uint8_t)n;
    for (unsigned i = 0; i < n; i++) {
        s.opt.sack[i].first = seq_of(rig.iss + blocks[i][0]);
        s.opt.sack[i].end = seq_of(rig.iss + blocks[i][1]);
    }
    feed(s);
}

/* Returns the first byte of full segment `i`, counted from 0. */
static uint32_t at_segment(uint32_t i)
{
    return 1 + i * eff_mss();
}

/* Ten full segments are in flight, and no more is queued; `lost` has a bit for each that is lost.
 * The peer reports all others as they come, with up to three blocks. Afterwards `again` has a bit
 * for each that was retransmitted within a round trip. */
static unsigned ten_with_losses(unsigned lost)
{
    establish(20 * WAVE_MS);
    push(10 * eff_mss());
    check(burst() == 10 * eff_mss(), "ten segments do not go out");
    silent(20 * WAVE_MS);
    unsigned again = 0;
    uint32_t ack = 0;
    while (!(lost >> ack & 1))
        ack++;
    if (ack > 0)
        in(ACK, 1, at_segment(ack), WND, 0);
    for (uint32_t i = ack; i < 10; i++) {
        if (lost >> i & 1)
            continue;
        uint32_t blocks[3][2];
        unsigned n = 0;
        for (uint32_t end = i + 1; n < 3 && end > ack;) { /* newest first */
            uint32_t first = end;
            while (first > ack && !(lost >> (first - 1) & 1))
                first--;
            if (first < end) {
                blocks[n][0] = at_segment(first);
                blocks[n++][1] = at_segment(end);
            }
            end = first > 0 ? first - 1 : 0;
        }
        sack(at_segment(ack), n, (const uint32_t(*)[2])blocks);
        wave_time until = rig.now + WAVE_MS;
        while (next_out(until - rig.now))
            again |= 1u << (out_seq() - 1) / eff_mss();
    }
    wave_time until = rig.now + 20 * WAVE_MS;
    while (next_out(until - rig.now))
        again |= 1u << (out_seq() - 1) / eff_mss();
    return again;
}

static void rfc6675_3_one_hole_is_filled_and_nothing_else_goes_again(void **state)
{
    (void)state;
    unsigned again = ten_with_losses(1u << 0);
    check(again == 1u << 0, "%x went again", again);
    const struct event *e = expect_event(EVENT_RETRANSMIT);
    check(e->u.retransmit.why == RETRANSMIT_FAST, "it was no fast retransmission");
    in(ACK, 1, at_segment(10), WND, 0);
    check(conn_unacked(&rig.c) == 0, "conn_unacked() is %zu", conn_unacked(&rig.c));
    silent(WAVE_H);
}

static void rfc6675_3_hole_in_the_middle(void **state)
{
    (void)state;
    unsigned again = ten_with_losses(1u << 4);
    check(again == 1u << 4, "%x went again", again);
}

static void rfc6675_5_two_holes_are_filled_in_one_round_trip(void **state)
{
    (void)state;
    unsigned again = ten_with_losses(1u << 0 | 1u << 4);
    check(again == (1u << 0 | 1u << 4), "%x went again", again);
}

static void rfc6675_5_adjacent_holes_are_filled(void **state)
{
    (void)state;
    unsigned again = ten_with_losses(1u << 1 | 1u << 2);
    check(again == (1u << 1 | 1u << 2), "%x went again", again);
}

/* RFC 6675's DupThresh, RFC 8985's reordering window: reordering by one segment is no loss. */
static void rfc6675_4_reordering_by_one_sends_nothing_again(void **state)
{
    (void)state;
    establish(20 * WAVE_MS);
    push(4 * eff_mss());
    burst();
    silent(20 * WAVE_MS);
    const uint32_t block[1][2] = {{at_segment(1), at_segment(2)}};
    sack(at_segment(0), 1, block);
    silent(WAVE_MS);
    in(ACK, 1, at_segment(2), WND, 0);
    in(ACK, 1, at_segment(4), WND, 0);
    silent(WAVE_H);
    check(rig.c.retransmits == 0, "%u segments went again", rig.c.retransmits);
}

static void rfc2018_5_1_what_was_sacked_is_kept_until_acknowledged(void **state)
{
    (void)state;
    establish(20 * WAVE_MS);
    push(4 * eff_mss());
    burst();
    const uint32_t block[1][2] = {{at_segment(1), at_segment(4)}};
    sack(1, 1, block);
    /* The receiver reneges: it never acknowledges what it reported (RFC 2018, section 8). */
    uint32_t ack = 1;
    for (int i = 0; i < 20 && ack < at_segment(4); i++) {
        check(next_out(30 * WAVE_S), "what was sacked is never sent again");
        if (out_seq() <= ack && out_seq() + rig.out.len > ack) {
            ack = out_seq() + rig.out.len;
            in(ACK, 1, ack, WND, 0);
        }
    }
    check(ack == at_segment(4), "only %u is sent again", ack);
    check(conn_unacked(&rig.c) == 0, "conn_unacked() is %zu", conn_unacked(&rig.c));
}

static void rfc6675_5_lost_retransmission_ends_with_the_timer(void **state)
{
    (void)state;
    unsigned again = ten_with_losses(1u << 0);
    check(again & 1, "the hole was not filled");
    check(next_out(5 * WAVE_S), "a lost retransmission is never sent again");
    check(out_seq() == 1, "%u is sent again, not what stands first", out_seq());
    in(ACK, 1, at_segment(10), WND, 0);
    silent(WAVE_H);
}

static void rfc8985_7_lost_tail_is_sent_again_without_more_data(void **state)
{
    (void)state;
    establish(20 * WAVE_MS);
    push(3 * eff_mss());
    burst();
    silent(20 * WAVE_MS);
    in(ACK, 1, at_segment(2), WND, 0);
    wave_time from = rig.now;
    out_between(1, WAVE_S, ACK, at_segment(2), 1, eff_mss());
    /* PTO is at least two smoothed round trips (RFC 8985, 7.2). */
    check(rig.now - from >= 2 * 20 * WAVE_MS - WAVE_MS, "sent again after only %llu us",
          (unsigned long long)((rig.now - from) / WAVE_US));
    in(ACK, 1, at_segment(3), WND, 0);
    silent(WAVE_H);
}

static void rfc2883_4_duplicate_report_is_no_loss(void **state)
{
    (void)state;
    establish(20 * WAVE_MS);
    push(4 * eff_mss());
    burst();
    in(ACK, 1, at_segment(2), WND, 0);
    for (int i = 0; i < 5; i++) { /* blocks below the ACK: duplicates arrived, nothing is missing */
        const uint32_t block[1][2] = {{at_segment(0), at_segment(1)}};
        sack(at_segment(2), 1, block);
    }
    silent(5 * WAVE_MS);
    in(ACK, 1, at_segment(4), WND, 0);
    silent(WAVE_H);
}

/* RFC 2018, section 3: the right edge lies beyond the left one. */
static void rfc2883_4_a_block_that_ends_before_it_begins_reports_no_duplicate(void **state)
{
    (void)state;
    establish(20 * WAVE_MS);
    push(4 * eff_mss());
    burst();
    const uint32_t block[1][2] = {{at_segment(2), at_segment(1)}};
    sack(at_segment(2), 1, block);
    check(!rig.c.rack.dsack && rig.c.rack.reo_mult == 1, "it counts as a D-SACK");
}

/* RFC 2883, section 4: a block is held against the ACK of its own segment, which may be late. */
static void rfc2883_4_block_of_an_overtaken_ack_reports_no_duplicate(void **state)
{
    (void)state;
    establish(20 * WAVE_MS);
    push(4 * eff_mss());
    burst();
    silent(20 * WAVE_MS);
    in(ACK, 1, at_segment(2), WND, 0);
    const uint32_t block[1][2] = {{at_segment(1), at_segment(2)}};
    sack(at_segment(0), 1, block);
    check(!rig.c.rack.dsack, "the late block is taken for a D-SACK");
    sack(at_segment(2), 1, block);
    check(rig.c.rack.dsack, "a D-SACK is not seen");
}

/* Two segments are sent, the second is retransmitted as a tail-loss probe, a third follows, and
 * then comes the ACK that reaches the end of the probe. */
static void probe_of_the_tail(void)
{
    establish(20 * WAVE_MS);
    push(2 * eff_mss());
    burst();
    check(next_out(WAVE_S) && out_seq() == at_segment(1), "no tail-loss probe goes out");
    push(eff_mss());
    burst();
    in(ACK, 1, at_segment(2), WND, 0);
}

static void rfc8985_7_4_2_probe_that_both_copies_reached_is_no_loss(void **state)
{
    (void)state;
    probe_of_the_tail();
    uint32_t cwnd = rig.c.cwnd;
    const uint32_t block[1][2] = {{at_segment(1), at_segment(2)}};
    sack(at_segment(2), 1, block);
    in(ACK, 1, at_segment(3), WND, 0);
    check(cwnd >= 10 * eff_mss() && rig.c.cwnd >= cwnd, "cwnd went from %u to %u", cwnd,
          rig.c.cwnd);
}

static void rfc8985_7_4_2_probe_that_repaired_a_loss_halves(void **state)
{
    (void)state;
    probe_of_the_tail();
    push(eff_mss());
    burst();
    in(ACK, 1, at_segment(3), WND, 0);
    check(rig.c.cwnd < 10 * eff_mss(), "cwnd is still %u", rig.c.cwnd);
}

/* RFC 6675, section 5, RFC 5681, 3.2: while a hole is being filled, at most half as much is in
 * flight as before, however much waits to be sent. */
static void rfc6675_5_recovery_sends_no_more_than_half_the_flight(void **state)
{
    (void)state;
    establish(20 * WAVE_MS);
    push(40 * eff_mss());
    check(burst() == 10 * eff_mss(), "ten segments do not go out");
    silent(20 * WAVE_MS);
    uint32_t bytes = 0;
    bool hole = false;
    for (uint32_t i = 1; i < 10; i++) {
        const uint32_t block[1][2] = {{at_segment(1), at_segment(i + 1)}};
        sack(at_segment(0), 1, block);
        wave_time until = rig.now + WAVE_MS;
        while (next_out(until - rig.now)) {
            hole |= out_seq() == 1;
            bytes += rig.out.len;
            check(out_seq() == 1 || out_seq() >= at_segment(10), "%u was not lost", out_seq());
        }
    }
    check(hole, "the hole is not filled");
    /* Nine of ten have left the network: five may be in it, and RFC 3042's two are on top. */
    check(bytes <= 7 * eff_mss(), "%u bytes go out in recovery", bytes);
    in(ACK, 1, at_segment(10), WND, 0);
    burst();
    check(snd_nxt() - snd_una() <= 7 * eff_mss(), "%u bytes are in flight after recovery",
          snd_nxt() - snd_una());
}

static void rfc6675_5_1_timeout_begins_with_what_stands_first(void **state)
{
    (void)state;
    establish(20 * WAVE_MS);
    push(6 * eff_mss());
    burst();
    silent(20 * WAVE_MS);
    const uint32_t block[1][2] = {{at_segment(2), at_segment(3)}};
    sack(at_segment(0), 1, block);
    bool first = false;
    for (int i = 0; i < 4 && !first; i++) {
        check(next_out(5 * WAVE_S), "nothing is sent again");
        first = out_seq() == 1;
    }
    check(first, "what stands first is not sent again");
    uint32_t ack = at_segment(3);
    in(ACK, 1, ack, WND, 0);
    for (int i = 0; i < 10 && ack < at_segment(6); i++) {
        check(next_out(5 * WAVE_S), "%u is not sent again", ack);
        if (out_seq() <= ack && out_seq() + rig.out.len > ack)
            ack = out_seq() + rig.out.len;
        in(ACK, 1, ack, WND, 0);
    }
    check(conn_unacked(&rig.c) == 0, "conn_unacked() is %zu", conn_unacked(&rig.c));
    silent(WAVE_H);
}

/* RFC 2883, section 4: a duplicate is reported in one ACK, and is no news in the next. */
static void rfc2883_4_a_duplicate_is_reported_once(void **state)
{
    (void)state;
    establish(RTT);
    in(ACK, 1, 1, WND, 1000);
    acknowledges(1001);
    in(ACK, 1, 1, WND, 500);
    out(ACK, 1, 1001, 0);
    check(rig.out.opt.sacks == 1 && rig.out.opt.sack[0].first.v == rig.irs + 1 &&
              rig.out.opt.sack[0].end.v == rig.irs + 501,
          "the duplicate is not reported");
    in(ACK, 1001, 1, WND, 100);
    acknowledges(1101);
    check(rig.out.opt.sacks == 0, "it is reported again");
}

/* 4.2.2: of two parts that were here already the first alone is reported. */
static void rfc2883_4_2_2_of_two_duplicate_parts_the_first(void **state)
{
    (void)state;
    establish(RTT);
    in(ACK, 1001, 1, WND, 500);
    out(ACK, 1, 1, 0);
    in(ACK, 2001, 1, WND, 500);
    out(ACK, 1, 1, 0);
    in(ACK, 1001, 1, WND, 1500); /* 1001 to 2501: both are in it */
    out(ACK, 1, 1, 0);
    check(rig.out.opt.sacks == 2, "%u blocks", rig.out.opt.sacks);
    const struct sack_block *b = rig.out.opt.sack;
    check(b[0].first.v == rig.irs + 1001 && b[0].end.v == rig.irs + 1501, "the first part is not");
    check(b[1].first.v == rig.irs + 1001 && b[1].end.v == rig.irs + 2501,
          "the block that holds it does not follow");
}

/* The first part may lie below RCV.NXT, and the other beyond a gap. */
static void rfc2883_4_2_2_the_part_below_rcv_nxt_is_the_first(void **state)
{
    (void)state;
    establish(RTT);
    in(ACK, 1, 1, WND, 500);
    acknowledges(501);
    in(ACK, 1001, 1, WND, 500);
    out(ACK, 1, 501, 0);
    in(ACK, 201, 1, WND, 1000); /* 201 to 1201: twice 201 to 501, and 1001 to 1201 */
    out(ACK, 1, 1501, 0);
    const struct sack_block *b = rig.out.opt.sack;
    check(rig.out.opt.sacks == 1 && b[0].first.v == rig.irs + 201 && b[0].end.v == rig.irs + 501,
          "%u to %u is reported", b[0].first.v - rig.irs, b[0].end.v - rig.irs);
}

/* Without an agreement on SACK there is none on D-SACK. */
static void rfc2883_3_without_sack_no_duplicate_is_reported(void **state)
{
    (void)state;
    rig.peer.sack = false;
    establish(RTT);
    in(ACK, 1, 1, WND, 1000);
    acknowledges(1001);
    in(ACK, 1, 1, WND, 500); /* below RCV.NXT altogether */
    out(ACK, 1, 1001, 0);
    check(!(rig.out.opt.has & OPT_SACK), "a block goes out");
    in(ACK, 501, 1, WND, 600); /* in part */
    out(ACK, 1, 1101, 0);
    check(!(rig.out.opt.has & OPT_SACK), "a block goes out");
    in(ACK, 2001, 1, WND, 100);
    out(ACK, 1, 1101, 0);
    in(ACK, 2001, 1, WND, 100); /* beyond a gap */
    out(ACK, 1, 1101, 0);
    check(!(rig.out.opt.has & OPT_SACK), "a block goes out");
}

/* A retransmitted FIN has no byte of data to report. */
static void rfc2883_4_a_repeated_fin_is_no_duplicate_block(void **state)
{
    (void)state;
    establish(RTT);
    in(ACK | FIN, 1, 1, WND, 100);
    acknowledges(102);
    in(ACK | FIN, 101, 1, WND, 0);
    out(ACK, 1, 102, 0);
    check(rig.out.opt.sacks == 0, "%u blocks", rig.out.opt.sacks);
    in(ACK | FIN, 1, 1, WND, 100); /* with its data */
    out(ACK, 1, 102, 0);
    check(rig.out.opt.sacks == 1 && rig.out.opt.sack[0].end.v == rig.irs + 101,
          "the data is not reported, or the FIN with it");
}

/* RFC 8985, 6.2, step 4: after sixteen recoveries without a reported duplicate the reordering
 * window is reset. */
static void rfc8985_6_2_4_recoveries_without_duplicates_are_counted(void **state)
{
    (void)state;
    establish(20 * WAVE_MS);
    push(200 * eff_mss());
    burst();
    const uint32_t duplicate[1][2] = {{0xfffffff0, 1}};
    sack(1, 1, duplicate);
    for (int round = 0; round < 16; round++) {
        check(rig.c.rack.reo_mult == 2, "round %d: %u quarters", round, rig.c.rack.reo_mult);
        const uint32_t block[1][2] = {{snd_una() + eff_mss(), snd_nxt()}}; /* one is lost */
        silent(20 * WAVE_MS);
        sack(snd_una(), 1, block);
        pass(19 * WAVE_MS);
        check(rig.c.flags & CONN_RECOVERY, "round %d: no recovery", round);
        in(ACK, 1, snd_una() + eff_mss(), WND, 0); /* not the end of it yet */
        check(rig.c.flags & CONN_RECOVERY, "round %d: the recovery ends too soon", round);
        in(ACK, 1, snd_nxt(), WND, 0);
        check(!(rig.c.flags & CONN_RECOVERY), "round %d: the recovery does not end", round);
        burst();
    }
    check(rig.c.rack.reo_mult == 1, "the window is %u quarters", rig.c.rack.reo_mult);
}

/* With an MTU of 68 bytes an acknowledgement has 28 for its options, and the stamps take 12. */
static void rfc791_3_2_the_smallest_mtu_bounds_the_blocks(void **state)
{
    (void)state;
    rig.env.config.mss = 28;
    establish(RTT);
    for (uint32_t i = 0; i < 6; i++) {
        in(ACK, 11 + 20 * i, 1, WND, 10);
        check(next_out(0), "nothing goes out");
        check(rig.out.opt.sacks == 1, "%u blocks go out", rig.out.opt.sacks);
    }
    push(100);
    check(next_out(0), "nothing goes out");
    check(rig.out.opt.sacks == 1 && rig.out.len == 4, "%u bytes and %u blocks go out", rig.out.len,
          rig.out.opt.sacks);
}

int main(void)
{
    static const struct CMUnitTest cases[] = {
        cmocka_unit_test(rfc2018_4_first_block_holds_the_newest_segment),
        cmocka_unit_test(rfc2018_3_three_blocks_beside_a_timestamp),
        cmocka_unit_test(rfc2018_3_four_blocks_without_a_timestamp),
        cmocka_unit_test(rfc2018_4_blocks_go_with_their_gap),
        cmocka_unit_test(rfc2018_2_without_negotiation_no_blocks),
        cmocka_unit_test(rfc2018_3_block_on_data_that_goes_out),
        cmocka_unit_test(rfc2883_4_1_duplicate_below_the_ack_is_reported_first),
        cmocka_unit_test(rfc2883_4_1_duplicate_below_the_ack_beside_a_gap),
        cmocka_unit_test(rfc2883_4_2_duplicate_beyond_a_gap_is_followed_by_its_block),
        cmocka_unit_test(rfc2883_4_partly_duplicate_segment_reports_the_duplicate_part),
        cmocka_unit_test(rfc9293_3_10_7_4_a_full_list_of_gaps_does_not_keep_out_what_is_in_order),
        cmocka_unit_test(rfc6675_3_one_hole_is_filled_and_nothing_else_goes_again),
        cmocka_unit_test(rfc6675_3_hole_in_the_middle),
        cmocka_unit_test(rfc6675_5_two_holes_are_filled_in_one_round_trip),
        cmocka_unit_test(rfc6675_5_adjacent_holes_are_filled),
        cmocka_unit_test(rfc6675_4_reordering_by_one_sends_nothing_again),
        cmocka_unit_test(rfc2018_5_1_what_was_sacked_is_kept_until_acknowledged),
        cmocka_unit_test(rfc6675_5_lost_retransmission_ends_with_the_timer),
        cmocka_unit_test(rfc8985_7_lost_tail_is_sent_again_without_more_data),
        cmocka_unit_test(rfc2883_4_duplicate_report_is_no_loss),
        cmocka_unit_test(rfc2883_4_a_block_that_ends_before_it_begins_reports_no_duplicate),
        cmocka_unit_test(rfc2883_4_block_of_an_overtaken_ack_reports_no_duplicate),
        cmocka_unit_test(rfc8985_7_4_2_probe_that_both_copies_reached_is_no_loss),
        cmocka_unit_test(rfc8985_7_4_2_probe_that_repaired_a_loss_halves),
        cmocka_unit_test(rfc6675_5_recovery_sends_no_more_than_half_the_flight),
        cmocka_unit_test(rfc6675_5_1_timeout_begins_with_what_stands_first),
        cmocka_unit_test(rfc2883_4_a_duplicate_is_reported_once),
        cmocka_unit_test(rfc2883_4_2_2_of_two_duplicate_parts_the_first),
        cmocka_unit_test(rfc2883_4_2_2_the_part_below_rcv_nxt_is_the_first),
        cmocka_unit_test(rfc2883_3_without_sack_no_duplicate_is_reported),
        cmocka_unit_test(rfc2883_4_a_repeated_fin_is_no_duplicate_block),
        cmocka_unit_test(rfc8985_6_2_4_recoveries_without_duplicates_are_counted),
        cmocka_unit_test(rfc791_3_2_the_smallest_mtu_bounds_the_blocks),
    };
    return run_cases(cases, COUNT(cases));
}

/* Tests the table of flows: who is the client, what is one flow and what is two, what is captured
 * twice, and what is forgotten when; and the states and letters that Zeek would give. */
#include "tests/unit/flows_rig.h"

#include <string.h>

static void both_directions_are_one_flow(void **state)
{
    (void)state;
    shake_hands();
    const struct watched *w = over();
    assert_int_equal(watching.overs, 1);
    assert_int_equal(w->number, 1);
    assert_true(flow_eq(&w->flow, &watching.flow));
    assert_true(w->sides_known);
    assert_int_equal(track_view(&w->track, TRACK_B).state, STATE_ESTABLISHED);
}

static void ipv6_flows(void **state)
{
    (void)state;
    watching.flow = (struct flow){.local = {{0x20, 1, 0xd, 0xb8, 1}},
                                  .remote = {{0x20, 1, 0xd, 0xb8, 2}},
                                  .lport = 40000,
                                  .rport = 80,
                                  .v6 = 1};
    shake_hands();
    over();
    assert_int_equal(watching.overs, 1);
}

static void the_client_is_who_sends_the_syn(void **state)
{
    (void)state;
    b(SYN | ACK, 0, 1, 0); /* the SYN was not captured */
    const struct watched *w = over();
    assert_true(flow_eq(&w->flow, &watching.flow));
    assert_true(w->sides_known);
    assert_int_equal(w->zeek.history[0], '^');

    flows_done(state);
    flows_fresh(state);
    b(ACK, 1, 1, 100); /* from port 80: a guess */
    w = over();
    assert_true(flow_eq(&w->flow, &watching.flow));
    assert_false(w->sides_known);

    flows_done(state);
    flows_fresh(state);
    watching.flow.rport = 50000; /* as good as the other */
    b(ACK, 1, 1, 100);
    w = over();
    const struct flow back = flow_reverse(&watching.flow);
    assert_true(flow_eq(&w->flow, &back));
}

static void close_both(void)
{
    a(FIN | ACK, 1, 1, 0);
    b(FIN | ACK, 1, 2, 0);
    a(ACK, 2, 2, 0);
}

static void the_same_ports_once_more_are_another_flow(void **state)
{
    (void)state;
    shake_hands();
    close_both();
    watching.iss[TRACK_A] += 100000;
    watching.iss[TRACK_B] += 200000;
    shake_hands();
    a(ACK, 1, 1, 10);
    over();
    assert_int_equal(watching.overs, 2);
    assert_int_equal(watching.kept[0].number, 1);
    assert_int_equal(track_view(&watching.kept[0].track, TRACK_A).state, STATE_TIME_WAIT);
    assert_int_equal(watching.kept[0].measure.side[TRACK_A].segments, 4);
    assert_int_equal(watching.kept[1].number, 2);
    assert_int_equal(watching.kept[1].measure.side[TRACK_A].bytes, 10);
    assert_true(watching.kept[1].again);
    assert_false(watching.kept[1].isn_reused[TRACK_A]);
    assert_false(watching.kept[1].isn_reused[TRACK_B]);
    assert_string_equal(watching.kept[1].zeek.history, "ShAD");
}

static void isn_within_the_last_connection(void **state)
{
    (void)state;
    shake_hands();
    a(ACK, 1, 1, 1000);
    b(ACK, 1, 1001, 0);
    b(RST | ACK, 1, 1001, 0);
    watching.iss[TRACK_A] += 500;
    shake_hands();
    const struct watched *w = over();
    assert_int_equal(watching.overs, 2);
    assert_true(w->isn_reused[TRACK_A]);
    assert_true(has_finding(w, "isn-reused"));
}

static void the_same_isn_each_time(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        shake_hands();
        a(ACK, 1, 1, 10);
        b(ACK, 1, 11, 0);
        a(FIN | ACK, 11, 1, 0);
        b(FIN | ACK, 1, 12, 0);
        a(ACK, 12, 2, 0);
        after_ms(2000);
    }
    over();
    assert_int_equal(watching.overs, 2);
    for (unsigned i = 0; i < 2; i++) {
        const struct watched *w = &watching.kept[i];
        assert_int_equal(w->measure.side[TRACK_A].bytes, 10);
        assert_int_equal(w->measure.side[TRACK_A].retransmissions, 0);
        assert_int_equal(w->isn_reused[TRACK_A], i);
        assert_int_equal(w->isn_reused[TRACK_B], i);
        assert_string_equal(zeek_state(&w->zeek), "SF");
    }
}

/* Some hosts repeat a SYN that a RST has answered; and one that was sent below the numbers of the
 * last connection, and far from them, is no harm. */
static void a_number_that_is_no_reuse(void **state)
{
    (void)state;
    a(SYN, 0, 0, 0);
    b(RST | ACK, 0, 1, 0);
    after_ms(500);
    a(SYN, 0, 0, 0);
    b(RST | ACK, 0, 1, 0);
    const struct watched *w = over();
    assert_int_equal(watching.overs, 1);
    assert_int_equal(w->measure.side[TRACK_A].syns, 2);

    flows_done(state);
    flows_fresh(state);
    shake_hands();
    b(RST | ACK, 1, 1, 0);
    watching.iss[TRACK_A] -= 1u << 28;
    watching.iss[TRACK_B] -= 1u << 28;
    shake_hands();
    w = over();
    assert_int_equal(watching.overs, 2);
    assert_false(has_finding(w, "isn-reused"));
}

/* A SYN that is repeated, or that a challenge ACK answers, begins nothing. */
static void a_syn_that_begins_nothing(void **state)
{
    (void)state;
    a(SYN, 0, 0, 0);
    after_ms(1000);
    a(SYN, 0, 0, 0);
    b(SYN | ACK, 0, 1, 0);
    a(ACK, 1, 1, 0);
    a(SYN, 5000, 0, 0);
    b(ACK, 1, 1, 0);
    const struct watched *w = over();
    assert_int_equal(watching.overs, 1);
    assert_int_equal(w->measure.side[TRACK_B].challenges, 1);
}

static void what_is_captured_at_two_places_counts_once(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        const uint16_t id = watching.id[TRACK_A];
        a(ACK, 1 + 100 * i, 1, 100);
        assert_non_null(watching.taken.flow);
        watching.id[TRACK_A] = id;
        watching.place = 2;
        a(ACK, 1 + 100 * i, 1, 100);
        assert_null(watching.taken.flow);
        watching.place = 1;
    }
    const struct watched *w = over();
    assert_int_equal(w->measure.side[TRACK_A].segments, 4);
    assert_int_equal(w->measure.side[TRACK_A].retransmissions, 0);
    assert_int_equal(w->elsewhere, 4);
    assert_int_equal(flows_counts(watching.flows).elsewhere, 4);
    assert_true(has_finding(w, "captured-twice"));
}

/* Between two captures that were merged, many packets are on their way. */
static void many_packets_between_two_places(void **state)
{
    const uint16_t id = watching.id[TRACK_A];

    (void)state;
    for (watching.place = 1; watching.place <= 2; watching.place++) {
        watching.id[TRACK_A] = id;
        for (unsigned i = 0; i < 300; i++)
            a(ACK, 1 + 100 * i, 1, 100);
    }
    const struct watched *w = over();
    assert_int_equal(w->measure.side[TRACK_A].retransmissions, 0);
    assert_int_equal(w->measure.side[TRACK_A].segments, 300);
    assert_int_equal(w->elsewhere, 300);
}

/* A retransmission takes another way, and has another identification. */
static void a_retransmission_at_another_place_is_none(void **state)
{
    (void)state;
    shake_hands();
    a(ACK, 1, 1, 100);
    watching.place = 2;
    a(ACK, 1, 1, 100);
    const struct watched *w = over();
    assert_int_equal(w->measure.side[TRACK_A].retransmissions, 1);
    assert_int_equal(w->elsewhere, 0);
}

static void options_that_change_between_two_places(void **state)
{
    (void)state;
    watching.opt[TRACK_A] = (struct opt){.has = OPT_MSS | OPT_TIMESTAMP, .mss = 1460};
    a(SYN, 0, 0, 0);
    watching.id[TRACK_A]--;
    watching.place = 2;
    watching.opt[TRACK_A].mss = 1400;
    a(SYN, 0, 0, 0);
    const struct watched *w = over();
    assert_int_equal(w->elsewhere, 1);
    assert_int_equal(w->measure.side[TRACK_A].syns, 1);
    assert_int_equal(w->measure.side[TRACK_A].syn.mss, 1460);
    assert_int_equal(w->measure.side[TRACK_A].syn.other_mss, 1400);
    assert_true(has_finding(w, "options-changed"));
}

static void what_the_other_side_never_saw(void **state)
{
    static const struct opt offered = {.has = OPT_MSS | OPT_WSCALE | OPT_SACK_PERMITTED |
                                              OPT_TIMESTAMP,
                                       .mss = 1460,
                                       .wscale = 7},
                            seen = {
                                .has = OPT_MSS | OPT_WSCALE | OPT_OTHER, .mss = 1460, .wscale = 2};
    struct findings list = {.count = 0};

    (void)state;
    watching.opt[TRACK_A] = offered;
    a(SYN, 0, 0, 0);
    watching.id[TRACK_A]--;
    watching.place = 2;
    watching.opt[TRACK_A] = seen;
    a(SYN, 0, 0, 0);
    flow_findings(over(), &list);
    assert_int_equal(list.count, 2);
    assert_string_equal(
        list.at[0].message,
        "a device between two places of the capture changes the client's SYN: window "
        "scale 7 at the first, 2 at the second; SACK at the first only; timestamps at "
        "the first only; another option at the second only");
}

/* A capture with a short snap length has the first of a segment's options. */
static void options_that_were_not_captured_do_not_differ(void **state)
{
    (void)state;
    watching.opt[TRACK_A] = (struct opt){.has = OPT_MSS | OPT_WSCALE, .mss = 1460, .wscale = 7};
    a(SYN, 0, 0, 0);
    watching.id[TRACK_A]--;
    watching.place = 2;
    watching.opt[TRACK_A] = (struct opt){.has = OPT_MSS | OPT_CUT, .mss = 1460};
    a(SYN, 0, 0, 0);
    const struct watched *w = over();
    assert_int_equal(w->elsewhere, 1);
    assert_false(has_finding(w, "options-changed"));
}

/* Nor is the scale known then, so that any window may be as large as it gets. */
static void a_window_scale_that_was_not_captured(void **state)
{
    (void)state;
    for (unsigned i = 0; i < TRACK_SIDES; i++)
        watching.opt[i] = (struct opt){.has = OPT_MSS | OPT_CUT, .mss = 1460};
    watching.window[TRACK_A] = 500;
    shake_hands();
    for (uint32_t i = 0; i < 50; i++)
        b(ACK, 1 + 1000 * i, 1, 1000);
    const struct watched *w = over();
    assert_int_equal(w->measure.side[TRACK_B].bytes, 50000);
    assert_int_equal(w->track.half[TRACK_B].next.v - w->track.half[TRACK_B].isn.v, 50001);
}

/* Without an IP identification, data that comes twice within a millisecond was copied, unless its
 * receiver has asked for it. */
static void data_that_was_copied_without_an_identification(void **state)
{
    (void)state;
    for (unsigned asked = 0; asked < 2; asked++) {
        watching.id[TRACK_A] = watching.id[TRACK_B] = 0;
        for (unsigned i = 0; i < TRACK_SIDES; i++)
            watching.opt[i] = (struct opt){.has = OPT_TIMESTAMP | OPT_SACK_PERMITTED, .tsval = 5};
        shake_hands();
        for (uint32_t i = 0; i < 3; i++) {
            b(ACK, 1 + 100 * i, 1, 100);
            watching.now -= WAVE_MS * 9 / 10;
        }
        if (asked) {
            watching.opt[TRACK_A].has |= OPT_SACK;
            watching.opt[TRACK_A].sacks = 1;
            watching.opt[TRACK_A].sack[0] = (struct sack_block){
                seq_of(watching.iss[TRACK_B] + 101), seq_of(watching.iss[TRACK_B] + 301)};
            a(ACK, 1, 1, 0);
        }
        b(ACK, 1, 1, 100);
        const struct watched *w = over();
        assert_int_equal(w->measure.side[TRACK_B].duplicates, !asked);
        assert_int_equal(w->measure.side[TRACK_B].retransmissions, asked);
        assert_int_equal(has_finding(w, "duplicated"), !asked);
        flows_done(state);
        flows_fresh(state);
    }
}

/* Some hosts leave options off where a SYN had no answer: that is no device on the way. */
static void a_repeated_syn_that_offers_less(void **state)
{
    (void)state;
    watching.opt[TRACK_A] = (struct opt){.has = OPT_MSS | OPT_TIMESTAMP, .mss = 1460};
    a(SYN, 0, 0, 0);
    after_ms(1000);
    watching.opt[TRACK_A].has = OPT_MSS;
    a(SYN, 0, 0, 0);
    watching.id[TRACK_A]--;
    watching.place = 2;
    a(SYN, 0, 0, 0);
    const struct watched *w = over();
    assert_int_equal(w->elsewhere, 1);
    assert_int_equal(w->measure.side[TRACK_A].syns, 2);
    assert_false(has_finding(w, "options-changed"));
}

/* Two captures that were merged show a packet a way apart. Without an identification a timestamp
 * tells it from a retransmission; without both, only what comes soon is the same one. */
static void places_that_are_far_apart(void **state)
{
    (void)state;
    a(ACK, 1, 1, 100);
    watching.id[TRACK_A]--;
    watching.place = 2;
    after_ms(300);
    a(ACK, 1, 1, 100);
    assert_null(watching.taken.flow);

    watching.id[TRACK_A] = watching.id[TRACK_B] = 0;
    watching.opt[TRACK_A] = (struct opt){.has = OPT_TIMESTAMP, .tsval = 7};
    a(ACK, 101, 1, 100);
    watching.place = 1;
    after_ms(300);
    a(ACK, 101, 1, 100);
    assert_null(watching.taken.flow);

    watching.opt[TRACK_A] = (struct opt){.has = 0};
    a(ACK, 201, 1, 100);
    watching.place = 2;
    after_ms(15);
    a(ACK, 201, 1, 100);
    assert_null(watching.taken.flow);
    after_ms(300);
    a(ACK, 201, 1, 100);
    assert_non_null(watching.taken.flow);
    const struct watched *w = over();
    assert_int_equal(w->measure.side[TRACK_A].retransmissions, 1);
    assert_int_equal(w->elsewhere, 3);
}

/* Of many flows, each keeps to its own, and all come in order at the end. */
static void many_flows(void **state)
{
    (void)state;
    for (uint16_t i = 0; i < 20000; i++) {
        watching.flow.lport = (uint16_t)(40000 + i);
        watching.now -= WAVE_MS;
        a(SYN, 0, 0, 0);
    }
    for (uint16_t i = 0; i < 20000; i++) {
        watching.flow.lport = (uint16_t)(40000 + i);
        watching.now -= WAVE_MS;
        b(SYN | ACK, 0, 1, 0);
        assert_int_equal(watching.taken.flow->number, i + 1);
        assert_int_equal(watching.taken.from, TRACK_B);
    }
    flows_end(watching.flows);
    assert_int_equal(watching.overs, 20000);
    for (unsigned i = 0; i < RIG_KEPT; i++)
        assert_int_equal(watching.kept[i].number, i + 1);
    assert_int_equal(flows_counts(watching.flows).now, 0);
}

/* A million SYNs without an answer need no more room than there is. */
static void more_than_there_is_room_for(void **state)
{
    (void)state;
    watching.flow.lport = 1;
    shake_hands(); /* an open flow, which stays */
    for (uint32_t i = 0; i < 1000000; i++) {
        watching.flow.local = addr_v4(10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i);
        watching.flow.lport = 2000;
        watching.now -= WAVE_MS - 1000;
        a(SYN, 0, 0, 0);
    }
    const struct flows_counts c = flows_counts(watching.flows);
    assert_int_equal(c.flows, 1000001);
    assert_int_equal(c.most, FLOWS_MAX);
    assert_int_equal(c.now, FLOWS_MAX);
    assert_int_equal(c.forgotten, 1000001 - FLOWS_MAX);
    assert_int_equal(watching.overs, 1000001 - FLOWS_MAX);
    assert_true(watching.kept[0].number == 2 && watching.kept[0].cut);
    flows_end(watching.flows);
    assert_int_equal(watching.overs, 1000001);
}

static void what_is_over_is_forgotten_after_a_time(void **state)
{
    (void)state;
    shake_hands();
    close_both();
    watching.flow.lport = 40001;
    a(SYN, 0, 0, 0);
    watching.flow.lport = 40002;
    shake_hands();
    after_ms(61000);
    watching.flow.lport = 40003;
    a(SYN, 0, 0, 0);
    assert_int_equal(watching.overs, 1);
    assert_int_equal(watching.kept[0].number, 1);
    after_ms(80000);
    watching.flow.lport = 40004;
    a(SYN, 0, 0, 0);
    assert_int_equal(watching.overs, 2);
    assert_int_equal(watching.kept[1].number, 2);
    assert_false(watching.kept[1].cut);
    after_ms(24 * 3600 * 1000);
    watching.flow.lport = 40002;
    a(ACK, 1, 1, 10); /* the open one was kept */
    assert_int_equal(watching.taken.flow->number, 3);
}

static void icmp_errors_find_their_flow(void **state)
{
    (void)state;
    struct icmp e = {.from = addr_v4(203, 0, 113, 9), .type = 3, .code = 13};
    e.flow = watching.flow;
    assert_null(flows_icmp(watching.flows, &e));
    a(SYN, 0, 0, 0);
    assert_non_null(flows_icmp(watching.flows, &e));
    const struct watched *w = over();
    assert_int_equal(w->icmps, 1);
    assert_int_equal(verdict_of(w)->verdict, VERDICT_REJECTED);
    assert_non_null(strstr(verdict_of(w)->text, "203.0.113.9"));
    assert_int_equal(flows_counts(watching.flows).strays, 1);
}

/*
 * Zeek
 */

static void zeek_is(const char *history, const char *conn_state)
{
    const struct watched *w = over();

    assert_string_equal(w->zeek.history, history);
    assert_string_equal(zeek_state(&w->zeek), conn_state);
    flows_done(NULL);
    flows_fresh(NULL);
}

static void zeek_conn_states(void **state)
{
    (void)state;
    a(SYN, 0, 0, 0);
    zeek_is("S", "S0");
    shake_hands();
    zeek_is("ShA", "S1");
    shake_hands();
    a(ACK, 1, 1, 10);
    b(ACK, 1, 11, 20);
    a(FIN | ACK, 11, 21, 0);
    b(FIN | ACK, 21, 12, 0);
    a(ACK, 12, 22, 0);
    zeek_is("ShADdFf", "SF");
    a(SYN, 0, 0, 0);
    b(RST | ACK, 0, 1, 0);
    zeek_is("Sr", "REJ");
    shake_hands();
    a(FIN | ACK, 1, 1, 0);
    b(ACK, 1, 2, 0);
    zeek_is("ShAFa", "S2");
    shake_hands();
    b(FIN | ACK, 1, 1, 0);
    zeek_is("ShAf", "S3");
    shake_hands();
    a(ACK, 1, 1, 10);
    a(RST | ACK, 11, 1, 0);
    zeek_is("ShADR", "RSTO");
    shake_hands();
    a(ACK, 1, 1, 10);
    b(RST | ACK, 1, 11, 0);
    zeek_is("ShADr", "RSTR");
    a(SYN, 0, 0, 0);
    a(RST, 1, 0, 0);
    zeek_is("SR", "RSTOS0");
    a(SYN, 0, 0, 0);
    a(FIN, 1, 0, 0);
    zeek_is("SF", "SH");
    a(ACK, 1, 1, 10);
    b(ACK, 1, 11, 0);
    zeek_is("Da", "OTH");
}

/* The client's side was not captured. */
static void zeek_states_of_one_direction(void **state)
{
    (void)state;
    b(SYN | ACK, 0, 1, 0);
    b(RST, 1, 0, 0);
    zeek_is("^hr", "RSTRH");
    b(SYN | ACK, 0, 1, 0);
    b(FIN | ACK, 1, 1, 0);
    zeek_is("^hf", "SHR");
}

static void zeek_letters_that_count(void **state)
{
    (void)state;
    shake_hands();
    a(ACK, 1, 1, 100);
    for (unsigned i = 0; i < 11; i++)
        a(ACK, 1, 1, 100);
    watching.window[TRACK_B] = 0;
    b(ACK, 1, 101, 0);
    a(SYN | FIN, 500, 0, 0);
    a(FIN | RST, 500, 0, 0);
    a(ACK, 101, 1, 100);
    zeek_is("ShADTTawQI", "RSTO");
    /* What is repeated in part, and goes on, is not counted. */
    shake_hands();
    a(ACK, 1, 1, 100);
    a(ACK, 51, 1, 100);
    zeek_is("ShAD", "S1");
    /* Neither is a gap where one side was not seen, or behind a RST. */
    a(SYN, 0, 0, 0);
    a(ACK, 1, 1, 0);
    a(ACK, 1, 501, 0);
    zeek_is("SA", "S0");
    shake_hands();
    a(RST | ACK, 1, 501, 0);
    zeek_is("ShAR", "RSTO");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, flows_fresh, flows_done)
    const struct CMUnitTest tests[] = {
        CASE(both_directions_are_one_flow),
        CASE(ipv6_flows),
        CASE(the_client_is_who_sends_the_syn),
        CASE(the_same_ports_once_more_are_another_flow),
        CASE(isn_within_the_last_connection),
        CASE(the_same_isn_each_time),
        CASE(a_number_that_is_no_reuse),
        CASE(a_syn_that_begins_nothing),
        CASE(what_is_captured_at_two_places_counts_once),
        CASE(a_retransmission_at_another_place_is_none),
        CASE(many_packets_between_two_places),
        CASE(options_that_change_between_two_places),
        CASE(what_the_other_side_never_saw),
        CASE(options_that_were_not_captured_do_not_differ),
        CASE(a_window_scale_that_was_not_captured),
        CASE(data_that_was_copied_without_an_identification),
        CASE(a_repeated_syn_that_offers_less),
        CASE(places_that_are_far_apart),
        CASE(many_flows),
        CASE(more_than_there_is_room_for),
        CASE(what_is_over_is_forgotten_after_a_time),
        CASE(icmp_errors_find_their_flow),
        CASE(zeek_conn_states),
        CASE(zeek_states_of_one_direction),
        CASE(zeek_letters_that_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

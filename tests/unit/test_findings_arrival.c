/*
 * Tests what is found of the way in which packets arrived: in IP fragments, and from which address
 * of the link layer.
 */
#include "tests/unit/findings_rig.h"

static const uint8_t first_mac[REPORT_MAC] = {2, 0, 0, 0, 9, 2};
static const uint8_t second_mac[REPORT_MAC] = {2, 0, 0, 0, 9, 0x77};

static struct facts_host host;

/* What is known of this host from now on. */
static void know(struct facts_host h)
{
    host = h;
    facts.host = &host;
}

/* A segment of the peer's with data, in so many fragments. */
static void say_pieces(uint32_t seq, uint32_t len, uint32_t fragments)
{
    struct step s = theirs(SEG_ACK, seq, 1, len);

    s.fragments = fragments;
    say(s);
    say_ours(SEG_ACK, 1, seq + len, 0);
}

CASE(packets_put_together_are_told)
{
    shake();
    expect_silence("fragments", VERDICT_OPEN);
    say_pieces(1, 1400, 3);
    says(expect("fragments", VERDICT_OPEN, FINDING_PROVED, FINDING_INFO, SHOWN(4)),
         "1 packet of the peer's came in 3 IP fragments, and was put together");
    say_pieces(1401, 1400, 2);
    say_pieces(2801, 1400, 0);
    says(expect("fragments", VERDICT_OPEN, FINDING_PROVED, FINDING_INFO, SHOWN(4, 6)),
         "2 packets of the peer's came in 5 IP fragments, and were put together");
    expect_peace(VERDICT_OPEN);
    done();
}

/* Where segments are not shown, the host's counts tell. */
CASE(the_wire_s_counts_tell_as_well)
{
    shake();
    know((struct facts_host){.fragmented = 1200, .fragments = 2400});
    says(expect("fragments", VERDICT_OPEN, FINDING_PROVED, FINDING_INFO, UNSHOWN),
         "1,200 packets of the peer's came in 2,400 IP fragments, and were put together");
    done();
}

/* It is larger than our MSS, and no offload has joined anything. */
CASE(a_whole_packet_is_not_joined_by_an_offload)
{
    shake();
    say_pieces(1, 3000, 3);
    expect_silence("offload-merged", VERDICT_OPEN);
    say_pieces(3001, 3000, 0);
    expect("offload-merged", VERDICT_OPEN, FINDING_LIKELY, FINDING_INFO, SHOWN(6));
    done();
}

CASE(a_fragment_is_missing)
{
    shake();
    know((struct facts_host){.incomplete = 1});
    says(expect("fragments", VERDICT_OPEN, FINDING_PROVED, FINDING_WARNING, UNSHOWN),
         "IP fragments of 1 packet of the peer's never came, so that it could not be put together");
    /* The run failed for another reason: what was missing has come. */
    expect("fragments", VERDICT_RESET, FINDING_PROVED, FINDING_WARNING, UNSHOWN);
    know((struct facts_host){.incomplete = 1, .unrepaired = true});
    expect("fragments", VERDICT_OPEN, FINDING_PROVED, FINDING_PROBLEM, UNSHOWN);
    know((struct facts_host){.incomplete = 3});
    expect("fragments", VERDICT_DROPPED, FINDING_PROVED, FINDING_PROBLEM, UNSHOWN);
    facts.missing = 1000;
    says(expect("fragments", VERDICT_FAILED, FINDING_PROVED, FINDING_PROBLEM, UNSHOWN),
         "IP fragments of 3 packets of the peer's never came, so that they could not be put "
         "together");
    /* By our own capture, perhaps. */
    know((struct facts_host){
        .incomplete = 3, .nameless = 1, .overlapping = 1, .crowded_out = 1, .lost = 1});
    expect_silence("fragments", VERDICT_FAILED);
    expect_silence("fragments", VERDICT_OPEN);
    done();
}

/* Without the first fragment it is not known whose packet it was. */
CASE(a_packet_without_its_first_fragment)
{
    shake();
    know((struct facts_host){.nameless = 1});
    expect_silence("fragments", VERDICT_OPEN);
    expect_silence("fragments", VERDICT_LOCAL);
    says(expect("fragments", VERDICT_DROPPED, FINDING_LIKELY, FINDING_PROBLEM, UNSHOWN),
         "the first IP fragment of 1 packet of the peer's never came, so that it could not be put "
         "together");
    expect("fragments", VERDICT_RESET, FINDING_LIKELY, FINDING_WARNING, UNSHOWN);
    done();
}

CASE(fragments_that_overlap_and_too_many)
{
    shake();
    know((struct facts_host){.overlapping = 2, .crowded_out = 1});
    says(expect("fragments", VERDICT_OPEN, FINDING_PROVED, FINDING_WARNING, UNSHOWN),
         "fragments of 2 packets of the peer's overlapped or contradicted each other, and were "
         "thrown away (RFC 5722)");
    expect("fragments", VERDICT_FAILED, FINDING_PROVED, FINDING_PROBLEM, UNSHOWN);
    know((struct facts_host){.crowded_out = 1});
    expect("fragments", VERDICT_OPEN, FINDING_LIKELY, FINDING_WARNING, UNSHOWN);
    know((struct facts_host){.on_link = true});
    expect_silence("fragments", VERDICT_OPEN);
    done();
}

/* All that the peer sends is small, on a path with a small MTU or by its own MSS. */
CASE(a_transfer_in_small_segments_is_no_black_hole)
{
    shake();
    know((struct facts_host){.incomplete = 0});
    facts.missing = 2000;
    say_theirs(SEG_ACK, 2001, 1, 10);
    elapse(10 * WAVE_S);
    script.flow.received_bytes = 65535;
    expect("black-hole", VERDICT_FAILED, FINDING_LIKELY, FINDING_PROBLEM, SHOWN(4));
    script.flow.received_bytes = 65536;
    expect_silence("black-hole", VERDICT_FAILED);
    done();
}

/* What is missing came in part: it did not vanish as a whole, and repeats are not seen. */
CASE(incomplete_packets_are_no_black_hole)
{
    shake();
    know((struct facts_host){.incomplete = 0});
    facts.missing = 2000;
    say_theirs(SEG_ACK, 2001, 1, 10);
    elapse(10 * WAVE_S);
    expect("black-hole", VERDICT_FAILED, FINDING_LIKELY, FINDING_PROBLEM, SHOWN(4));
    know((struct facts_host){.incomplete = 1});
    expect_silence("black-hole", VERDICT_FAILED);
    know((struct facts_host){.bad_checksums = 1}); /* it came, and was thrown away */
    expect_silence("black-hole", VERDICT_FAILED);
    done();
}

static void say_from(uint32_t seq, const uint8_t *mac)
{
    struct step s = theirs(SEG_ACK, seq, 1, 100);

    s.mac = mac;
    say(s);
    say_ours(SEG_ACK, 1, seq + 100, 0);
}

CASE(two_addresses_on_the_own_link)
{
    shake();
    know((struct facts_host){.on_link = true});
    say_from(1, first_mac);
    say_from(101, first_mac);
    expect_silence("two-hosts", VERDICT_OPEN);
    say_from(201, second_mac);
    say_from(301, second_mac);
    says(expect("two-hosts", VERDICT_OPEN, FINDING_LIKELY, FINDING_WARNING, SHOWN(8)),
         "two hosts answer for the peer's address: its segments came from the link-layer addresses "
         "02:00:00:00:09:02 and 02:00:00:00:09:77");
    say_from(401, first_mac);
    expect("two-hosts", VERDICT_OPEN, FINDING_LIKELY, FINDING_WARNING, SHOWN(8, 12));
    done();
}

/* The RST came from the second address: that host has no such connection. */
CASE(a_rst_of_the_other_host)
{
    struct step s;

    shake();
    know((struct facts_host){.on_link = true});
    say_from(1, first_mac);
    say_ours(SEG_FIN | SEG_ACK, 1, 101, 0);
    s = theirs(SEG_RST, 101, 0, 0);
    s.mac = second_mac;
    s.local = STATE_CLOSED;
    say(s);
    expect("two-hosts", VERDICT_RESET, FINDING_LIKELY, FINDING_PROBLEM, SHOWN(7));
    expect_silence("half-close-broken", VERDICT_RESET);
    expect_silence("closed-at-once", VERDICT_RESET);
    done();
}

/* Behind a router, and where that is not known: one router may have taken over. */
CASE(two_routers_are_harmless)
{
    shake();
    know((struct facts_host){.on_link = false});
    say_from(1, first_mac);
    say_from(101, second_mac);
    says(expect("two-hosts", VERDICT_OPEN, FINDING_PROVED, FINDING_INFO, SHOWN(6)),
         "the peer's segments came from two link-layer addresses, 02:00:00:00:09:02 and "
         "02:00:00:00:09:77");
    expect_peace(VERDICT_OPEN);
    done();
}

/* A link without addresses, our own segments, and a capture that begins to tell the address. */
CASE(an_address_that_is_not_known_is_none)
{
    struct step s;

    shake();
    know((struct facts_host){.on_link = true});
    say_from(1, NULL);
    say_from(101, first_mac);
    say_from(201, NULL);
    say_from(301, first_mac);
    s = ours(SEG_ACK, 1, 401, 0);
    s.mac = second_mac;
    say(s);
    say_from(401, first_mac);
    expect_silence("two-hosts", VERDICT_OPEN);
    done();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_put_together_are_told),
        cmocka_unit_test(the_wire_s_counts_tell_as_well),
        cmocka_unit_test(a_whole_packet_is_not_joined_by_an_offload),
        cmocka_unit_test(a_fragment_is_missing),
        cmocka_unit_test(a_packet_without_its_first_fragment),
        cmocka_unit_test(fragments_that_overlap_and_too_many),
        cmocka_unit_test(a_transfer_in_small_segments_is_no_black_hole),
        cmocka_unit_test(incomplete_packets_are_no_black_hole),
        cmocka_unit_test(two_addresses_on_the_own_link),
        cmocka_unit_test(a_rst_of_the_other_host),
        cmocka_unit_test(two_routers_are_harmless),
        cmocka_unit_test(an_address_that_is_not_known_is_none),
    };

    return cmocka_run_group_tests_name("findings_arrival", tests, NULL, NULL);
}

/*
 * Findings about the path and this host: for each, a connection that trips it, with how sure it
 * is, the segments that show it and its words, and one that looks alike and is harmless, in which
 * it stays silent.
 */
#include "tests/unit/findings_rig.h"

/*
 * The path
 */

/* The handshake, and segments of the peer's with these TTLs. */
static void ttls(uint8_t of_syn_ack, uint8_t first, uint8_t second, uint8_t third)
{
    const uint8_t of[] = {first, second, third};
    struct step s = syn_ack();

    start();
    say_syn();
    s.ttl = of_syn_ack;
    say(s);
    say_ours(SEG_ACK, 1, 1, 0);
    for (unsigned i = 0; i < 3; i++) {
        s = theirs(SEG_ACK, 1 + 10 * i, 1, 10);
        s.ttl = of[i];
        say(s);
    }
}

CASE(a_rst_from_elsewhere)
{
    ttls(57, 57, 57, 57);
    rst_of_theirs(31, 61);
    says(expect("rst-by-middlebox", VERDICT_RESET, FINDING_LIKELY, FINDING_PROBLEM, SHOWN(7)),
         "the RST came with TTL 61 and the peer's other segments with TTL 57: a device on the "
         "way sent it");
    expect("rst-by-middlebox", VERDICT_OPEN, FINDING_LIKELY, FINDING_WARNING, SHOWN(7));
    done();

    ttls(57, 57, 57, 57); /* one that does not begin with a usual TTL */
    rst_of_theirs(31, 47);
    says(expect("rst-by-middlebox", VERDICT_RESET, FINDING_LIKELY, FINDING_PROBLEM, SHOWN(7)),
         "the RST came with TTL 47 and the peer's other segments with TTL 57: another device sent "
         "it");
    done();

    ttls(57, 57, 57, 57); /* its own */
    rst_of_theirs(31, 57);
    expect_silence("rst-by-middlebox", VERDICT_RESET);
    done();

    ttls(57, 57, 57, 57); /* as far away, from a host that starts RSTs with 255 */
    rst_of_theirs(31, 248);
    expect_silence("rst-by-middlebox", VERDICT_RESET);
    done();

    ttls(57, 57, 56, 57); /* two routes */
    rst_of_theirs(31, 56);
    expect_silence("rst-by-middlebox", VERDICT_RESET);
    done();

    ttls(57, 57, 57, 57); /* another's, which was ignored, and then its own */
    struct step forged = {.flags = SEG_RST, .seq = 9000, .ttl = 200, .local = STATE_ESTABLISHED};
    say(forged);
    rst_of_theirs(31, 57);
    expect_silence("rst-by-middlebox", VERDICT_RESET);
    done();

    start(); /* refused: nothing is known of the peer */
    say_syn();
    say((struct step){.flags = SEG_RST | SEG_ACK, .ack = 1, .ttl = 61, .local = STATE_CLOSED});
    expect_peace(VERDICT_REFUSED);
    done();
}

CASE(a_syn_proxy)
{
    ttls(61, 57, 57, 57);
    says(expect("syn-proxy", VERDICT_OPEN, FINDING_LIKELY, FINDING_INFO, SHOWN(2, 4, 5, 6)),
         "the SYN-ACK came with TTL 61 and all that followed with TTL 57: another host answered "
         "the SYN in the peer's name (a SYN proxy)");
    expect("syn-proxy", VERDICT_LOST, FINDING_LIKELY, FINDING_WARNING, SHOWN(2, 4, 5, 6));
    done();

    ttls(57, 57, 57, 56); /* the route changes later */
    expect_silence("syn-proxy", VERDICT_OPEN);
    done();

    ttls(57, 56, 57, 56); /* or all the time */
    expect_silence("syn-proxy", VERDICT_OPEN);
    done();

    ttls(57, 57, 57, 57);
    expect_silence("syn-proxy", VERDICT_OPEN);
    done();
}

/* Nothing of the peer's own came but a RST, or nothing at all. */
CASE(a_syn_proxy_before_a_dead_server)
{
    struct step s = syn_ack();

    shake();
    say_ours(SEG_ACK, 1, 1, 5);
    rst_of_theirs(1, 63);
    says(expect("syn-proxy", VERDICT_RESET, FINDING_LIKELY, FINDING_PROBLEM, SHOWN(2, 5)),
         "the SYN-ACK came with TTL 64 and the RST with TTL 63, from further away: another host "
         "answered the SYN in the peer's name (a SYN proxy), and the peer refused");
    expect_silence("closed-at-once", VERDICT_RESET);
    expect_silence("rst-by-middlebox", VERDICT_RESET);
    done();

    for (unsigned wnd = 0; wnd < 2; wnd++) {
        start();
        say_syn();
        s.wnd = (uint16_t)wnd;
        say(s);
        say_ours(SEG_ACK, 1, 1, 0);
        say_ours(SEG_ACK, 1, 1, 5);
        if (wnd)
            expect_silence("syn-proxy", VERDICT_LOST);
        else
            says(expect("syn-proxy", VERDICT_LOST, FINDING_LIKELY, FINDING_PROBLEM, SHOWN(2)),
                 "the SYN-ACK offered a window of 0, and nothing came after it: a SYN proxy "
                 "answered the SYN in the peer's name, and does not reach the peer");
        expect_silence("syn-proxy", VERDICT_OPEN);
        if (!wnd) {
            say_theirs(SEG_ACK, 1, 6, 0);
            expect_silence("syn-proxy", VERDICT_LOST);
        }
        done();
    }
}

CASE(sack_blocks_of_what_was_never_sent)
{
    shake();
    say_ours(SEG_ACK, 1, 1, 1000);
    say(with_sack(theirs(SEG_ACK, 1, 1, 0), 800000, 801000));
    says(expect("sack-rewritten", VERDICT_OPEN, FINDING_LIKELY, FINDING_WARNING, SHOWN(5)),
         "SACK blocks name bytes that we never sent: a device on the way rewrites sequence numbers "
         "and leaves SACK blocks as they are");
    done();

    shake(); /* of what was, and of what came twice */
    say_ours(SEG_ACK, 1, 1, 1000);
    say(with_sack(theirs(SEG_ACK, 1, 1, 0), 501, 1001));
    say(with_sack(theirs(SEG_ACK, 1, 1001, 0), 1, 501));
    expect_peace(VERDICT_OPEN);
    done();

    shake(); /* three gigabytes later */
    for (uint32_t i = 0; i < 60000; i++) {
        const uint32_t at = 1 + 60000 * i;
        say_ours(SEG_ACK, at, 1, 60000);
        say_theirs(SEG_ACK, 1, at + 60000, 0);
    }
    say(with_sack(theirs(SEG_ACK, 1, 3600000001u, 0), 3599999001u, 3600000001u));
    expect_silence("sack-rewritten", VERDICT_OPEN);
    done();
}

CASE(an_option_that_was_not_agreed_to)
{
    struct step s = syn_ack();

    start();
    say_syn();
    s.opt.has &= ~(unsigned)OPT_TIMESTAMP;
    say(s);
    say((struct step){
        .out = true, .flags = SEG_ACK, .seq = 1, .ack = 1, .wnd = 502, .local = STATE_ESTABLISHED});
    say_theirs(SEG_ACK, 1, 1, 5);
    says(expect("options-stripped", VERDICT_OPEN, FINDING_LIKELY, FINDING_WARNING, SHOWN(2, 4)),
         "the peer uses an option that its SYN, as it arrived here, did not agree to: a device on "
         "the way removed it there");
    done();

    shake();
    say_theirs(SEG_ACK, 1, 1, 5);
    expect_silence("options-stripped", VERDICT_OPEN);
    done();

    shake(); /* a SYN-ACK that is repeated without options takes nothing back */
    s = syn_ack();
    s.opt.has = OPT_MSS;
    elapse(WAVE_S);
    say(s);
    say_theirs(SEG_ACK, 1, 1, 5);
    expect_peace(VERDICT_OPEN);
    done();
}

static void quote_of(uint32_t seq, bool sent)
{
    const struct icmp e = {.type = 3, .code = 1, .has_seq = true, .seq = seq_of(OUR_ISN + seq)};

    report_icmp(&script.report, &script.flow, script.at, &e, sent, false);
}

static void quote(uint32_t seq)
{
    quote_of(seq, false);
}

CASE(a_quote_of_what_was_never_sent)
{
    shake();
    say_ours(SEG_ACK, 1, 1, 1000);
    quote(700000);
    says(expect("sequence-rewritten", VERDICT_OPEN, FINDING_LIKELY, FINDING_INFO, UNSHOWN),
         "an ICMP error quotes a sequence number that we never sent: a device before the router "
         "that sent it rewrites sequence numbers, or it speaks of an earlier connection over these "
         "ports");
    done();

    shake();
    say_ours(SEG_ACK, 1, 1, 1000);
    quote(0);
    quote(1);
    quote(1001);
    expect_silence("sequence-rewritten", VERDICT_OPEN);
    done();

    shake(); /* what was sent and has not left */
    quote_of(5000, true);
    expect_silence("sequence-rewritten", VERDICT_OPEN);
    done();
}

static void challenge(wave_time apart, unsigned times)
{
    const struct seg rst = {.seq = seq_of(THEIR_ISN + 101), .flags = SEG_RST};

    shake();
    for (unsigned i = 0; i < times; i++) {
        struct step s = theirs(SEG_RST, 101, 0, 0);
        s.opt.has = 0;
        elapse(apart);
        say(s);
        signs_refused(&script.flow, CHECK_RST_SEQUENCE, &rst, true);
        say_ours(SEG_ACK, 1, 1, 0);
    }
}

CASE(a_storm_of_challenges)
{
    challenge(300 * WAVE_MS, 10);
    says(expect("challenge-storm", VERDICT_OPEN, FINDING_LIKELY, FINDING_PROBLEM,
                SHOWN(4, 6, 8, 22)),
         "10 RSTs, SYNs or ACKs that do not fit the connection came within seconds of each other: "
         "their sender does not follow the connection");
    done();

    challenge(300 * WAVE_MS, 9);
    expect_peace(VERDICT_OPEN);
    done();

    challenge(600 * WAVE_S, 30); /* one in ten minutes */
    expect_peace(VERDICT_OPEN);
    done();
}

/* Our limit of challenge ACKs leaves a few rounds. Each answer draws the next at once; and what
 * comes by its own clock does not count. */
CASE(few_challenges_that_answer_each_other)
{
    struct step far = {.flags = SEG_ACK, .seq = 0x30000000, .ack = 77, .local = STATE_ESTABLISHED};
    const struct seg stranger = {.flags = SEG_ACK, .seq = seq_of(THEIR_ISN + 0x30000000)};
    const struct seg late = {.flags = SEG_ACK, .seq = seq_of(THEIR_ISN - 3000)};

    challenge(WAVE_MS, 6);
    expect("challenge-storm", VERDICT_OPEN, FINDING_LIKELY, FINDING_PROBLEM, SHOWN(4, 6, 8, 14));
    done();
    challenge(WAVE_MS, 5);
    expect_peace(VERDICT_OPEN);
    done();
    challenge(WAVE_MS, 3);
    expect("challenge-storm", VERDICT_FAILED, FINDING_LIKELY, FINDING_PROBLEM, SHOWN(4, 6, 8));
    done();
    challenge(WAVE_MS, 2);
    expect_peace(VERDICT_FAILED);
    done();
    challenge(300 * WAVE_MS, 9);
    expect_peace(VERDICT_FAILED);
    done();

    shake(); /* ACKs of another connection */
    for (unsigned i = 0; i < 3; i++) {
        elapse(20 * WAVE_MS);
        say(far);
        signs_refused(&script.flow, CHECK_SEQUENCE, &stranger, false);
        say_ours(SEG_ACK, 1, 1, 0);
        elapse(WAVE_S);
        say_ours(SEG_ACK | SEG_PSH, 1, 1, 10);
    }
    expect("challenge-storm", VERDICT_LOST, FINDING_LIKELY, FINDING_PROBLEM, SHOWN(4, 7, 10));
    done();

    shake(); /* and ACKs that were overtaken on the way */
    far.seq = (uint32_t)-3000;
    for (unsigned i = 0; i < 20; i++) {
        elapse(20 * WAVE_MS);
        say(far);
        signs_refused(&script.flow, CHECK_SEQUENCE, &late, false);
        say_ours(SEG_ACK, 1, 1, 0);
    }
    expect_silence("challenge-storm", VERDICT_LOST);
    done();
}

/* The handshake agrees on ECN, and the peer sends so many segments with that mark. */
static void marked(unsigned agree, unsigned segments, uint8_t ecn)
{
    struct step s = syn_ack();

    start();
    script_moved(&script, STATE_CLOSED, STATE_SYN_SENT, 0);
    say((struct step){.out = true,
                      .flags = SEG_SYN | SEG_ECE | SEG_CWR,
                      .wnd = 64240,
                      .local = STATE_SYN_SENT,
                      .opt = script_syn});
    s.flags |= agree;
    say(s);
    for (uint32_t i = 0; i < segments; i++) {
        s = theirs(SEG_ACK, 1 + 100 * i, 1, 100);
        s.ecn = ecn;
        say(s);
    }
}

CASE(marks_that_are_cleared)
{
    marked(SEG_ECE, 10, ECN_NOT);
    says(expect("ecn-bleached", VERDICT_OPEN, FINDING_LIKELY, FINDING_INFO, SHOWN(3, 4, 5, 12)),
         "both sides agreed on ECN, and none of the peer's data comes with an ECN mark: a device "
         "on the way clears the marks, or the peer sets none");
    done();

    marked(SEG_ECE, 9, ECN_NOT);
    expect_silence("ecn-bleached", VERDICT_OPEN);
    done();
    marked(SEG_ECE, 30, ECN_ECT0);
    expect_silence("ecn-bleached", VERDICT_OPEN);
    done();
    marked(SEG_ECE, 30, ECN_CE);
    expect_silence("ecn-bleached", VERDICT_OPEN);
    done();
    marked(0, 30, ECN_NOT); /* the peer did not agree */
    expect_silence("ecn-bleached", VERDICT_OPEN);
    done();
    marked(SEG_ECE | SEG_CWR, 30, ECN_NOT); /* it sent our own flags back */
    expect_silence("ecn-bleached", VERDICT_OPEN);
    done();
}

static void stream(uint32_t len, unsigned flags, unsigned segments)
{
    shake();
    for (uint32_t i = 0; i < segments; i++)
        say_theirs(SEG_ACK | flags, 1 + len * i, 1, len);
}

CASE(full_segments_that_are_short)
{
    stream(1348, 0, 12);
    says(expect("mss-clamped", VERDICT_OPEN, FINDING_LIKELY, FINDING_INFO, SHOWN(4, 5, 6, 15)),
         "the peer's full segments have 1348 bytes, though both sides' MSS allows 1448: a device "
         "on the way lowered the one that we sent, or the peer knows of a smaller path MTU");
    done();

    stream(1448, 0, 12);
    expect_silence("mss-clamped", VERDICT_OPEN);
    done();
    stream(1000, SEG_PSH, 30); /* as its application writes */
    expect_silence("mss-clamped", VERDICT_OPEN);
    done();
    stream(2696, 0, 12); /* joined */
    expect_silence("mss-clamped", VERDICT_OPEN);
    expect("offload-merged", VERDICT_OPEN, FINDING_LIKELY, FINDING_INFO, SHOWN(4, 5, 6, 15));
    done();
}

/*
 * Our large packets
 */

/* A segment of ours with 1448 bytes was sent, is sent again until it was sent `times` times, and
 * then one with 524. */
static void again_in_pieces(uint32_t seq, unsigned times)
{
    struct step s;

    for (unsigned i = 1; i <= times; i++) {
        elapse(WAVE_S);
        s = ours(SEG_ACK, seq, 1, i == times ? 524 : 1448);
        s.retransmission = true;
        say(s);
    }
    elapse(WAVE_S);
}

static void pieces(unsigned times)
{
    shake();
    say_ours(SEG_ACK, 1, 1, 1448);
    again_in_pieces(1, times);
}

CASE(our_large_packets_vanish)
{
    pieces(3);
    say_theirs(SEG_ACK, 1, 525, 0);
    says(expect("black-hole", VERDICT_OPEN, FINDING_LIKELY, FINDING_WARNING, SHOWN(7)),
         "large packets of ours vanish on the way there: a segment with 1,448 bytes was never "
         "acknowledged, however often it was sent, and one with 524 bytes was");
    const struct finding *f =
        expect("black-hole", VERDICT_LOST, FINDING_LIKELY, FINDING_PROBLEM, SHOWN(7));
    assert_int_equal(strstr(f->advice, "1,280 bytes that IPv6 asks") != NULL, over_v6);
    done();

    pieces(3); /* the large one had come, and its acknowledgements were lost */
    say_theirs(SEG_ACK, 1, 1449, 0);
    expect_silence("black-hole", VERDICT_OPEN);
    done();

    pieces(2); /* chance loses two */
    say_theirs(SEG_ACK, 1, 525, 0);
    expect_silence("black-hole", VERDICT_OPEN);
    done();

    pieces(3); /* the small one does not come through, either */
    expect_silence("black-hole", VERDICT_LOST);
    done();
}

CASE(our_large_packets_are_lost_by_chance)
{
    shake(); /* one has come through before */
    say_ours(SEG_ACK, 1, 1, 1448);
    say_theirs(SEG_ACK, 1, 1449, 0);
    say_ours(SEG_ACK, 1449, 1, 1448);
    again_in_pieces(1449, 3);
    say_theirs(SEG_ACK, 1, 1449 + 524, 0);
    expect_silence("black-hole", VERDICT_OPEN);
    done();

    shake(); /* the one behind it comes through */
    say_ours(SEG_ACK, 1, 1, 1448);
    say_ours(SEG_ACK, 1449, 1, 1448);
    say(with_sack(theirs(SEG_ACK, 1, 1, 0), 1449, 2897));
    again_in_pieces(1, 3);
    say_theirs(SEG_ACK, 1, 525, 0);
    expect_silence("black-hole", VERDICT_OPEN);
    done();

    shake(); /* a smaller one did, and no larger one does */
    say_ours(SEG_ACK, 1, 1, 1000);
    say_theirs(SEG_ACK, 1, 1001, 0);
    say_ours(SEG_ACK, 1001, 1, 1448);
    say_ours(SEG_ACK, 2449, 1, 1448);
    again_in_pieces(1001, 3);
    say_theirs(SEG_ACK, 1, 1525, 0);
    expect("black-hole", VERDICT_OPEN, FINDING_LIKELY, FINDING_WARNING, SHOWN(10));
    done();
}

/*
 * This host
 */

static struct facts_host host;

/* The first `kept` of 20 segments of ours are in no capture. */
static void some_kept(unsigned kept)
{
    struct step s;

    shake();
    host = (struct facts_host){.captured = 3, .interface = "eth0"};
    facts.host = &host;
    for (unsigned i = 0; i < 18; i++) {
        s = ours(SEG_ACK, 1 + 1000 * i, 1, 1000);
        s.missed = s.passed = i < kept;
        say(s);
    }
}

CASE(some_of_ours_do_not_leave)
{
    some_kept(5);
    says(expect("own-firewall", VERDICT_OPEN, FINDING_LIKELY, FINDING_WARNING, SHOWN(4, 5, 6, 8)),
         "5 of the 20 segments that we sent did not leave this host, as far as its capture shows");
    expect("own-firewall", VERDICT_LOST, FINDING_LIKELY, FINDING_PROBLEM, SHOWN(4, 5, 6, 8));
    expect_silence("own-firewall", VERDICT_LOCAL);
    host.lost = 1; /* the capture has lost some, which may be these */
    expect_silence("own-firewall", VERDICT_LOST);
    expect("capture-loss", VERDICT_OPEN, FINDING_PROVED, FINDING_WARNING, SHOWN(4, 5, 6, 8));
    host.lost = 0;
    host.rerouted = "eth1"; /* they leave there */
    expect_silence("own-firewall", VERDICT_LOST);
    done();

    some_kept(2);
    expect_silence("own-firewall", VERDICT_LOST);
    done();
}

/* Where large ones of ours did not even leave, the path has not swallowed them. */
CASE(our_large_packets_vanish_here)
{
    for (unsigned kept = 0; kept < 2; kept++) {
        shake();
        host = (struct facts_host){.captured = 3, .interface = "eth0"};
        facts.host = &host;
        for (unsigned i = 0; i <= 3; i++) {
            struct step s = ours(SEG_ACK, 1, 1, i == 3 ? 524 : 1448);
            s.retransmission = i > 0;
            s.missed = s.passed = kept && i < 3;
            say(s);
        }
        say_theirs(SEG_ACK, 1, 525, 0);
        if (kept) {
            expect_silence("black-hole", VERDICT_LOST);
            expect("own-firewall", VERDICT_LOST, FINDING_LIKELY, FINDING_PROBLEM, SHOWN(4, 5, 6));
        } else {
            expect_silence("own-firewall", VERDICT_LOST);
            expect("black-hole", VERDICT_LOST, FINDING_LIKELY, FINDING_PROBLEM, SHOWN(7));
        }
        done();
    }
}

CASE(the_interface_refuses)
{
    host = (struct facts_host){.refused = 20, .interface = "eth0"};
    start();
    facts.host = &host;
    says(expect("own-firewall", VERDICT_FAILED, FINDING_LIKELY, FINDING_PROBLEM, UNSHOWN),
         "this host's interface eth0 refused each of the 20 segments that we sent");
    expect_silence("own-firewall", VERDICT_LOCAL);
    host.refused = 1;
    says(expect("own-firewall", VERDICT_DROPPED, FINDING_LIKELY, FINDING_PROBLEM, UNSHOWN),
         "this host's interface eth0 refused the 1 segment that we sent");
    host.refused = 20;
    host.accepted = 180;
    says(expect("own-firewall", VERDICT_OPEN, FINDING_LIKELY, FINDING_WARNING, UNSHOWN),
         "this host's interface eth0 refused 20 of the 200 segments that we sent");
    host.accepted = 300; /* a queue that was full for long */
    expect_silence("own-firewall", VERDICT_FAILED);
    host.refused = 2;
    host.accepted = 2;
    expect_silence("own-firewall", VERDICT_FAILED);
    host.refused = 20;
    host.unreachable = "10.0.0.1";
    expect_silence("own-firewall", VERDICT_FAILED);
    done();
}

CASE(what_this_host_knows)
{
    host = (struct facts_host){.counts_reached = true, .captured = 3, .interface = "eth0"};

    start();
    say_syn();
    facts.host = &host;
    says(expect("own-firewall", VERDICT_DROPPED, FINDING_PROVED, FINDING_PROBLEM, UNSHOWN),
         "this host's own rules stopped all segments that came: 3 captured, and none reached its "
         "TCP");
    host.past_rules = true; /* connection tracking does not know what we sent */
    says(expect("own-firewall", VERDICT_OPEN, FINDING_LIKELY, FINDING_INFO, UNSHOWN),
         "this host's own rules stopped all of the 3 segments that came, before its TCP; most of "
         "what we sent did not pass them, so that rules that go by connections (ct state) do not "
         "know it");
    host.past_rules = false;
    host.reached = 1;
    expect_silence("own-firewall", VERDICT_DROPPED);

    host.each_reached = true; /* some are stopped, and others are not */
    host.captured = 10;
    host.reached = 7;
    says(expect("own-firewall", VERDICT_OPEN, FINDING_LIKELY, FINDING_WARNING, UNSHOWN),
         "this host's own rules stopped 3 of the 10 segments that came");
    host.lost = 1;
    expect_silence("own-firewall", VERDICT_OPEN);
    host.lost = 0;
    host.past_rules = true;
    expect_silence("own-firewall", VERDICT_OPEN);
    host.past_rules = false;
    facts.end = END_ABORTED;
    expect_silence("own-firewall", VERDICT_OPEN);
    facts.end = END_NONE;
    host.captured = 100;
    host.reached = 95;
    expect_silence("own-firewall", VERDICT_OPEN);
    host.captured = 10;
    host.reached = 8;
    expect_silence("own-firewall", VERDICT_OPEN);
    host.each_reached = false;
    host.captured = 3;
    host.reached = 0;
    host.counts_reached = false;
    expect_silence("own-firewall", VERDICT_DROPPED);

    host.captured = 0; /* nothing left */
    host.kept = 3;
    says(expect("own-firewall", VERDICT_DROPPED, FINDING_LIKELY, FINDING_PROBLEM, UNSHOWN),
         "none of the 3 segments that we sent left this host, as far as its capture shows");
    expect_silence("own-firewall", VERDICT_OPEN);
    expect_silence("own-firewall", VERDICT_LOCAL);
    host.kept = 1;
    says(expect("own-firewall", VERDICT_DROPPED, FINDING_LIKELY, FINDING_PROBLEM, UNSHOWN),
         "the 1 segment that we sent did not leave this host, as far as its capture shows");
    host.captured = 1; /* something came */
    expect_silence("own-firewall", VERDICT_DROPPED);
    host.captured = 0;
    host.reached = 1;
    expect_silence("own-firewall", VERDICT_DROPPED);
    host.reached = 0;
    host.lost = 1;
    expect_silence("own-firewall", VERDICT_DROPPED);
    host.lost = 0;
    host.captured = 3;
    host.kept = 0;

    host.bad_checksums = 1;
    says(expect("bad-checksum", VERDICT_DROPPED, FINDING_PROVED, FINDING_PROBLEM, UNSHOWN),
         "1 segment arrived with a wrong TCP checksum and was thrown away");
    expect("bad-checksum", VERDICT_OPEN, FINDING_PROVED, FINDING_WARNING, UNSHOWN);
    expect("bad-checksum", VERDICT_REFUSED, FINDING_PROVED, FINDING_WARNING, UNSHOWN);
    host.bad_headers = 1;
    says(expect("bad-checksum", VERDICT_DROPPED, FINDING_PROVED, FINDING_PROBLEM, UNSHOWN),
         "1 segment arrived with a wrong IP header checksum and was thrown away");
    host.bad_checksums = 2;
    says(expect("bad-checksum", VERDICT_DROPPED, FINDING_PROVED, FINDING_PROBLEM, UNSHOWN),
         "2 segments arrived with a wrong TCP or IP header checksum and were thrown away");
    host.bad_checksums = host.bad_headers = 0;
    expect_silence("bad-checksum", VERDICT_DROPPED);

    host.lost = 2;
    says(expect("capture-loss", VERDICT_OPEN, FINDING_PROVED, FINDING_WARNING, UNSHOWN),
         "our own capture lost 2 frames because its buffer was full: what is missing was not lost "
         "by the network");
    host.lost = 0;
    host.unreachable = "10.0.0.1";
    says(expect("no-neighbour", VERDICT_LOCAL, FINDING_PROVED, FINDING_PROBLEM, UNSHOWN),
         "no host answers for the address 10.0.0.1, to ARP or neighbour discovery on eth0");
    host.unreachable = NULL;
    host.rerouted = "eth1";
    expect("route-changed", VERDICT_OPEN, FINDING_PROVED, FINDING_INFO, UNSHOWN);
    says(expect("route-changed", VERDICT_LOST, FINDING_PROVED, FINDING_PROBLEM, UNSHOWN),
         "the route to the peer changed during the run: it leads through eth1 now, and no longer "
         "through eth0, which is what is captured: answers that come in there are not seen");
    host.anywhere = true; /* all interfaces are captured */
    expect("route-changed", VERDICT_LOST, FINDING_PROVED, FINDING_WARNING, UNSHOWN);
    host.rerouted = NULL;
    host.addresses = 1;
    host.address = "192.0.2.9";
    says(expect("other-addresses", VERDICT_REFUSED, FINDING_PROVED, FINDING_INFO, UNSHOWN),
         "the name has another address, 192.0.2.9, which was not tried");
    expect_silence("other-addresses", VERDICT_OPEN);
    host.addresses = 0;
    expect_peace(VERDICT_DROPPED);
    done();
}

CASE(answers_that_take_another_way)
{
    host = (struct facts_host){
        .counts_reached = true, .reached = 3, .interface = "eth0", .answerer = "10.0.0.9:80"};

    start();
    say_syn();
    facts.host = &host;
    says(expect("own-nat", VERDICT_DROPPED, FINDING_LIKELY, FINDING_PROBLEM, UNSHOWN),
         "answers reached this host's TCP that were captured under other addresses: this host's "
         "address translation rewrites our source");
    host.interface_named = host.one_interface = true;
    expect_silence("own-nat", VERDICT_DROPPED);
    says(expect("other-interface", VERDICT_DROPPED, FINDING_LIKELY, FINDING_PROBLEM, UNSHOWN),
         "answers reached this host's TCP and were not captured on eth0: they come in by another "
         "interface");
    host.captured = 3; /* as it should be */
    expect_peace(VERDICT_OPEN);
    assert_int_equal(found.count, 0);

    host.other = 2;
    host.other_interface = "eth1";
    expect("other-interface", VERDICT_OPEN, FINDING_PROVED, FINDING_INFO, UNSHOWN);
    host.translated = "10.0.0.7:8080";
    expect("own-nat", VERDICT_OPEN, FINDING_PROVED, FINDING_INFO, UNSHOWN);
    host.copies = 5;
    expect("captured-twice", VERDICT_OPEN, FINDING_PROVED, FINDING_INFO, UNSHOWN);
    expect_silence("answer-from-elsewhere", VERDICT_DROPPED);
    host.answered_elsewhere = true;
    says(expect("answer-from-elsewhere", VERDICT_DROPPED, FINDING_PROVED, FINDING_PROBLEM, UNSHOWN),
         "a SYN-ACK to our SYN came from 10.0.0.9:80, which we did not ask");
    says(expect("answer-from-elsewhere", VERDICT_OPEN, FINDING_PROVED, FINDING_WARNING, UNSHOWN),
         "a SYN-ACK to our SYN came from 10.0.0.9:80, which we did not ask, beside the target's "
         "own");
    done();
}

CASE(a_rst_of_this_host_s_kernel)
{
    struct step s;

    shake();
    s = ours(SEG_RST, 1, 0, 0);
    s.foreign = true;
    say(s);
    says(expect("own-kernel-reset", VERDICT_RESET, FINDING_PROVED, FINDING_PROBLEM, SHOWN(4)),
         "a RST left this host on our connection, and we did not send it: its kernel or another "
         "program did");
    expect("own-kernel-reset", VERDICT_OPEN, FINDING_PROVED, FINDING_WARNING, SHOWN(4));
    done();

    shake();
    say_ours(SEG_RST, 1, 0, 0);
    expect_peace(VERDICT_OPEN);
    done();
}

/* An ordinary connection has none, nor one that is picked up in the middle. */
CASE(nothing_to_find)
{
    shake();
    say_ours(SEG_ACK | SEG_PSH, 1, 1, 100);
    elapse(20 * WAVE_MS);
    say_theirs(SEG_ACK, 1, 101, 1448);
    say_theirs(SEG_ACK | SEG_PSH, 1449, 101, 400);
    say_ours(SEG_ACK, 101, 1849, 0);
    say_ours(SEG_FIN | SEG_ACK, 101, 1849, 0);
    elapse(20 * WAVE_MS);
    fin_of_theirs(1849, 102, 0);
    say_ours(SEG_ACK, 102, 1850, 0);
    for (int over = 0; over < 2; over++) {
        look(over, VERDICT_OPEN);
        assert_int_equal(found.count, 0);
    }
    done();

    start();
    say_theirs(SEG_ACK, 700, 5000, 3000);
    say_ours(SEG_ACK, 5000, 3700, 0);
    say_theirs(SEG_ACK, 3700, 5000, 3000);
    look(true, VERDICT_OPEN);
    assert_int_equal(found.count, 0);
    done();
}

/* Every code stands once in the table. */
static void codes_are_told_apart(void **state)
{
    const struct diagnosis *d, *other;

    (void)state;
    for (unsigned i = 0; (d = diagnosis_at(i)) != NULL; i++)
        for (unsigned j = 0; j < i && (other = diagnosis_at(j)) != NULL; j++)
            assert_string_not_equal(d->code, other->code);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rst_from_elsewhere),
        cmocka_unit_test(a_syn_proxy),
        cmocka_unit_test(a_syn_proxy_before_a_dead_server),
        cmocka_unit_test(sack_blocks_of_what_was_never_sent),
        cmocka_unit_test(an_option_that_was_not_agreed_to),
        cmocka_unit_test(a_quote_of_what_was_never_sent),
        cmocka_unit_test(a_storm_of_challenges),
        cmocka_unit_test(few_challenges_that_answer_each_other),
        cmocka_unit_test(marks_that_are_cleared),
        cmocka_unit_test(full_segments_that_are_short),
        cmocka_unit_test(our_large_packets_vanish),
        cmocka_unit_test(our_large_packets_are_lost_by_chance),
        cmocka_unit_test(some_of_ours_do_not_leave),
        cmocka_unit_test(our_large_packets_vanish_here),
        cmocka_unit_test(the_interface_refuses),
        cmocka_unit_test(what_this_host_knows),
        cmocka_unit_test(answers_that_take_another_way),
        cmocka_unit_test(a_rst_of_this_host_s_kernel),
        cmocka_unit_test(nothing_to_find),
        cmocka_unit_test(codes_are_told_apart),
    };

    return cmocka_run_group_tests_name("findings_path", tests, NULL, NULL);
}

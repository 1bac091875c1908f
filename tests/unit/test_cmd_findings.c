/* Findings of whole commands over a simulated network: what our own engine and the far end's do
 * about a disturbance trips the right ones, and what networks do every day trips none. */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/command_rig.h"

#define RTT (2 * RIG_DELAY)
#define BULK 60000 /* bytes of a transfer */

/* Words of which the last but one is -d with that many bytes. */
static const char *bulk(const char *before, unsigned bytes, const char *after)
{
    static char words[BULK + 200];
    size_t n = strlen(before);

    assert_true(n + bytes + strlen(after) + 8 < sizeof words);
    strcpy(words, before);
    memset(words + n, 'x', bytes);
    strcpy(words + n + bytes, after);
    return words;
}

static void expect_finding(const struct command_rig *r, const char *code, const char *severity,
                           const char *message)
{
    assert_int_equal(rig_count(r, "finding", "code", code), 1);
    for (size_t i = 0; i < r->events; i++) {
        const json_t *e = r->event[i], *is = json_object_get(e, "code");
        if (!is || strcmp(json_string_value(is), code) != 0)
            continue;
        assert_string_equal(json_string_value(json_object_get(e, "severity")), severity);
        assert_string_equal(json_string_value(json_object_get(e, "message")), message);
    }
}

static unsigned alarms(const struct command_rig *r)
{
    return rig_count(r, "finding", "severity", "warning") +
           rig_count(r, "finding", "severity", "problem");
}

/* Chances of both directions, in 1/10000. */
static void every_day(struct command_rig *r, uint32_t loss, uint32_t reordering, uint32_t copies,
                      uint64_t seed)
{
    struct path_impairment *way[] = {&r->network.forward, &r->network.reverse};

    for (unsigned i = 0; i < 2; i++) {
        way[i]->loss = loss;
        way[i]->reordering = reordering;
        way[i]->duplication = copies;
        way[i]->jitter = 2 * WAVE_MS;
    }
    r->network.seed = seed;
}

static void what_networks_do_every_day_is_no_alarm(void **state)
{
    static const struct {
        uint32_t loss, reordering, copies;
    } path[] = {{0, 3000, 0}, {0, 0, 2000}, {200, 0, 0}, {100, 1000, 500}, {1000, 0, 0}};
    unsigned reordered = 0, duplicated = 0;
    struct command_rig r;

    (void)state;
    for (unsigned i = 0; i < sizeof path / sizeof path[0]; i++)
        for (uint64_t seed = 1; seed <= 4; seed++) {
            rig_init_family(&r, HOST_ECHO, seed % 2);
            every_day(&r, path[i].loss, path[i].reordering, path[i].copies, seed);
            rig_run(&r, bulk("connect --json -d ", BULK, seed % 2 ? " " RIG_PEER6 : " " RIG_PEER));
            rig_expect_text(&r, "verdict", "verdict", "open");
            if (alarms(&r)) {
                rig_expect_printed(&r, "\"severity\":\"warning\"", 0);
                rig_expect_printed(&r, "\"severity\":\"problem\"", 0);
            }
            if (path[i].reordering && !path[i].loss)
                reordered += rig_count(&r, "finding", "code", "reordered");
            if (path[i].copies && !path[i].loss)
                duplicated += rig_count(&r, "finding", "code", "duplicated");
            if (!path[i].reordering)
                assert_int_equal(rig_count(&r, "finding", "code", "reordered"), 0);
            if (!path[i].copies)
                assert_int_equal(rig_count(&r, "finding", "code", "duplicated"), 0);
            rig_free(&r);
        }
    assert_int_equal(reordered, 4);
    assert_int_equal(duplicated, 4);
}

/* The run ends in the middle of a recovery: what is missing then would have been repeated. */
static void a_run_that_ends_in_a_recovery_blames_no_one(void **state)
{
    struct command_rig r;

    (void)state;
    for (unsigned ms = 50; ms < 600; ms += 23) {
        char after[80];
        rig_init(&r, HOST_ECHO);
        every_day(&r, 1500, 0, 0, ms);
        snprintf(after, sizeof after, " --timeout %ums " RIG_PEER, ms);
        rig_run(&r, bulk("connect --json -d ", BULK, after));
        if (alarms(&r))
            rig_expect_printed(&r, "\"event\":\"finding\"", 0);
        rig_free(&r);
    }
}

/* It answers window probes until it vanishes, or until just before the end. */
static void a_peer_that_never_reads_and_vanishes(void **state)
{
    (void)state;
    for (unsigned late = 0; late < 2; late++) {
        struct command_rig r;
        rig_init(&r, HOST_NEVER_READS);
        r.network.host.engine.rcvbuf = 20000;
        r.network.host.vanish_at = PORT_SIM_BEGINS + (late ? 18 : 3) * WAVE_S;
        rig_run(&r, bulk("connect --json --timeout 20s -d ", BULK, " " RIG_PEER));
        rig_expect_text(&r, "verdict", "verdict", late ? "failed" : "lost");
        rig_expect_part(&r, "verdict", "message",
                        late ? "its host lives" : "did not acknowledge what we sent");
        assert_int_equal(rig_count(&r, "finding", "code", "window-closed"), 1);
        rig_free(&r);
    }
}

static void a_peer_that_never_reads(void **state)
{
    unsigned probes = 0;
    struct command_rig r;

    (void)state;
    for (int v6 = 0; v6 < 2; v6++) {
        rig_init_family(&r, HOST_NEVER_READS, v6);
        r.network.host.engine.rcvbuf = 20000;
        rig_run(&r,
                bulk("connect --json --timeout 20s -d ", BULK, v6 ? " " RIG_PEER6 : " " RIG_PEER));
        rig_expect_text(&r, "verdict", "verdict", "failed");
        assert_int_equal(rig_count(&r, "finding", "code", "window-closed"), 1);
        rig_expect_part(&r, "verdict", "message",
                        "the peer's receive window has been shut for 19.");
        rig_expect_part(&r, "verdict", "message",
                        " s, and it answered our window probes: its host lives, and does not "
                        "take what we send");
        for (size_t i = 0; i < r.events; i++) {
            const json_t *e = r.event[i], *notes = json_object_get(e, "notes");
            const char *first = json_string_value(json_array_get(notes, 0));
            if (!first || strcmp(first, "window_probe") != 0)
                continue;
            probes++;
            assert_int_equal(json_integer_value(json_object_get(e, "length")), 1);
            assert_true(json_is_false(json_object_get(e, "retransmission")));
            assert_int_equal(json_array_size(notes), 1);
        }
        rig_expect_int(&r, "verdict", "retransmissions", 0);
        rig_free(&r);
    }
    assert_true(probes >= 8);

    rig_init(&r, HOST_NEVER_READS);
    r.network.host.engine.rcvbuf = 20000;
    rig_run(&r, bulk("connect --width 100 --timeout 20s -d ", BULK, " " RIG_PEER));
    assert_non_null(strstr(r.text, "window probe"));
    assert_null(strstr(r.text, "lost?"));
    rig_free(&r);
}

/* The count is the same whether segments are shown or not. */
/* Whenever the time is over, also while the answer to a probe is under way: it is not silent. */
static void a_peer_that_never_reads_is_not_lost(void **state)
{
    struct command_rig r;

    (void)state;
    for (unsigned ms = 1000; ms < 3000; ms += 15) {
        char timeout[80];
        snprintf(timeout, sizeof timeout, "connect --json --timeout %ums -d ", ms);
        rig_init(&r, HOST_NEVER_READS);
        r.network.host.engine.rcvbuf = 20000;
        rig_run(&r, bulk(timeout, BULK, " " RIG_PEER));
        rig_expect_text(&r, "verdict", "verdict", "failed");
        rig_free(&r);
    }
}

static void window_probes_are_not_counted_as_retransmissions(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_NEVER_READS);
    r.network.host.engine.rcvbuf = 20000;
    rig_run(&r, bulk("connect -q --timeout 20s -d ", BULK, " " RIG_PEER));
    assert_null(strstr(r.text, "retransmi"));
    rig_free(&r);
}

/* The peer's numbers, as its last segment had them. */
static struct seg next_of_theirs(struct command_rig *r, unsigned flags)
{
    const struct rig_segment *last = rig_last(r, false);

    return (struct seg){.seq = seg_end(&last->seg),
                        .ack = last->seg.ack,
                        .flags = (uint16_t)flags,
                        .wnd = last->seg.wnd,
                        .opt = {.has = last->seg.opt.has & OPT_TIMESTAMP,
                                .tsval = last->seg.opt.tsval,
                                .tsecr = last->seg.opt.tsecr}};
}

static void with_another_clock(struct command_rig *r)
{
    struct seg s = next_of_theirs(r, SEG_ACK | SEG_PSH);

    s.data = (const uint8_t *)"hello";
    s.len = 5;
    s.opt.tsval -= 1000000000;
    rig_forge(r, &s, 0);
}

static void a_clock_that_is_another(void **state)
{
    struct command_rig r;

    (void)state;
    for (int v6 = 0; v6 < 2; v6++) {
        rig_init_family(&r, HOST_DISCARD, v6);
        rig_at(&r, 100 * WAVE_MS, with_another_clock);
        rig_at(&r, 400 * WAVE_MS, with_another_clock);
        rig_run(&r, v6 ? "connect --json -d hi --hold 1s " RIG_PEER6
                       : "connect --json -d hi --hold 1s " RIG_PEER);
        expect_finding(&r, "timestamps-backwards", "warning",
                       "the timestamps of the peer's new segments go backwards, so that they are "
                       "dropped as old (PAWS): 2 in all");
        rig_free(&r);
    }
}

/* As a NAT answers that has forgotten the connection. */
static void reset_in_the_window(struct command_rig *r)
{
    struct seg s = next_of_theirs(r, SEG_RST);

    s.seq = seq_add(s.seq, 100);
    s.opt.has = 0;
    rig_forge(r, &s, 0);
}

static void a_storm(void **state)
{
    struct command_rig r;

    (void)state;
    for (int many = 0; many < 2; many++) {
        rig_init(&r, HOST_DISCARD);
        for (unsigned i = 0; i < (many ? 20 : 5); i++)
            rig_at(&r, (100 + i * 300) * WAVE_MS, reset_in_the_window);
        rig_run(&r, "connect --json --hold 8s " RIG_PEER);
        assert_int_equal(rig_count(&r, "finding", "code", "challenge-storm"), many);
        assert_int_equal(alarms(&r), many);
        rig_free(&r);
    }
}

/* The first rows of a storm are drawn, then how many there were. */
static void a_storm_takes_few_rows(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_DISCARD);
    for (unsigned i = 0; i < 50; i++)
        rig_at(&r, (100 + i * 300) * WAVE_MS, reset_in_the_window);
    rig_run(&r, "connect --width 120 --hold 16s " RIG_PEER);
    rig_expect_printed(&r, "RST seq 101", 4);
    rig_expect_printed(&r, "40 RST that changed nothing", 1); /* behind the finding, the tenth */
    rig_expect_printed(&r, "challenge-storm (likely): 10 RSTs, SYNs or ACKs", 1);
    rig_free(&r);

    rig_init(&r, HOST_DISCARD); /* all of them where all is asked for */
    for (unsigned i = 0; i < 50; i++)
        rig_at(&r, (100 + i * 300) * WAVE_MS, reset_in_the_window);
    rig_run(&r, "connect -v --width 120 --hold 16s " RIG_PEER);
    rig_expect_printed(&r, "RST seq 101", 50);
    rig_free(&r);

    rig_init(&r, HOST_DISCARD); /* single ones, 20 seconds apart, are drawn */
    for (unsigned i = 0; i < 12; i++)
        rig_at(&r, (1 + i * 20) * WAVE_S, reset_in_the_window);
    rig_run(&r, "connect --width 120 --hold 300s " RIG_PEER);
    rig_expect_printed(&r, "RST seq 101", 12);
    rig_free(&r);
}

static struct seg answer_to_our_syn(struct command_rig *r, unsigned flags, uint32_t ack)
{
    const struct rig_segment *syn = rig_segment(r, true, SEG_SYN, 1);

    return (struct seg){.seq = seq_of(900000),
                        .ack = seq_add(syn->seg.seq, ack),
                        .flags = (uint16_t)flags,
                        .wnd = 1000};
}

static void odd_rst(struct command_rig *r)
{
    struct seg s = answer_to_our_syn(r, SEG_RST | SEG_ACK, 41);

    rig_forge(r, &s, 0);
}

static void odd_ack(struct command_rig *r)
{
    struct seg s = answer_to_our_syn(r, SEG_ACK, (uint32_t)-5000);

    rig_forge(r, &s, 0);
}

static void answers_that_do_not_fit_our_syn(void **state)
{
    struct command_rig r;

    (void)state;
    for (int v6 = 0; v6 < 2; v6++) {
        rig_init_family(&r, HOST_SILENT, v6);
        rig_at(&r, RTT, odd_rst);
        rig_run(&r, v6 ? "connect --json " RIG_PEER6 : "connect --json " RIG_PEER);
        rig_expect_text(&r, "verdict", "verdict", "dropped");
        rig_expect_part(&r, "verdict", "message",
                        "gave no acceptable answer to 4 SYNs: a RST answered our SYN without "
                        "acknowledging it, so that a host ignores it");
        rig_free(&r);

        rig_init_family(&r, HOST_SILENT, v6);
        rig_at(&r, RTT, odd_ack);
        rig_run(&r, v6 ? "connect --json " RIG_PEER6 : "connect --json " RIG_PEER);
        rig_expect_text(&r, "verdict", "verdict", "dropped");
        rig_expect_part(&r, "verdict", "message",
                        "to 4 SYNs: probably, the peer answers our SYN with an ACK of something "
                        "else: it still holds an older connection over these ports");
        rig_free(&r);
    }
    rig_init(&r, HOST_DISCARD); /* before the right answer comes */
    rig_at(&r, RTT / 2, odd_rst);
    rig_run(&r, "connect --json " RIG_PEER);
    rig_expect_text(&r, "verdict", "verdict", "open");
    expect_finding(&r, "rst-unacceptable", "warning",
                   "a RST answered our SYN without acknowledging it, so that a host ignores it");
    rig_free(&r);
}

/* Without the third segment, a peer that keeps SYN cookies never repeats its SYN-ACK. */
static void cookies(void **state)
{
    struct command_rig r;

    (void)state;
    for (uint32_t half_open = 0; half_open < 2; half_open++) {
        rig_init(&r, HOST_DISCARD);
        r.network.host.half_open = half_open;
        rig_run(&r, "connect --json --no-ack " RIG_PEER);
        rig_expect_text(&r, "verdict", "verdict", "open");
        assert_int_equal(rig_count(&r, "finding", "code", "syn-cookies"), !half_open);
        rig_free(&r);
    }
}

static void a_peer_that_resets_a_half_closed_connection(void **state)
{
    struct command_rig r;

    (void)state;
    for (int v6 = 0; v6 < 2; v6++) {
        rig_init_family(&r, HOST_RESETS_FIN, v6);
        rig_run(&r, v6 ? "halfclose --json -d hi " RIG_PEER6 : "halfclose --json -d hi " RIG_PEER);
        rig_expect_text(&r, "verdict", "verdict", "failed");
        rig_expect_part(&r, "verdict", "message",
                        "does not honour the half-close: probably, the peer answered our FIN "
                        "with RST: it takes a connection that only we have closed for one that is "
                        "over");
        rig_free(&r);
    }
    rig_init(&r, HOST_ANSWER_AFTER_FIN);
    rig_run(&r, "halfclose --json -d hi " RIG_PEER);
    assert_int_equal(rig_count(&r, "finding", NULL, NULL), 0);
    rig_free(&r);
}

static void close_it(struct command_rig *r)
{
    r->disturbed = true;
    rig_far_close(r, 0);
}

/* It closes as soon as the handshake is done, or half a second later. */
static void a_proxy_without_a_backend(void **state)
{
    static const wave_time at[] = {3 * RIG_DELAY + WAVE_MS, 500 * WAVE_MS};
    struct command_rig r;

    (void)state;
    for (int late = 0; late < 2; late++) {
        rig_init(&r, HOST_DISCARD);
        rig_at(&r, at[late], close_it);
        rig_run(&r, "connect --json --hold 2s " RIG_PEER);
        rig_expect_text(&r, "verdict", "verdict", "open");
        assert_int_equal(rig_count(&r, "finding", "code", "closed-at-once"), !late);
        assert_int_equal(alarms(&r), !late);
        rig_free(&r);
    }
}

static void reset_by_another(struct command_rig *r)
{
    struct seg s = next_of_theirs(r, SEG_RST);

    s.opt.has = 0;
    rig_forge(r, &s, 61);
}

static void a_reset_that_the_peer_did_not_send(void **state)
{
    struct command_rig r;

    (void)state;
    rig_init(&r, HOST_ANSWER_FIRST);
    rig_at(&r, 2 * WAVE_S, reset_by_another);
    rig_run(&r, "connect --json --hold 9s " RIG_PEER);
    rig_expect_text(&r, "verdict", "verdict", "reset");
    expect_finding(&r, "rst-by-middlebox", "problem",
                   "the RST came with TTL 61 and the peer's other segments with TTL 64: another "
                   "device sent it");
    rig_expect_part(&r, "verdict", "message",
                    "reset the connection: the peer's side reset the connection after 1.9");
    rig_free(&r);
}

/* One segment beside the rest of a connection, with something that does not belong there. */
struct oddity {
    const char *code, *severity, *message;
    void (*bend)(struct command_rig *r, struct seg *s);
};

static const struct oddity *oddity;

static void leave_stamps_out(struct command_rig *r, struct seg *s)
{
    (void)r;
    s->opt.has = 0;
}

static void echo_the_future(struct command_rig *r, struct seg *s)
{
    (void)r;
    s->opt.tsecr += 100000;
}

static void report_strangers(struct command_rig *r, struct seg *s)
{
    (void)r;
    s->opt.has |= OPT_SACK;
    s->opt.sacks = 1;
    s->opt.sack[0] = (struct sack_block){seq_add(s->ack, 500000), seq_add(s->ack, 501000)};
}

/* From the right edge of our window on, which is the default of the engine's buffer. */
static void go_too_far(struct command_rig *r, struct seg *s)
{
    const struct rig_segment *last = rig_last(r, true);

    s->seq = seq_add(last->seg.ack, (uint32_t)last->seg.wnd << 7);
    s->data = (const uint8_t *)"hello";
    s->len = 5;
}

static void send_oddity(struct command_rig *r)
{
    struct seg s = next_of_theirs(r, SEG_ACK);

    oddity->bend(r, &s);
    rig_forge(r, &s, 0);
}

static void segments_that_no_host_sends(void **state)
{
    static const struct oddity oddities[] = {
        {"timestamps-missing", "warning",
         "1 segment of the peer's came without the timestamps that both sides had agreed on; it "
         "was taken all the same",
         leave_stamps_out},
        {"timestamp-echo-wrong", "warning", "the peer echoes timestamps that we never sent",
         echo_the_future},
        {"sack-rewritten", "warning",
         "SACK blocks name bytes that we never sent: a device on the way rewrites sequence numbers "
         "and leaves SACK blocks as they are",
         report_strangers},
        {"window-overrun", "warning", "the peer sent data beyond the window that we had offered",
         go_too_far}};
    struct command_rig r;

    (void)state;
    for (unsigned i = 0; i < sizeof oddities / sizeof oddities[0]; i++)
        for (int v6 = 0; v6 < 2; v6++) {
            oddity = &oddities[i];
            rig_init_family(&r, HOST_ECHO, v6);
            rig_at(&r, 500 * WAVE_MS, send_oddity);
            rig_run(&r, v6 ? "connect --json -d hi --hold 1s " RIG_PEER6
                           : "connect --json -d hi --hold 1s " RIG_PEER);
            rig_expect_text(&r, "verdict", "verdict", "open");
            expect_finding(&r, oddity->code, oddity->severity, oddity->message);
            assert_int_equal(alarms(&r), 1);
            rig_free(&r);
        }
}

/* What we send behind our SYN comes to nothing, as with an accept queue that is full. */
static bool all_but_syns(struct command_rig *r, const struct rig_segment *s)
{
    const wave_time *until = r->user;

    return s->out && !(s->seg.flags & SEG_SYN) && s->at < *until;
}

static void a_peer_that_does_not_accept(void **state)
{
    wave_time until = 100 * WAVE_S;
    struct command_rig r;

    (void)state;
    for (int v6 = 0; v6 < 2; v6++) {
        rig_init_family(&r, HOST_ECHO, v6);
        r.lose = all_but_syns;
        r.user = &until;
        rig_run(&r, v6 ? "connect --json -d hi --timeout 9s " RIG_PEER6
                       : "connect --json -d hi --timeout 9s " RIG_PEER);
        rig_expect_text(&r, "verdict", "verdict", "failed");
        rig_expect_part(&r, "verdict", "message",
                        "probably, the peer repeated its SYN-ACK and took neither our ACK nor our "
                        "data: its accept queue is full, or what we send is lost on the way");
        rig_free(&r);
    }
    until = 500 * WAVE_MS; /* and a path that loses our first segments */
    rig_init(&r, HOST_ECHO);
    r.lose = all_but_syns;
    r.user = &until;
    rig_run(&r, "connect --json -d hi " RIG_PEER);
    rig_expect_text(&r, "verdict", "verdict", "open");
    assert_int_equal(rig_count(&r, "finding", NULL, NULL), 0);
    rig_free(&r);
}

/* Large segments vanish on the way here, and the small one behind them does not. */
static bool large(struct command_rig *r, const struct rig_segment *s)
{
    (void)r;
    return !s->out && s->seg.len > 500;
}

static bool one_large(struct command_rig *r, const struct rig_segment *s)
{
    unsigned *n = r->user;

    return large(r, s) && ++*n == 1;
}

static void large_segments_that_vanish(void **state)
{
    struct command_rig r;
    unsigned n = 0;

    (void)state;
    for (int v6 = 0; v6 < 2; v6++) {
        rig_init_family(&r, HOST_ECHO, v6);
        r.lose = large;
        rig_run(&r,
                bulk("connect --json --timeout 6s -d ", 4500, v6 ? " " RIG_PEER6 : " " RIG_PEER));
        rig_expect_text(&r, "verdict", "verdict", "failed");
        rig_expect_part(&r, "verdict", "message",
                        "probably, large packets vanish on the way here, or the peer does not "
                        "repeat them: ");
        /* Without what came behind them. */
        rig_expect_part(&r, "verdict", "message",
                        v6 ? ": 4,284 bytes are missing" : ": 4,344 bytes are missing");
        rig_free(&r);
    }
    rig_init(&r, HOST_ECHO); /* once */
    r.lose = one_large;
    r.user = &n;
    rig_run(&r, bulk("connect --json --timeout 6s -d ", 4500, " " RIG_PEER));
    rig_expect_text(&r, "verdict", "verdict", "open");
    assert_int_equal(alarms(&r), 0);
    rig_free(&r);
}

static bool our_fins(struct command_rig *r, const struct rig_segment *s)
{
    (void)r;
    return s->out && (s->seg.flags & SEG_FIN);
}

static void speak(struct command_rig *r)
{
    rig_far_send(r, 0, "still here\n");
}

/* Something on the way drops FINs, while the peer goes on speaking. */
static void a_fin_that_never_arrives(void **state)
{
    struct command_rig r;

    (void)state;
    for (int v6 = 0; v6 < 2; v6++) {
        rig_init_family(&r, HOST_NEVER_CLOSES, v6);
        r.lose = our_fins;
        for (unsigned i = 1; i < 25; i++)
            rig_at(&r, i * WAVE_S, speak);
        rig_run(&r, v6 ? "halfclose --json --timeout 25s " RIG_PEER6
                       : "halfclose --json --timeout 25s " RIG_PEER);
        rig_expect_text(&r, "verdict", "verdict", "failed");
        expect_finding(&r, "fin-ignored", "problem",
                       "the peer answers and does not acknowledge our FIN, though we repeated it");
        rig_free(&r);
    }
}

/* Something on the way drops SYNs with timestamps. */
static bool stamped_syns(struct command_rig *r, const struct rig_segment *s)
{
    (void)r;
    return s->out && (s->seg.flags & SEG_SYN) && (s->seg.opt.has & OPT_TIMESTAMP);
}

/* The path is down until then. */
static bool before(struct command_rig *r, const struct rig_segment *s)
{
    return s->at < *(const wave_time *)r->user;
}

/* The options of the SYNs that we sent: T with timestamps, - without. */
static void expect_syns(const struct command_rig *r, const char *wanted)
{
    const unsigned n = rig_segments(r, true, SEG_SYN);

    assert_int_equal(n, strlen(wanted));
    for (unsigned i = 0; i < n; i++)
        assert_int_equal(rig_segment(r, true, SEG_SYN, i + 1)->seg.opt.has & OPT_TIMESTAMP ? 'T'
                                                                                           : '-',
                         wanted[i]);
}

static void syns_with_timestamps_that_are_dropped(void **state)
{
    struct command_rig r;

    (void)state;
    for (int v6 = 0; v6 < 2; v6++) {
        rig_init_family(&r, HOST_ECHO, v6);
        r.lose = stamped_syns;
        rig_run(&r, v6 ? "connect --json -d hi " RIG_PEER6 : "connect --json -d hi " RIG_PEER);
        rig_expect_text(&r, "verdict", "verdict", "open");
        rig_expect_int(&r, "verdict", "received_bytes", 2);
        expect_syns(&r, "TTT-T-");
        expect_finding(&r, "old-timestamp-dropped", "warning",
                       "4 SYNs with timestamps got no answer, and each of 2 without them did: the "
                       "peer or a device before it drops SYNs for their timestamps");
        rig_expect_text(&r, "finding", "certainty", "likely");
        rig_free(&r);
    }
    rig_init(&r, HOST_ECHO); /* of few SYNs none is spared for it */
    r.lose = stamped_syns;
    rig_run(&r, "connect --json --syn-retries 2 " RIG_PEER);
    rig_expect_text(&r, "verdict", "verdict", "dropped");
    expect_syns(&r, "TTT");
    rig_free(&r);

    rig_init(&r, HOST_ECHO); /* nor of a handshake that is not to be completed */
    r.lose = stamped_syns;
    rig_run(&r, "connect --json --no-ack " RIG_PEER);
    expect_syns(&r, "TTTT");
    rig_free(&r);
}

/* A path that comes up, at any time, and one whose peer has no timestamps. */
static void syns_that_are_lost(void **state)
{
    static const struct {
        wave_time until;
        const char *syns;
    } path[] = {{500 * WAVE_MS, "TT"}, {2 * WAVE_S, "TTT"}, {5 * WAVE_S, "TTT-T"}};
    struct command_rig r;

    (void)state;
    for (unsigned i = 0; i < sizeof path / sizeof path[0]; i++)
        for (int none = 0; none < 2; none++) {
            rig_init(&r, HOST_ECHO);
            r.lose = before;
            r.user = (void *)(uintptr_t)&path[i].until;
            r.network.host.engine.timestamps = !none;
            rig_run(&r, "connect --json -d hi " RIG_PEER);
            rig_expect_text(&r, "verdict", "verdict", "open");
            expect_syns(&r, path[i].syns);
            assert_int_equal(alarms(&r), 0);
            rig_free(&r);
        }
    rig_init(&r, HOST_SILENT);
    rig_run(&r, "connect --json " RIG_PEER);
    rig_expect_text(&r, "verdict", "verdict", "dropped");
    expect_syns(&r, "TTT-");
    rig_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_networks_do_every_day_is_no_alarm),
        cmocka_unit_test(a_run_that_ends_in_a_recovery_blames_no_one),
        cmocka_unit_test(a_peer_that_never_reads),
        cmocka_unit_test(a_peer_that_never_reads_and_vanishes),
        cmocka_unit_test(a_peer_that_never_reads_is_not_lost),
        cmocka_unit_test(window_probes_are_not_counted_as_retransmissions),
        cmocka_unit_test(a_clock_that_is_another),
        cmocka_unit_test(a_storm),
        cmocka_unit_test(a_storm_takes_few_rows),
        cmocka_unit_test(answers_that_do_not_fit_our_syn),
        cmocka_unit_test(cookies),
        cmocka_unit_test(a_peer_that_resets_a_half_closed_connection),
        cmocka_unit_test(a_proxy_without_a_backend),
        cmocka_unit_test(a_reset_that_the_peer_did_not_send),
        cmocka_unit_test(segments_that_no_host_sends),
        cmocka_unit_test(a_peer_that_does_not_accept),
        cmocka_unit_test(large_segments_that_vanish),
        cmocka_unit_test(a_fin_that_never_arrives),
        cmocka_unit_test(syns_with_timestamps_that_are_dropped),
        cmocka_unit_test(syns_that_are_lost),
        cmocka_unit_test(rig_schema),
    };

    return cmocka_run_group_tests_name("findings of commands", tests, NULL, NULL);
}

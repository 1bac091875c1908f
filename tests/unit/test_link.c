/*
 * Tests the simulated link by itself, between two fake engines that send what a test has scripted
 * and record what arrives. They replace the core's conn_...() functions, which this program does
 * not link.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/core/err.h"
#include "lib/sim/link.h"

enum { SCRIPT = 20000 };

enum link_habit { HABIT_SCRIPT, HABIT_ENDLESS_OUTPUT, HABIT_ENDLESS_TICK, HABIT_ANSWERS_ALL };

/* `conn` comes first, so that a fake is found from the connection the link knows. */
struct fake {
    struct conn conn;
    enum link_habit habit;
    struct {
        wave_time at;
        struct seg seg;
    } out[SCRIPT];
    size_t scripted, sent;
    struct {
        wave_time at;
        struct seq seq;
        uint8_t ecn;
    } in[2 * SCRIPT];
    size_t received;
    struct seg last; /* without its data and raw options, which are gone by the time one looks */
    uint8_t last_data[64];
    size_t icmps, answers_owed;
    struct icmp icmp;
    bool refuses; /* every input says INPUT_RESET */
    bool reuse;   /* the next input closes and says INPUT_REUSE */
};

struct link_pair {
    struct fake *a, *b;
    struct link *link;
};

static struct fake *fake_of(const struct conn *c)
{
    return (struct fake *)(uintptr_t)c;
}

bool conn_output(struct conn *c, wave_time now, struct seg *out, uint8_t *room)
{
    struct fake *f = fake_of(c);
    (void)room;
    if (f->habit == HABIT_ENDLESS_OUTPUT || (f->habit == HABIT_ANSWERS_ALL && f->answers_owed)) {
        f->answers_owed -= f->habit == HABIT_ANSWERS_ALL;
        *out = (struct seg){.flags = SEG_ACK};
        return true;
    }
    if (f->sent == f->scripted || f->out[f->sent].at > now)
        return false;
    *out = f->out[f->sent++].seg;
    return true;
}

enum conn_input conn_input(struct conn *c, wave_time now, const struct seg *s)
{
    struct fake *f = fake_of(c);
    if (c->state == STATE_CLOSED)
        return INPUT_RESET;
    f->answers_owed++;
    if (f->habit == HABIT_ANSWERS_ALL)
        return INPUT_DONE;
    assert_true(f->received < sizeof f->in / sizeof f->in[0]);
    f->in[f->received].at = now;
    f->in[f->received].seq = s->seq;
    f->in[f->received++].ecn = s->ecn;
    f->last = *s;
    if (s->len && s->len <= sizeof f->last_data)
        memcpy(f->last_data, s->data, s->len);
    if (!f->reuse)
        return f->refuses ? INPUT_RESET : INPUT_DONE;
    f->reuse = false;
    c->state = STATE_CLOSED;
    return INPUT_REUSE;
}

void conn_icmp(struct conn *c, wave_time now, const struct icmp *e)
{
    (void)now;
    fake_of(c)->icmp = *e;
    fake_of(c)->icmps++;
}

void conn_tick(struct conn *c, wave_time now)
{
    (void)c;
    (void)now;
}

wave_time conn_expiry(const struct conn *c, wave_time now)
{
    const struct fake *f = fake_of(c);
    if (f->habit == HABIT_ENDLESS_TICK)
        return now;
    return f->sent < f->scripted ? f->out[f->sent].at : WAVE_NEVER;
}

bool conn_reset_for(const struct conn *c, wave_time now, const struct seg *s, struct seg *out)
{
    (void)c;
    (void)now;
    if (s->flags & SEG_RST)
        return false;
    *out = (struct seg){.flags = SEG_RST, .seq = s->ack};
    return true;
}

static struct fake *fake_new(uint8_t local, uint8_t remote, bool v6)
{
    struct fake *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->conn.flow = (struct flow){.local = addr_v4(192, 0, 2, local),
                                 .remote = addr_v4(192, 0, 2, remote),
                                 .lport = (uint16_t)(1000 + local),
                                 .rport = (uint16_t)(1000 + remote),
                                 .v6 = v6};
    f->conn.state = STATE_ESTABLISHED;
    return f;
}

static struct link_pair pair_new(uint64_t seed, bool v6)
{
    struct link_pair p = {.a = fake_new(1, 2, v6), .b = fake_new(2, 1, v6)};
    assert_int_equal(link_create(&p.link, &p.a->conn, &p.b->conn, seed), 0);
    return p;
}

static void pair_free(struct link_pair *p)
{
    link_destroy(p->link);
    free(p->a);
    free(p->b);
}

static void script(struct fake *f, wave_time at, struct seg s)
{
    assert_true(f->scripted < SCRIPT);
    f->out[f->scripted].at = at;
    f->out[f->scripted++].seg = s;
}

/* Scripts n segments, `apart` from one another, whose sequence numbers count from 0. */
static void script_many(struct fake *f, size_t n, wave_time apart)
{
    for (size_t i = 0; i < n; i++)
        script(f, WAVE_S + i * apart, (struct seg){.seq = seq_of((uint32_t)i), .flags = SEG_ACK});
}

static void counts_add_up(const struct link *l)
{
    struct path_counts c = link_counts(l);
    assert_int_equal(c.sent + c.duplicated, c.lost + c.delivered + c.bad_checksum);
}

static void a_segment_arrives_as_it_left_after_the_delay(void **unused)
{
    (void)unused;
    struct link_pair p = pair_new(1, false);
    const uint8_t data[] = "every byte";
    struct seg s = {.seq = seq_of(7),
                    .ack = seq_of(9),
                    .flags = SEG_ACK | SEG_PSH,
                    .wnd = 4711,
                    .len = sizeof data,
                    .data = data,
                    .ecn = ECN_ECT0};
    s.opt.has = OPT_TIMESTAMP;
    s.opt.tsval = 0xfedcba98;
    s.opt.tsecr = 3;
    script(p.a, 3 * WAVE_S, s);
    link_impair(p.link, LINK_A, &(struct path_impairment){.delay = 25 * WAVE_MS});
    assert_int_equal(link_run(p.link, WAVE_NEVER, NULL, NULL), 3 * WAVE_S + 25 * WAVE_MS);
    assert_int_equal(p.b->received, 1);
    assert_int_equal(p.a->received, 0);
    const struct seg *r = &p.b->last;
    assert_int_equal(r->seq.v, 7);
    assert_int_equal(r->ack.v, 9);
    assert_int_equal(r->flags, SEG_ACK | SEG_PSH);
    assert_int_equal(r->wnd, 4711);
    assert_int_equal(r->ecn, ECN_ECT0);
    assert_int_equal(r->opt.has, OPT_TIMESTAMP);
    assert_int_equal(r->opt.tsval, 0xfedcba98);
    assert_int_equal(r->opt.tsecr, 3);
    assert_int_equal(r->len, sizeof data);
    assert_memory_equal(p.b->last_data, data, sizeof data);
    pair_free(&p);
}

static void the_clock_reaches_until_and_stands_still_when_nothing_is_left(void **unused)
{
    (void)unused;
    struct link_pair p = pair_new(1, false);
    wave_time start = link_now(p.link);
    assert_int_equal(link_run(p.link, WAVE_NEVER, NULL, NULL), start);
    assert_int_equal(link_next(p.link), WAVE_NEVER);
    assert_int_equal(link_run(p.link, start + WAVE_H, NULL, NULL), start + WAVE_H);
    assert_int_equal(link_now(p.link), start + WAVE_H);
    pair_free(&p);
}

static bool count_down(void *ctx)
{
    return --*(int *)ctx == 0;
}

static void stop_is_asked_after_each_step(void **unused)
{
    (void)unused;
    struct link_pair p = pair_new(1, false);
    int left = 3;
    script_many(p.a, 10, WAVE_MS);
    link_run(p.link, WAVE_NEVER, count_down, &left);
    assert_int_equal(left, 0);
    /* Each segment is a delivery, and those after the first a tick as well. */
    assert_int_equal(p.b->received, 2);
    link_run(p.link, WAVE_NEVER, NULL, NULL);
    assert_int_equal(p.b->received, 10);
    pair_free(&p);
}

static void send_once(void *ctx)
{
    struct fake *f = ctx;
    if (f->received && !f->scripted)
        script(f, 0, (struct seg){.flags = SEG_ACK | SEG_FIN});
}

static void count_answers(void *ctx, wave_time at, enum link_end from, bool arrived,
                          uint64_t number, const struct seg *s)
{
    (void)at, (void)number, (void)s;
    if (from == LINK_B && !arrived)
        ++*(int *)ctx;
}

static void a_quick_user_acts_before_the_engine_answers(void **unused)
{
    (void)unused;
    struct link_pair p = pair_new(1, false);
    int left = 1, answers = 0;
    script(p.a, WAVE_S, (struct seg){.flags = SEG_ACK});
    link_set_user(p.link, send_once, p.b);
    link_set_watch(p.link, count_answers, &answers);
    link_run(p.link, WAVE_NEVER, count_down, &left);
    assert_int_equal(p.b->received, 1);
    assert_int_equal(answers, 1);
    pair_free(&p);
}

static struct link_pair rough_run(uint64_t seed)
{
    struct link_pair p = pair_new(seed, false);
    struct path_impairment m = {.loss = 3000,
                                .duplication = 1000,
                                .reordering = 2000,
                                .corruption = 100,
                                .delay = 5 * WAVE_MS,
                                .jitter = WAVE_MS};
    script_many(p.a, 10000, 100 * WAVE_US);
    link_impair(p.link, LINK_A, &m);
    link_run(p.link, WAVE_NEVER, NULL, NULL);
    return p;
}

static void the_same_seed_gives_the_same_run(void **unused)
{
    (void)unused;
    struct link_pair p = rough_run(42), q = rough_run(42), r = rough_run(43);
    assert_int_equal(p.b->received, q.b->received);
    assert_memory_equal(p.b->in, q.b->in, sizeof p.b->in);
    assert_memory_not_equal(p.b->in, r.b->in, sizeof p.b->in);
    pair_free(&p);
    pair_free(&q);
    pair_free(&r);
}

static void chances_are_kept_and_every_segment_is_accounted_for(void **unused)
{
    (void)unused;
    struct link_pair p = rough_run(7);
    struct path_counts c = link_counts(p.link);
    counts_add_up(p.link);
    assert_int_equal(c.sent, 10000);
    assert_in_range(c.lost, 2800, 3200);
    assert_in_range(c.duplicated, 600, 800);  /* a tenth of what was not lost */
    assert_in_range(c.reordered, 1400, 1700); /* a fifth of that and the duplicates */
    assert_in_range(c.corrupted, 40, 120);
    assert_int_equal(c.delivered, p.b->received);
    pair_free(&p);
}

static void every_flipped_bit_is_found_by_the_checksum(void **unused)
{
    (void)unused;
    struct link_pair p = pair_new(3, true);
    script_many(p.a, SCRIPT, WAVE_US);
    link_impair(p.link, LINK_A, &(struct path_impairment){.corruption = 10000});
    link_run(p.link, WAVE_NEVER, NULL, NULL);
    assert_int_equal(link_counts(p.link).corrupted, SCRIPT);
    assert_int_equal(link_counts(p.link).bad_checksum, SCRIPT);
    assert_int_equal(p.b->received, 0);
    counts_add_up(p.link);
    pair_free(&p);
}

static void jitter_alone_keeps_the_order(void **unused)
{
    (void)unused;
    struct link_pair p = pair_new(5, false);
    script_many(p.a, 5000, 10 * WAVE_US);
    link_impair(p.link, LINK_A, &(struct path_impairment){.delay = WAVE_MS, .jitter = 3 * WAVE_MS});
    link_run(p.link, WAVE_NEVER, NULL, NULL);
    assert_int_equal(p.b->received, 5000);
    for (uint32_t i = 0; i < 5000; i++) {
        wave_time late = p.b->in[i].at - (WAVE_S + i * 10 * WAVE_US);
        assert_int_equal(p.b->in[i].seq.v, i);
        assert_in_range(late, WAVE_MS, 4 * WAVE_MS);
    }
    pair_free(&p);
}

static void a_reordered_segment_is_overtaken(void **unused)
{
    (void)unused;
    struct link_pair p = pair_new(5, false);
    size_t overtaken = 0;
    script_many(p.a, 5000, 10 * WAVE_US);
    link_impair(p.link, LINK_A, &(struct path_impairment){.delay = WAVE_MS, .reordering = 2000});
    link_run(p.link, WAVE_NEVER, NULL, NULL);
    assert_int_equal(p.b->received, 5000);
    for (size_t i = 1; i < 5000; i++)
        overtaken += seq_lt(p.b->in[i].seq, p.b->in[i - 1].seq);
    assert_in_range(overtaken, 500, 1500);
    pair_free(&p);
}

struct sightings {
    uint64_t left, arrived, lose, numbers[64];
    size_t seen;
};

static void note(void *ctx, wave_time at, enum link_end from, bool arrived, uint64_t number,
                 const struct seg *s)
{
    struct sightings *w = ctx;
    (void)at;
    (void)s;
    assert_int_equal(from, LINK_A);
    *(arrived ? &w->arrived : &w->left) += 1;
    if (arrived && w->seen < 64)
        w->numbers[w->seen++] = number;
}

static bool all_but_one(void *ctx, wave_time at, enum link_end from, uint64_t number,
                        const struct seg *s)
{
    (void)at;
    (void)from;
    (void)s;
    return number != ((struct sightings *)ctx)->lose;
}

static void the_filter_loses_the_very_one_it_names(void **unused)
{
    (void)unused;
    struct link_pair p = pair_new(1, false);
    struct sightings w = {.lose = 4};
    script_many(p.a, 6, WAVE_MS);
    link_set_watch(p.link, note, &w);
    link_set_filter(p.link, all_but_one, &w);
    link_run(p.link, WAVE_NEVER, NULL, NULL);
    assert_int_equal(w.left, 6);
    assert_int_equal(w.arrived, 5);
    assert_int_equal(w.numbers[2], 3);
    assert_int_equal(w.numbers[3], 5);
    assert_int_equal(link_counts(p.link).lost, 1);
    pair_free(&p);
}

static void a_duplicate_arrives_with_the_number_of_its_original(void **unused)
{
    (void)unused;
    struct link_pair p = pair_new(1, false);
    struct sightings w = {0};
    script_many(p.a, 3, WAVE_MS);
    link_impair(p.link, LINK_A, &(struct path_impairment){.duplication = 10000});
    link_set_watch(p.link, note, &w);
    link_run(p.link, WAVE_NEVER, NULL, NULL);
    assert_int_equal(w.left, 3);
    assert_int_equal(w.arrived, 6);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(w.numbers[i], i / 2 + 1);
    pair_free(&p);
}

static uint8_t zeros[2000];

static void bandwidth_spaces_what_is_sent_at_once(void **unused)
{
    (void)unused;
    struct link_pair p = pair_new(1, false);
    for (int i = 0; i < 5; i++)
        script(p.a, WAVE_S, (struct seg){.flags = SEG_ACK, .len = 960, .data = zeros});
    /* 960 bytes, 20 of TCP, 20 of IP: 1000 bytes are 8 ms at 1 Mbit/s. */
    link_impair(p.link, LINK_A,
                &(struct path_impairment){.bandwidth = 1000000, .delay = 10 * WAVE_MS});
    link_run(p.link, WAVE_NEVER, NULL, NULL);
    assert_int_equal(p.b->received, 5);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(p.b->in[i].at, WAVE_S + (10 + 8 * (i + 1)) * WAVE_MS);
    pair_free(&p);
}

static void a_full_queue_drops_the_newcomer_and_an_idle_line_takes_any(void **unused)
{
    (void)unused;
    struct link_pair p = pair_new(1, false);
    for (uint32_t i = 0; i < 5; i++)
        script(p.a, WAVE_S,
               (struct seg){.seq = seq_of(i), .flags = SEG_ACK, .len = 960, .data = zeros});
    script(p.a, 2 * WAVE_S,
           (struct seg){.seq = seq_of(9), .flags = SEG_ACK, .len = 1960, .data = zeros});
    link_impair(p.link, LINK_A, &(struct path_impairment){.bandwidth = 1000000, .queue = 1999});
    link_run(p.link, WAVE_NEVER, NULL, NULL);
    assert_int_equal(p.b->received, 2);
    assert_int_equal(p.b->in[0].seq.v, 0);
    assert_int_equal(p.b->in[1].seq.v, 9);
    assert_int_equal(link_counts(p.link).lost, 4);
    pair_free(&p);
}

static void too_big_is_lost_and_told(bool v6, bool silent)
{
    struct link_pair p = pair_new(1, v6);
    uint32_t headers = v6 ? 60 : 40;
    struct path_impairment m = {.mtu = 1400, .silent_mtu = silent, .delay = 5 * WAVE_MS};
    script(p.a, 2 * WAVE_S, (struct seg){.flags = SEG_ACK, .len = 1400 - headers, .data = zeros});
    script(p.a, 2 * WAVE_S,
           (struct seg){.seq = seq_of(77), .flags = SEG_ACK, .len = 1401 - headers, .data = zeros});
    link_impair(p.link, LINK_A, &m);
    link_run(p.link, WAVE_NEVER, NULL, NULL);
    assert_int_equal(p.b->received, 1);
    assert_int_equal(link_counts(p.link).lost, 1);
    assert_int_equal(p.b->icmps, 0);
    assert_int_equal(p.a->icmps, !silent);
    if (!silent) {
        assert_int_equal(p.a->icmp.mtu, 1400);
        assert_int_equal(p.a->icmp.seq.v, 77);
        assert_true(p.a->icmp.has_seq);
        assert_true(flow_eq(&p.a->icmp.flow, &p.a->conn.flow));
        assert_int_equal(icmp_meaning(v6, p.a->icmp.type, p.a->icmp.code), ICMP_TOO_BIG);
        assert_int_equal(p.a->icmp.meaning, ICMP_TOO_BIG);
    }
    counts_add_up(p.link);
    pair_free(&p);
}

static void rfc1191_too_big_is_lost_and_its_sender_told(void **unused)
{
    (void)unused;
    too_big_is_lost_and_told(false, false);
}

static void rfc8201_too_big_is_lost_and_its_sender_told(void **unused)
{
    (void)unused;
    too_big_is_lost_and_told(true, false);
}

static void rfc2923_a_black_hole_tells_nobody(void **unused)
{
    (void)unused;
    too_big_is_lost_and_told(false, true);
}

static void rfc3168_only_capable_segments_are_marked(void **unused)
{
    (void)unused;
    struct link_pair p = pair_new(1, false);
    script(p.a, WAVE_S, (struct seg){.flags = SEG_ACK, .ecn = ECN_ECT0});
    script(p.a, WAVE_S, (struct seg){.flags = SEG_ACK, .ecn = ECN_NOT});
    link_impair(p.link, LINK_A, &(struct path_impairment){.marking = 10000});
    link_run(p.link, WAVE_NEVER, NULL, NULL);
    assert_int_equal(p.b->in[0].ecn, ECN_CE);
    assert_int_equal(p.b->in[1].ecn, ECN_NOT);
    assert_int_equal(link_counts(p.link).marked, 1);
    pair_free(&p);
}

static void a_cut_loses_what_is_on_the_way_and_what_follows(void **unused)
{
    (void)unused;
    struct link_pair p = pair_new(1, false);
    script_many(p.a, 3, WAVE_S);
    link_impair(p.link, LINK_A, &(struct path_impairment){.delay = 100 * WAVE_MS});
    link_run(p.link, WAVE_S + 50 * WAVE_MS, NULL, NULL);
    link_set_cut(p.link, true);
    link_run(p.link, 2 * WAVE_S + WAVE_MS, NULL, NULL);
    link_set_cut(p.link, false);
    link_run(p.link, WAVE_NEVER, NULL, NULL);
    assert_int_equal(p.b->received, 1);
    assert_int_equal(p.b->in[0].seq.v, 2);
    assert_int_equal(link_counts(p.link).lost, 2);
    counts_add_up(p.link);
    pair_free(&p);
}

static void rfc9293_3_10_7_1_a_closed_end_answers_with_rst_unless_it_is_silent(void **unused)
{
    (void)unused;
    for (int silent = 0; silent < 2; silent++) {
        struct link_pair p = pair_new(1, false);
        p.b->conn.state = STATE_CLOSED;
        link_set_resets(p.link, LINK_B, !silent);
        script(p.a, WAVE_S, (struct seg){.flags = SEG_ACK, .ack = seq_of(55)});
        link_run(p.link, WAVE_NEVER, NULL, NULL);
        assert_int_equal(p.b->received, 0);
        assert_int_equal(p.a->received, !silent);
        if (!silent) {
            assert_int_equal(p.a->last.flags, SEG_RST);
            assert_int_equal(p.a->last.seq.v, 55);
        }
        pair_free(&p);
    }
}

static void
rfc9293_3_10_7_3_what_the_engine_refuses_is_answered_even_by_a_silent_host(void **unused)
{
    (void)unused;
    struct link_pair p = pair_new(1, false);
    p.b->conn.state = STATE_SYN_SENT;
    p.b->refuses = true;
    link_set_resets(p.link, LINK_B, false);
    script(p.a, WAVE_S, (struct seg){.flags = SEG_ACK, .ack = seq_of(55)});
    link_run(p.link, WAVE_NEVER, NULL, NULL);
    assert_int_equal(p.a->received, 1);
    assert_int_equal(p.a->last.seq.v, 55);
    pair_free(&p);
}

static void rfc9293_3_6_1_a_syn_for_re_use_finds_no_listener_here(void **unused)
{
    (void)unused;
    struct link_pair p = pair_new(1, false);
    p.b->reuse = true;
    script(p.a, WAVE_S, (struct seg){.flags = SEG_SYN});
    link_run(p.link, WAVE_NEVER, NULL, NULL);
    assert_int_equal(p.b->received, 1);
    assert_int_equal(p.a->received, 1);
    assert_int_equal(p.a->last.flags, SEG_RST);
    pair_free(&p);
}

static void flows_that_do_not_fit_are_refused(void **unused)
{
    (void)unused;
    struct link *l = NULL;
    struct fake *a = fake_new(1, 2, false), *b = fake_new(1, 2, false);
    assert_int_equal(link_create(&l, &a->conn, &b->conn, 1), WAVE_EINVAL);
    assert_null(l);
    free(a);
    free(b);
}

/* Makes a run of 1 s with that habit at both ends. Returns the signal that ended it, or 0. */
static int signal_of(enum link_habit habit)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(null, STDERR_FILENO);
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        signal(SIGABRT, SIG_DFL);
        struct link_pair p = pair_new(1, false);
        p.a->habit = p.b->habit = habit;
        p.a->answers_owed = 1;
        link_run(p.link, 2 * WAVE_S, NULL, NULL);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void engines_that_never_leave_an_instant_end_the_process(void **unused)
{
    (void)unused;
    assert_int_equal(signal_of(HABIT_SCRIPT), 0);
    assert_int_equal(signal_of(HABIT_ENDLESS_OUTPUT), SIGABRT);
    assert_int_equal(signal_of(HABIT_ENDLESS_TICK), SIGABRT);
    assert_int_equal(signal_of(HABIT_ANSWERS_ALL), SIGABRT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_segment_arrives_as_it_left_after_the_delay),
        cmocka_unit_test(the_clock_reaches_until_and_stands_still_when_nothing_is_left),
        cmocka_unit_test(stop_is_asked_after_each_step),
        cmocka_unit_test(a_quick_user_acts_before_the_engine_answers),
        cmocka_unit_test(the_same_seed_gives_the_same_run),
        cmocka_unit_test(chances_are_kept_and_every_segment_is_accounted_for),
        cmocka_unit_test(every_flipped_bit_is_found_by_the_checksum),
        cmocka_unit_test(jitter_alone_keeps_the_order),
        cmocka_unit_test(a_reordered_segment_is_overtaken),
        cmocka_unit_test(the_filter_loses_the_very_one_it_names),
        cmocka_unit_test(a_duplicate_arrives_with_the_number_of_its_original),
        cmocka_unit_test(bandwidth_spaces_what_is_sent_at_once),
        cmocka_unit_test(a_full_queue_drops_the_newcomer_and_an_idle_line_takes_any),
        cmocka_unit_test(rfc1191_too_big_is_lost_and_its_sender_told),
        cmocka_unit_test(rfc8201_too_big_is_lost_and_its_sender_told),
        cmocka_unit_test(rfc2923_a_black_hole_tells_nobody),
        cmocka_unit_test(rfc3168_only_capable_segments_are_marked),
        cmocka_unit_test(a_cut_loses_what_is_on_the_way_and_what_follows),
        cmocka_unit_test(rfc9293_3_10_7_1_a_closed_end_answers_with_rst_unless_it_is_silent),
        cmocka_unit_test(
            rfc9293_3_10_7_3_what_the_engine_refuses_is_answered_even_by_a_silent_host),
        cmocka_unit_test(rfc9293_3_6_1_a_syn_for_re_use_finds_no_listener_here),
        cmocka_unit_test(flows_that_do_not_fit_are_refused),
        cmocka_unit_test(engines_that_never_leave_an_instant_end_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

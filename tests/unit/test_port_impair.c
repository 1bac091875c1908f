/*
 * Tests the port that impairs what passes it, over a simulated network in virtual time. Each case
 * writes down, in order and with its time in milliseconds, what went onto the wire and what next()
 * gave, and compares that with what it has to be:
 *
 *     10 wire . 1:12 w500      our segment left: flags, relative number, bytes, window
 *     10 out . 1:12 w500       it was captured
 *     10 in . 1:12 w500 {...}  one of the peer's; what was done to it, as impaired.h has it
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "lib/run/port_impair.h"
#include "lib/sim/prng.h"
#include "tests/unit/network.h"

#define ISN 1000

static struct port *sim, *port;
static struct port_ops refusing; /* those of `sim`, some of them replaced */
static struct impair *rules;
static struct flow flow;
static char log_text[1 << 20];
static size_t log_len;
static unsigned refusals, failures;

static const uint8_t data[2000] = "some bytes";

/* Writes a segment down, after the time and its kind if it has one. */
static void note(const char *kind, const struct seg *s)
{
    char flags[SEG_FLAGS_TEXT];
    const unsigned ms = (unsigned)((port_now(sim) - PORT_SIM_BEGINS) / WAVE_MS);

    if (kind)
        log_len +=
            (size_t)snprintf(log_text + log_len, sizeof log_text - log_len, "%u %s ", ms, kind);
    log_len +=
        (size_t)snprintf(log_text + log_len, sizeof log_text - log_len, "%s %d:%u w%u",
                         seg_flags_text(s->flags, flags), (int)(s->seq.v - ISN), s->len, s->wnd);
}

static void put(const char *text)
{
    log_len += (size_t)snprintf(log_text + log_len, sizeof log_text - log_len, "%s", text);
}

static bool on_wire(void *ctx, wave_time at, bool outgoing, uint64_t number, const struct flow *f,
                    const struct seg *s)
{
    (void)ctx;
    (void)at;
    (void)number;
    (void)f;
    if (outgoing) {
        note("wire", s);
        put("\n");
    }
    return true; /* the far end is not needed */
}

/* Writes down what next() gave. */
static void note_packet(const struct wire_packet *p)
{
    const struct impaired *i = p->impaired;

    note(p->outgoing ? "out" : "in", &p->packet.seg);
    if (i) {
        put(" {");
        put(i->on_wire ? "" : "no wire, ");
        put(i->shown ? "shown, " : "");
        put(i->taken ? "taken, " : "");
        put(i->copy ? "copy, " : "");
        put(i->what);
        put(": ");
        note(NULL, &i->engine);
        put("}");
        assert_non_null(i->words);
        assert_in_range(i->rule, 1, 3);
        assert_int_not_equal(i->acts, 0);
    }
    put("\n");
}

/* Opens the port with up to three rules. */
static void begin_as(bool quiet, bool inbound_only, const char *a, const char *b, const char *c)
{
    struct port_sim_config config = network_with(HOST_SILENT);
    const char *words[] = {a, b, c};
    struct impair_rule r[3];
    struct diag d = {""};
    unsigned n = 0;

    config.inbound_only = inbound_only;
    for (; n < 3 && words[n]; n++)
        if (impair_rule_parse(words[n], &r[n], &d) != 0)
            fail_msg("'%s' %s", words[n], d.text);
    assert_int_equal(impair_open(&rules, r, n, 1), 0);
    assert_int_equal(port_sim_open(&sim, &config, &d), 0);
    port_sim_filter(sim, on_wire, NULL);
    assert_int_equal(port_impair_open(&port, sim, rules, quiet, &d), 0);
    assert_true(port->virtual_time);
    assert_ptr_equal(port->info, sim->info);
    flow = (struct flow){
        .local = {{192, 0, 2, 1}}, .remote = {{192, 0, 2, 80}}, .lport = 40000, .rport = 80};
    log_len = 0;
    log_text[0] = '\0';
    refusals = failures = 0;
}

static void begin(const char *a, const char *b, const char *c)
{
    begin_as(false, false, a, b, c);
}

static int teardown(void **state)
{
    (void)state;
    port_close(port);
    port = NULL;
    impair_close(rules);
    rules = NULL;
    return 0;
}

static struct seg seg(unsigned flags, uint32_t rel, uint32_t len)
{
    return (struct seg){.seq = seq_of(ISN + rel),
                        .ack = seq_of(flags & SEG_ACK ? ISN + 1 : 0),
                        .flags = (uint16_t)flags,
                        .wnd = 500,
                        .len = len,
                        .data = len ? data : NULL};
}

static void send_seg(struct seg s)
{
    struct diag d = {""};

    assert_int_equal(port->ops->send(port, &flow, &s, NULL, &d), 0);
}

/* Our ACK with data at that number, or without. */
static void send_data(uint32_t rel, uint32_t len)
{
    send_seg(seg(SEG_ACK, rel, len));
}

static void deliver(struct seg s)
{
    const struct flow back = flow_reverse(&flow);

    port_sim_deliver(sim, &back, &s, 0);
}

/* Reads what next() gives now. */
static void read_all(void)
{
    struct wire_packet p;
    struct diag d = {""};
    int n;

    while ((n = port->ops->next(port, &p, &d)) > 0)
        note_packet(&p);
    assert_int_equal(n, 0);
}

/* Does what the loop does until `ms` after the beginning. */
static void run(unsigned ms)
{
    const wave_time until = PORT_SIM_BEGINS + ms * WAVE_MS;
    struct wire_unsent unsent;
    struct diag d;

    for (;;) {
        assert_int_equal(port->ops->flush(port, &unsent, &d), 0);
        read_all();
        if (port_now(port) >= until)
            break;
        port->ops->wait(port, until, NULL, 0);
    }
}

static void expect(const char *wanted)
{
    assert_string_equal(log_text, wanted);
}

static void test_nothing_is_done(void **state)
{
    (void)state;
    begin("out:R drop", "in:R drop", NULL);
    send_seg(seg(SEG_SYN, 0, 0));
    deliver(seg(SEG_SYN | SEG_ACK, 0, 0));
    run(5);
    expect("0 wire S 0:0 w500\n0 out S 0:0 w500\n0 in S. 0:0 w500\n");
}

/*
 * Ours
 */

static void test_out_drop(void **state)
{
    (void)state;
    begin("out:#2-3 drop", NULL, NULL);
    for (uint32_t i = 0; i < 4; i++)
        send_data(1 + 10 * i, 10);
    run(5);
    /* What was dropped comes in its place, and before anything is captured that came later. */
    expect("0 wire . 1:10 w500\n0 wire . 31:10 w500\n0 out . 1:10 w500\n"
           "0 out . 11:10 w500 {no wire, shown, dropped: . 11:10 w500}\n"
           "0 out . 21:10 w500 {no wire, shown, dropped: . 21:10 w500}\n"
           "0 out . 31:10 w500\n");
}

static void test_out_drop_alone(void **state)
{
    (void)state;
    begin("out: drop", NULL, NULL);
    run(3);
    send_seg(seg(SEG_SYN, 0, 0));
    run(5);
    expect("3 out S 0:0 w500 {no wire, shown, dropped: S 0:0 w500}\n");
}

static void test_out_drop_waits_for_the_capture_only_so_long(void **state)
{
    (void)state;
    begin_as(false, true, "out:#2 drop", NULL, NULL);
    send_data(1, 10);
    send_data(11, 10);
    run(9);
    expect("0 wire . 1:10 w500\n");
    run(11);
    expect("0 wire . 1:10 w500\n10 out . 11:10 w500 {no wire, shown, dropped: . 11:10 w500}\n");
}

static void test_out_dup(void **state)
{
    (void)state;
    begin("out:#1 dup", NULL, NULL);
    send_data(1, 10);
    send_data(11, 10);
    run(5);
    expect("0 wire . 1:10 w500\n0 wire . 1:10 w500\n0 wire . 11:10 w500\n"
           "0 out . 1:10 w500 {shown, sent twice: . 1:10 w500}\n"
           "0 out . 1:10 w500 {shown, copy, sent twice: . 1:10 w500}\n"
           "0 out . 11:10 w500\n");
}

static void test_out_delay(void **state)
{
    (void)state;
    begin("out:#1-2 delay=20ms", NULL, NULL);
    send_data(1, 10);
    send_data(11, 10);
    run(5);
    send_data(21, 10);
    run(30);
    expect("5 wire . 21:10 w500\n5 out . 21:10 w500\n"
           "20 wire . 1:10 w500\n20 wire . 11:10 w500\n"
           "20 out . 1:10 w500 {shown, delayed by 20.0 ms: . 1:10 w500}\n"
           "20 out . 11:10 w500 {shown, delayed by 20.0 ms: . 11:10 w500}\n");
}

static void test_out_reorder(void **state)
{
    (void)state;
    begin("out:data reorder", NULL, NULL);
    send_data(1, 10);
    send_data(11, 10);
    run(5);
    send_data(21, 10); /* nothing passes it */
    run(200);
    expect("0 wire . 11:10 w500\n0 wire . 1:10 w500\n0 out . 11:10 w500\n"
           "0 out . 1:10 w500 {shown, held back until the next segment has passed: . 1:10 w500}\n"
           "105 wire . 21:10 w500\n"
           "105 out . 21:10 w500 {shown, held back until the next segment has passed: "
           ". 21:10 w500}\n");
}

static void test_out_reorder_waits_for_its_own_flow(void **state)
{
    (void)state;
    begin("out:#1 reorder", NULL, NULL);
    send_data(1, 10);
    flow.lport++;
    send_data(1, 7);
    send_data(8, 7);
    flow.lport--;
    run(5);
    /* The other flow's first waits for its second, and ours for one of its own. */
    expect("0 wire . 8:7 w500\n0 wire . 1:7 w500\n0 out . 8:7 w500\n"
           "0 out . 1:7 w500 {shown, held back until the next segment has passed: . 1:7 w500}\n");
}

static void test_out_corrupt(void **state)
{
    (void)state;
    begin("out:#1 corrupt", NULL, NULL);
    send_data(1, 10);
    run(5);
    expect("0 wire . 1:10 w500\n0 out . 1:10 w500 "
           "{shown, one bit changed, so that its checksum is wrong: . 1:10 w500}\n");
}

static void test_out_rewrite(void **state)
{
    (void)state;
    begin("out:data win=7", "out:data truncate=4", "out:F seq+=-1");
    send_data(1, 10);
    send_seg(seg(SEG_FIN | SEG_ACK, 11, 0));
    run(5);
    expect("0 wire . 1:4 w7\n0 wire F. 10:0 w500\n"
           "0 out . 1:4 w7 {shown, sent with window 7 instead of 500, cut to 4 of 10 bytes: "
           ". 1:10 w500}\n"
           "0 out F. 10:0 w500 {shown, sent with the sequence number 1 lower: F. 11:0 w500}\n");
}

static void test_out_rst(void **state)
{
    (void)state;
    begin("out:#2 rst", NULL, NULL);
    send_data(1, 10);
    send_data(11, 10);
    run(5);
    expect("0 wire . 1:10 w500\n0 out . 1:10 w500\n"
           "0 out . 11:10 w500 {no wire, shown, dropped and answered with RST: . 11:10 w500}\n"
           "0 in R 1:0 w0 {no wire, shown, taken, a RST that this rule made for our own TCP: "
           "R 1:0 w0}\n");
}

static wave_time seen_ttl(void)
{
    struct wire_packet p;
    struct diag d;

    assert_int_equal(port->ops->next(port, &p, &d), 1);
    return p.packet.ttl;
}

static void test_out_ttl(void **state)
{
    struct seg s = seg(SEG_ACK, 1, 0);
    const struct wire_ip ip = {.ttl = 99};

    (void)state;
    begin("out:#2 ttl=3", "out:#3 drop", NULL);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(port->ops->send(port, &flow, &s, &ip, NULL), 0);
    assert_int_equal(seen_ttl(), 99);
    assert_int_equal(seen_ttl(), 3);
    assert_int_equal(seen_ttl(), 99);
}

/*
 * Theirs
 */

static void test_in_drop(void **state)
{
    (void)state;
    begin("in:#1 drop", NULL, NULL);
    deliver(seg(SEG_ACK, 1, 10));
    deliver(seg(SEG_ACK, 11, 10));
    run(5);
    expect("0 in . 1:10 w500 {shown, dropped: . 1:10 w500}\n0 in . 11:10 w500\n");
}

static void test_in_dup(void **state)
{
    (void)state;
    begin("in:#1 dup", NULL, NULL);
    deliver(seg(SEG_ACK, 1, 10));
    deliver(seg(SEG_ACK, 11, 10));
    run(5);
    expect("0 in . 1:10 w500 {shown, taken, taken in twice: . 1:10 w500}\n"
           "0 in . 1:10 w500 {taken, taken in twice: . 1:10 w500}\n"
           "0 in . 11:10 w500\n");
}

static void test_in_delay(void **state)
{
    (void)state;
    begin("in:#1 delay=20ms", "in:#1 dup", NULL);
    deliver(seg(SEG_ACK, 1, 10));
    run(5);
    deliver(seg(SEG_ACK, 11, 10));
    run(30);
    expect("0 in . 1:10 w500 {shown, delayed by 20.0 ms, taken in twice: . 1:10 w500}\n"
           "5 in . 11:10 w500\n"
           "20 in . 1:10 w500 {taken, delayed by 20.0 ms, taken in twice: . 1:10 w500}\n"
           "20 in . 1:10 w500 {taken, delayed by 20.0 ms, taken in twice: . 1:10 w500}\n");
}

static void test_in_reorder(void **state)
{
    (void)state;
    begin("in:data reorder", NULL, NULL);
    deliver(seg(SEG_ACK, 1, 10));
    deliver(seg(SEG_ACK, 11, 10));
    run(5);
    deliver(seg(SEG_ACK, 21, 10));
    run(200);
    expect("0 in . 1:10 w500 {shown, held back until the next segment has passed: . 1:10 w500}\n"
           "0 in . 11:10 w500\n"
           "0 in . 1:10 w500 {taken, held back until the next segment has passed: . 1:10 w500}\n"
           "5 in . 21:10 w500 {shown, held back until the next segment has passed: . 21:10 w500}\n"
           "105 in . 21:10 w500 {taken, held back until the next segment has passed: "
           ". 21:10 w500}\n");
}

static void test_in_corrupt(void **state)
{
    (void)state;
    begin("in:#1 corrupt", NULL, NULL);
    deliver(seg(SEG_ACK, 1, 10));
    run(5);
    expect("0 in . 1:10 w500 {shown, one bit changed, so that its checksum is wrong: "
           ". 1:10 w500}\n");
}

static void test_in_rewrite(void **state)
{
    (void)state;
    begin("in:data win=0", "in:data truncate=4", NULL);
    deliver(seg(SEG_ACK, 1, 10));
    run(5);
    expect("0 in . 1:10 w500 {shown, taken, taken in with window 0 instead of 500, "
           "cut to 4 of 10 bytes: . 1:4 w0}\n");
}

static void test_in_rst(void **state)
{
    (void)state;
    begin("in:data#1 rst", NULL, NULL);
    deliver(seg(SEG_ACK, 1, 10));
    run(5);
    expect("0 wire R 1:0 w0\n"
           "0 in . 1:10 w500 {shown, dropped and answered with RST: . 1:10 w500}\n"
           "0 out R 1:0 w0 {shown, a RST that this rule made for the peer: R 1:0 w0}\n");
}

/* What the engine takes in, in its own memory: after a delay the packet is long gone. */
static void test_in_data(void **state)
{
    struct wire_packet p;
    struct diag d;
    unsigned differ = 0;

    (void)state;
    begin("in: delay=1ms", "in:data corrupt=data", NULL);
    deliver(seg(SEG_ACK, 1, 2000 - 540));
    assert_int_equal(port->ops->next(port, &p, &d), 1);
    assert_true(p.impaired->shown && !p.impaired->taken);
    assert_memory_equal(p.packet.seg.data, data, p.packet.seg.len);
    assert_int_equal(port->ops->next(port, &p, &d), 0);
    deliver(seg(SEG_ACK, 5000, 1000));
    assert_int_equal(port->ops->next(port, &p, &d), 1);
    assert_true(port->ops->wait(port, WAVE_NEVER, NULL, 0));
    assert_int_equal(port->ops->next(port, &p, &d), 1);
    assert_true(!p.impaired->shown && p.impaired->taken);
    assert_memory_equal(p.packet.seg.data, data, p.packet.seg.len);
    assert_int_equal(p.impaired->engine.len, 1460);
    for (unsigned i = 0; i < 1460; i++)
        differ += p.impaired->engine.data[i] != data[i];
    assert_int_equal(differ, 1);
}

/*
 * Time, room, and what is not shown
 */

static void test_wait_ends_when_something_is_due(void **state)
{
    (void)state;
    begin("in: delay=20ms", "out: delay=30ms", NULL);
    deliver(seg(SEG_ACK, 1, 0));
    read_all();
    send_data(1, 10);
    assert_true(port->ops->wait(port, WAVE_NEVER, NULL, 0));
    assert_int_equal(port_now(port), PORT_SIM_BEGINS + 20 * WAVE_MS);
    read_all();
    assert_false(port->ops->wait(port, PORT_SIM_BEGINS + 29 * WAVE_MS, NULL, 0));
    assert_int_equal(port_now(port), PORT_SIM_BEGINS + 29 * WAVE_MS);
    assert_true(port->ops->wait(port, WAVE_NEVER, NULL, 0));
    assert_int_equal(port_now(port), PORT_SIM_BEGINS + 30 * WAVE_MS);
}

static const struct port_ops *behind_ops;

static int refusing_send(struct port *p, const struct flow *f, const struct seg *s,
                         const struct wire_ip *ip, struct diag *d)
{
    if (refusals) {
        refusals--;
        return WAVE_EAGAIN;
    }
    if (failures) {
        failures--;
        return WAVE_ETRUNC;
    }
    return behind_ops->send(p, f, s, ip, d);
}

/* Loses the first packet that is captured. */
static int losing_next(struct port *p, struct wire_packet *out, struct diag *d)
{
    static bool lost;
    int n = behind_ops->next(p, out, d);

    if (n > 0 && !lost) {
        lost = true;
        n = behind_ops->next(p, out, d);
    }
    return n;
}

/* From now on the port behind refuses. */
static void refuse_from_now(void)
{
    behind_ops = sim->ops;
    refusing = *sim->ops;
    refusing.send = refusing_send;
    sim->ops = &refusing;
}

/* A rule is applied once to a segment, though there is no room for it; and the order stays. */
static void test_no_room(void **state)
{
    struct impair_count count[IMPAIR_RULES];
    struct wire_unsent unsent;
    struct diag d;

    (void)state;
    begin("out:#1 win=7", NULL, NULL);
    refuse_from_now();
    refusals = 1;
    for (uint32_t i = 0; i < 3; i++)
        send_data(1 + 10 * i, 10);
    expect("");
    refusals = 1;
    assert_int_equal(port->ops->flush(port, &unsent, &d), WAVE_EAGAIN);
    /* The loop knows when to try once more. */
    assert_false(port->ops->wait(port, PORT_SIM_BEGINS + WAVE_MS, NULL, 0));
    assert_int_equal(port->ops->flush(port, &unsent, &d), 0);
    read_all();
    expect("1 wire . 1:10 w7\n1 wire . 11:10 w500\n1 wire . 21:10 w500\n"
           "1 out . 1:10 w7 {shown, sent with window 7 instead of 500: . 1:10 w500}\n"
           "1 out . 11:10 w500\n1 out . 21:10 w500\n");
    impair_counts(rules, count);
    assert_int_equal(count[0].seen, 3);
}

/* What was dropped keeps its place though the capture has lost what was sent before it. */
static void test_a_loss_of_the_capture(void **state)
{
    (void)state;
    begin("out:#2 drop", "out:#3 win=7", NULL);
    refuse_from_now();
    refusing.next = losing_next;
    for (uint32_t i = 0; i < 4; i++)
        send_data(1 + 10 * i, 10);
    run(0);
    expect("0 wire . 1:10 w500\n0 wire . 21:10 w500\n0 wire . 31:10 w7\n"
           "0 out . 11:10 w500 {no wire, shown, dropped: . 11:10 w500}\n"
           "0 out . 21:10 w500\n"
           "0 out . 31:10 w7 {shown, sent with window 7 instead of 500: . 31:10 w500}\n");
}

static void test_a_failure_is_reported_by_flush(void **state)
{
    struct wire_unsent unsent = {.seq = {0}};
    struct diag d;

    (void)state;
    begin("out:#1-2 delay=1ms", NULL, NULL);
    refuse_from_now();
    send_data(1, 10);
    send_data(11, 10);
    port->ops->wait(port, PORT_SIM_BEGINS + WAVE_MS, NULL, 0);
    failures = 1;
    assert_int_equal(port->ops->flush(port, &unsent, &d), WAVE_ETRUNC);
    assert_int_equal(unsent.seq.v, ISN + 1);
    assert_true(flow_eq(&unsent.flow, &flow));
    assert_int_equal(port->ops->flush(port, &unsent, &d), 0);
    expect("1 wire . 11:10 w500\n");
    failures = 1;
    struct seg s = seg(SEG_ACK, 21, 0);
    assert_int_equal(port->ops->send(port, &flow, &s, NULL, &d), WAVE_ETRUNC);
}

static void test_quiet(void **state)
{
    (void)state;
    begin_as(true, true, "out:#1 drop", "out:#2 rst", "in:#1 drop");
    for (uint32_t i = 0; i < 3; i++)
        send_data(1 + 10 * i, 10);
    deliver(seg(SEG_ACK, 1, 0));
    run(50);
    /* The second rule does not see what the first one drops. */
    expect("0 wire . 11:10 w500\n"
           "0 in R 1:0 w0 {no wire, shown, taken, a RST that this rule made for our own TCP: "
           "R 1:0 w0}\n"
           "0 in . 1:0 w500 {shown, dropped: . 1:0 w500}\n");
}

static void test_what_others_send_is_passed(void **state)
{
    struct seg s = seg(SEG_RST, 77, 0);

    (void)state;
    begin("out:R drop", NULL, NULL);
    /* A RST of the kernel's is captured, and was never sent over this port. */
    assert_int_equal(sim->ops->send(sim, &flow, &s, NULL, NULL), 0);
    struct icmp e = {.type = 3, .code = 3, .flow = flow, .meaning = ICMP_HARD};
    port_sim_icmp(sim, &e);
    struct wire_packet p;
    struct diag d;
    assert_int_equal(port->ops->next(port, &p, &d), 1);
    assert_true(p.outgoing && !p.impaired);
    assert_int_equal(port->ops->next(port, &p, &d), 1);
    assert_int_equal(p.packet.kind, PACKET_ICMP);
    assert_null(p.impaired);
    assert_int_equal(port->ops->next(port, &p, &d), 0);
}

/* Many segments in both directions, by chance; the transcript is in log_text. */
static void random_run(void)
{
    struct prng r = {42};

    begin("out:p=30% delay=7ms", "in:p=30% reorder", "out:p=20% drop");
    for (unsigned i = 1; i < 500; i++) {
        if (prng_below(&r, 2))
            send_data(1 + 10 * i, 10);
        else
            deliver(seg(SEG_ACK, 1 + 10 * i, 10));
        if (!prng_below(&r, 4))
            run(i);
    }
    run(2000);
}

static void test_same_seed_same_run(void **state)
{
    static char first[sizeof log_text];

    random_run();
    memcpy(first, log_text, log_len + 1);
    teardown(state);
    random_run();
    assert_in_range(log_len, 10000, sizeof log_text - 1);
    assert_string_equal(log_text, first);
}

#define CASE(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {CASE(test_nothing_is_done),
                                       CASE(test_out_drop),
                                       CASE(test_out_drop_alone),
                                       CASE(test_out_drop_waits_for_the_capture_only_so_long),
                                       CASE(test_out_dup),
                                       CASE(test_out_delay),
                                       CASE(test_out_reorder),
                                       CASE(test_out_reorder_waits_for_its_own_flow),
                                       CASE(test_out_corrupt),
                                       CASE(test_out_rewrite),
                                       CASE(test_out_rst),
                                       CASE(test_out_ttl),
                                       CASE(test_in_drop),
                                       CASE(test_in_dup),
                                       CASE(test_in_delay),
                                       CASE(test_in_reorder),
                                       CASE(test_in_corrupt),
                                       CASE(test_in_rewrite),
                                       CASE(test_in_rst),
                                       CASE(test_in_data),
                                       CASE(test_wait_ends_when_something_is_due),
                                       CASE(test_no_room),
                                       CASE(test_a_loss_of_the_capture),
                                       CASE(test_a_failure_is_reported_by_flush),
                                       CASE(test_quiet),
                                       CASE(test_what_others_send_is_passed),
                                       CASE(test_same_seed_same_run)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}

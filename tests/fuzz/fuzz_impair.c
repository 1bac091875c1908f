/*
 * Rules of --impair as text, and segments through them. A rule that is parsed is printed and parsed
 * as the same rule; one that is not says where it is wrong. Through the port, over a simulated
 * network, go segments of both directions: each of the peer's is shown once when it arrives, what
 * the engine takes in is whole, and what is held back comes out within its time. The same input
 * gives the same packets, twice.
 *
 * The input is up to four rules, each ended by a NUL or line end, and an empty one that ends them;
 * the rest is segments.
 */
#include "lib/run/port_impair.h"
#include "lib/run/port_sim.h"
#include "tests/fuzz/fuzz.h"

#define RULES 4
#define TEXT 300
#define STEPS 64

struct impair_run {
    struct port *sim, *port;
    uint64_t sum;               /* over everything that was given */
    unsigned delivered, shown;  /* segments of the peer's */
    unsigned on_wire, captured; /* segments of ours */
};

static void put_sum(struct impair_run *r, uint64_t n)
{
    r->sum = (r->sum ^ n) * 0x9e3779b97f4a7c15u;
    r->sum ^= r->sum >> 29;
}

static bool same(const struct impair_rule *a, const struct impair_rule *b)
{
    return a->direction == b->direction && a->match == b->match && a->flags == b->flags &&
           a->first == b->first && a->last == b->last && a->every == b->every &&
           a->chance == b->chance && a->after == b->after && a->before == b->before &&
           a->byte_first == b->byte_first && a->byte_last == b->byte_last &&
           a->action == b->action && a->number == b->number && a->delay == b->delay &&
           a->set == b->set && a->options == b->options;
}

/* Parses a text. Returns whether it is a rule. */
static bool rule(const char *text, struct impair_rule *out)
{
    char printed[IMPAIR_RULE_TEXT], twice[IMPAIR_RULE_TEXT];
    struct impair_rule again;
    struct diag d = {""};

    if (impair_rule_parse(text, out, &d) != 0) {
        require(strstr(d.text, "character ") && strlen(d.text) < sizeof d.text);
        return false;
    }
    impair_rule_print(out, printed);
    require(strlen(printed) < sizeof printed - 1);
    require(impair_rule_parse(printed, &again, &d) == 0);
    require(same(out, &again));
    require(strcmp(impair_rule_print(&again, twice), printed) == 0);
    return true;
}

/* Reads the rules. `text` keeps their words. Returns how many there are. */
static unsigned read_rules(struct cursor *in, char text[RULES][TEXT], struct impair_rule *out)
{
    unsigned n = 0;

    for (unsigned i = 0; i < RULES && in->left > 0; i++) {
        size_t len = 0;
        uint8_t c;

        while (in->left > 0 && (c = cursor_u8(in)) != 0 && c != '\n')
            if (len < TEXT - 1)
                text[n][len++] = (char)c;
        text[n][len] = '\0';
        if (!len)
            break;
        n += rule(text[n], &out[n]);
    }
    return n;
}

static bool count_wire(void *ctx, wave_time at, bool outgoing, uint64_t number,
                       const struct flow *flow, const struct seg *s)
{
    struct impair_run *r = ctx;

    (void)at;
    (void)number;
    (void)flow;
    (void)s;
    r->on_wire += outgoing;
    return true;
}

/* Sums up what next() gives. */
static void take(struct impair_run *r, const struct wire_packet *p)
{
    const struct impaired *i = p->impaired;
    const struct seg *s = i ? &i->engine : &p->packet.seg;

    require(p->packet.kind == PACKET_TCP);
    put_sum(r, p->stamp);
    put_sum(r, p->packet.seg.seq.v + ((uint64_t)p->packet.seg.len << 32));
    put_sum(r, s->seq.v + ((uint64_t)s->flags << 32));
    if (!p->outgoing)
        for (uint32_t n = 0; n < s->len; n++)
            put_sum(r, s->data[n]);
    if (i) {
        require(i->acts && i->rule && i->words && i->what[0] && memchr(i->what, 0, IMPAIRED_TEXT));
        require(i->shown || i->taken);
        require(!p->outgoing || !i->taken);
        put_sum(r, i->acts);
    }
    if (p->outgoing)
        r->captured += !i || i->on_wire;
    else if (!i || (i->shown && i->on_wire))
        r->shown++;
}

static void read_all(struct impair_run *r)
{
    struct wire_packet p;
    struct diag d;
    int n;

    while ((n = r->port->ops->next(r->port, &p, &d)) > 0)
        take(r, &p);
    require(n == 0);
}

/* Lets the time pass as the loop does. */
static void pass(struct impair_run *r, wave_time until)
{
    struct wire_unsent unsent;
    struct diag d;

    for (;;) {
        require(r->port->ops->flush(r->port, &unsent, &d) == 0);
        read_all(r);
        if (port_now(r->port) >= until)
            return;
        r->port->ops->wait(r->port, until, NULL, 0);
    }
}

/* One segment of either side. */
static void segment(struct impair_run *r, struct cursor *in)
{
    static const uint16_t usual[] = {
        SEG_SYN, SEG_SYN | SEG_ACK, SEG_ACK,           SEG_ACK | SEG_PSH,
        SEG_RST, SEG_RST | SEG_ACK, SEG_FIN | SEG_ACK, 0};
    const uint8_t what = cursor_u8(in), shape = cursor_u8(in);
    struct flow flow = {.local = {{192, 0, 2, 1}},
                        .remote = {{192, 0, 2, 80}},
                        .lport = (uint16_t)(40000 + (what >> 4 & 3)),
                        .rport = 80};
    uint8_t options[OPT_BYTES_MAX];
    struct seg s = {.seq = fuzz_near(in, seq_of(1000)),
                    .ack = fuzz_near(in, seq_of(2000)),
                    .flags = shape & 0x80 ? cursor_u16(in) & 0x1ff : usual[what >> 1 & 7],
                    .wnd = cursor_u16(in)};

    if (shape & 1)
        s.len = 1 + cursor_u16(in) % 3000;
    s.data = s.len ? pattern_at(s.seq.v) : NULL;
    if (shape & 2)
        fuzz_options(in, options, &s.opt);
    s.opt.raw = NULL; /* of ours, the engine knows none */
    if (what & 1) {
        require(r->port->ops->send(r->port, &flow, &s, NULL, NULL) == 0);
    } else {
        flow = flow_reverse(&flow);
        port_sim_deliver(r->sim, &flow, &s, 0);
        r->delivered++;
    }
}

/* Runs the segments through the rules. Returns the sum over what was given. */
static uint64_t run(const struct impair_rule *rules, unsigned count, struct cursor in)
{
    const struct port_sim_config config = {
        .host = {.behaviour = HOST_SILENT, .addr = {{192, 0, 2, 80}}, .port = 80},
        .local = {{192, 0, 2, 1}},
        .lport = 40000};
    struct impair_run r = {.sum = 1};
    struct impair_count counts[IMPAIR_RULES];
    struct impair *x;
    const bool quiet = cursor_u8(&in) & 1;
    wave_time longest = IMPAIR_HELD + PORT_IMPAIR_PATIENCE;

    require(impair_open(&x, rules, count, 7) == 0);
    require(port_sim_open(&r.sim, &config, NULL) == 0);
    port_sim_filter(r.sim, count_wire, &r);
    require(port_impair_open(&r.port, r.sim, x, quiet, NULL) == 0);
    for (unsigned i = 0; i < STEPS && in.left > 0; i++) {
        segment(&r, &in);
        if (cursor_u8(&in) & 1)
            pass(&r, port_now(r.port) + cursor_u8(&in) * WAVE_MS);
    }
    for (unsigned i = 0; i < count; i++)
        longest += rules[i].delay;
    pass(&r, port_now(r.port) + longest);
    require(r.shown == r.delivered);
    require(r.captured == r.on_wire);
    require(!r.port->ops->wait(r.port, port_now(r.port) + WAVE_H, NULL, 0));
    require(impair_counts(x, counts) == count);
    for (unsigned i = 0; i < count; i++)
        require(counts[i].matched <= counts[i].seen);
    port_close(r.port);
    impair_close(x);
    return r.sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct cursor in = cursor_of(bytes, size);
    struct impair_rule rules[RULES];
    char text[RULES][TEXT];
    unsigned n;

    pattern_fill();
    n = read_rules(&in, text, rules);
    require(run(rules, n, in) == run(rules, n, in));
    return 0;
}

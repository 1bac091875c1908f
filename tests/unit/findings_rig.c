#include "tests/unit/findings_rig.h"

#include "cmd/how_to.h"

static const struct flow flow_v6 = {.local = {{0x20, 1, 0xd, 0xb8, [15] = 1}},
                                    .remote = {{0x20, 1, 0xd, 0xb8, [15] = 2}},
                                    .lport = 40000,
                                    .rport = 80,
                                    .v6 = true};

struct script script;
struct findings found;
struct facts facts;
bool over_v6;

/* Both sides' clocks count milliseconds; the peer's is at 9 when it sends its SYN-ACK. */
static struct opt stamps(bool out)
{
    const uint32_t ms = (uint32_t)((script.at - ORIGIN) / WAVE_MS);

    return (struct opt){
        .has = OPT_TIMESTAMP, .tsval = (out ? 5 : 9) + ms, .tsecr = out ? 9 + ms : 5};
}

void start(void)
{
    static struct flow v4;

    v4 = script_v4;
    script_start(&script, over_v6 ? &flow_v6 : &v4);
    memset(&facts, 0, sizeof facts);
    facts.how_to = &command_words;
}

/* A segment of ours, and of the peer's, in ESTABLISHED, with timestamps. */
struct step ours(unsigned flags, uint32_t seq, uint32_t ack, uint32_t len)
{
    return (struct step){.out = true,
                         .flags = flags,
                         .seq = seq,
                         .ack = ack,
                         .len = len,
                         .wnd = 502,
                         .local = STATE_ESTABLISHED,
                         .opt = stamps(true)};
}

struct step theirs(unsigned flags, uint32_t seq, uint32_t ack, uint32_t len)
{
    return (struct step){.flags = flags,
                         .seq = seq,
                         .ack = ack,
                         .len = len,
                         .wnd = 509,
                         .local = STATE_ESTABLISHED,
                         .opt = stamps(false)};
}

void say(struct step s)
{
    script_say(&script, &s);
}

void elapse(wave_time t)
{
    script.at += t;
}

void say_ours(unsigned flags, uint32_t seq, uint32_t ack, uint32_t len)
{
    say(ours(flags, seq, ack, len));
}

void say_theirs(unsigned flags, uint32_t seq, uint32_t ack, uint32_t len)
{
    say(theirs(flags, seq, ack, len));
}

static struct opt theirs_in_syn(void)
{
    struct opt o = script_syn;

    o.tsval = 9;
    o.tsecr = 5;
    return o;
}

void say_syn(void)
{
    script_moved(&script, STATE_CLOSED, STATE_SYN_SENT, 0);
    say((struct step){
        .out = true, .flags = SEG_SYN, .wnd = 64240, .local = STATE_SYN_SENT, .opt = script_syn});
    elapse(20 * WAVE_MS);
}

struct step syn_ack(void)
{
    return (struct step){.flags = SEG_SYN | SEG_ACK,
                         .ack = 1,
                         .wnd = 65160,
                         .local = STATE_ESTABLISHED,
                         .opt = theirs_in_syn()};
}

/* Segments 1 to 3; the round trip is 20 ms. */
void shake(void)
{
    start();
    say_syn();
    say(syn_ack());
    say_ours(SEG_ACK, 1, 1, 0);
}

/* A SACK option beside the timestamps; numbers relative to our ISN. */
struct step with_sack(struct step s, uint32_t first, uint32_t end)
{
    const uint32_t isn = s.out ? THEIR_ISN : OUR_ISN;

    s.opt.has |= OPT_SACK;
    s.opt.sacks = 1;
    s.opt.sack[0] = (struct sack_block){seq_of(isn + first), seq_of(isn + end)};
    return s;
}

/* What is found now, with the run over or not. */
void look(bool over, enum verdict verdict)
{
    facts.flow = &script.flow;
    facts.now = script.at;
    facts.over = over;
    facts.verdict = verdict;
    memset(&found, 0, sizeof found);
    diagnose(&facts, &found);
}

const struct finding *get(const char *code)
{
    for (unsigned i = 0; i < found.count; i++)
        if (strcmp(found.at[i].code, code) == 0)
            return &found.at[i];
    return NULL;
}

const struct finding *must(const char *code)
{
    const struct finding *f = get(code);

    if (!f) {
        print_error("%s was not found%s\n", code, over_v6 ? " over IPv6" : "");
        for (unsigned i = 0; i < found.count; i++)
            print_error("but: %s\n", found.at[i].code);
        fail();
    }
    return f;
}

/* The run is over: the finding is there, that sure and severe, shown by these segments (0 ends
 * them). */
const struct finding *expect(const char *code, enum verdict verdict,
                             enum finding_certainty certainty, enum finding_severity severity,
                             const unsigned *evidence)
{
    const struct finding *f;

    look(true, verdict);
    f = must(code);
    if (f->certainty != certainty || f->severity != severity)
        print_error("%s is %s, %s\n", code, finding_certainty_name(f->certainty),
                    finding_severity_name(f->severity));
    assert_int_equal(f->certainty, certainty);
    assert_int_equal(f->severity, severity);
    for (unsigned i = 0; i < f->evidences; i++)
        assert_int_equal(f->evidence[i], evidence[i]);
    assert_int_equal(evidence[f->evidences], 0);
    assert_true(f->message[0] != '\0' && f->advice[0] != '\0');
    assert_int_equal(f->message[strlen(f->message) - 1] == '.', false);
    return f;
}

void says(const struct finding *f, const char *message)
{
    assert_string_equal(f->message, message);
}

/* Nothing of the kind, neither on the way nor at the end of a run with that verdict. */
void expect_silence(const char *code, enum verdict verdict)
{
    for (int over = 0; over < 2; over++) {
        look(over, over ? verdict : VERDICT_OPEN);
        if (get(code)) {
            print_error("%s%s: %s\n", code, over_v6 ? " over IPv6" : "", get(code)->message);
            fail();
        }
    }
}

/* Nothing at all that is worth a warning. */
void expect_peace(enum verdict verdict)
{
    for (int over = 0; over < 2; over++) {
        look(over, verdict);
        for (unsigned i = 0; i < found.count; i++)
            if (found.at[i].severity > FINDING_INFO) {
                print_error("%s: %s\n", found.at[i].code, found.at[i].message);
                fail();
            }
    }
}

void done(void)
{
    script_finish(&script);
}

/* Each case, over both families. */
void families(void (*run)(void))
{
    for (int i = 0; i < 2; i++) {
        over_v6 = i;
        run();
    }
}

void fin_of_theirs(uint32_t seq, uint32_t ack, uint32_t len)
{
    struct step s = theirs(SEG_FIN | SEG_ACK, seq, ack, len);

    s.local = STATE_CLOSE_WAIT;
    say(s);
}

void rst_of_theirs(uint32_t seq, uint8_t ttl)
{
    struct step s = {.flags = SEG_RST, .seq = seq, .ttl = ttl, .local = STATE_CLOSED};

    say(s);
}

/* Defines the options of idle: their rows, defaults and checks. */
#include "cmd/idle.h"

#include <string.h>

#define PARALLEL 12     /* by default, for a search */
#define PARALLEL_TEST 3 /* where all of them try the same */
#define PORTS_MORE 16
#define GIVE_UP (15 * WAVE_S)
#define SHORTEST (100 * WAVE_MS)

#define FIELD(name) offsetof(struct idle_options, name)

/* Parses a percentage with up to three decimals, with or without its sign. */
static const char *parse_precision(void *group, const char *value)
{
    struct idle_options *o = group;
    uint32_t n = 0, unit = IDLE_PERCENT;
    const char *at = value;

    for (; *at >= '0' && *at <= '9' && n <= 100 * IDLE_PERCENT; at++)
        n = 10 * n + IDLE_PERCENT * (uint32_t)(*at - '0');
    if (at > value && at[0] == '.' && at[1] >= '0' && at[1] <= '9')
        for (at++; *at >= '0' && *at <= '9' && unit > 1; at++)
            n += (unit /= 10) * (uint32_t)(*at - '0');
    if (at == value || strcmp(at + (*at == '%'), "") != 0 || n < 1 || n > 100 * IDLE_PERCENT)
        return "is no percentage from 0.001 to 100, such as 5 or 0.01";
    o->precision = n;
    return NULL;
}

/* clang-format off */
static const struct option_row silence_rows[] = {
    {KIND_DURATION, 0, "from", "DURATION", "shortest silence (default 10s)", FIELD(from), SHORTEST,
     OPTION_YEAR, NULL},
    {KIND_DURATION, 0, "to", "DURATION", "longest silence (default 1h)", FIELD(to), SHORTEST,
     OPTION_YEAR, NULL},
    {KIND_CUSTOM, 0, "precision", "PERCENT", "how narrow the answer is to be (default 5)", 0, 0, 0,
     parse_precision},
    {KIND_NUMBER, 0, "parallel", "N",
     "connections at a time (default 12; 3 with --at-least and --keepalive)",
     FIELD(parallel), 1, IDLE_PARALLEL, NULL},
    {KIND_WORD, 0, "state", IDLE_STATE_WORDS, "in which they are silent (default established)",
     FIELD(state), 0, 0, NULL},
    {KIND_DURATION, 0, "keepalive", "DURATION",
     "does a probe at this interval hold the connection for --to?", FIELD(keepalive), SHORTEST,
     OPTION_YEAR, NULL},
    {KIND_DURATION, 0, "at-least", "DURATION",
     "test: fails unless this silence is survived", FIELD(at_least), SHORTEST, OPTION_YEAR, NULL},
    OPTION_END};

static const struct option_row port_row[] = {
    {KIND_NUMBER, 'p', "source-port", "PORT",
     "first local port, of 2 * --parallel + 16 (default: free ones)", FIELD(source_port), 1, 65535,
     NULL},
    OPTION_END};

static const struct option_row give_up_row[] = {
    {KIND_DURATION, 0, "give-up", "DURATION",
     "nothing is acknowledged for this long: forgotten (default 15s)", FIELD(tcp.give_up), WAVE_MS,
     OPTION_YEAR, NULL},
    OPTION_END};

const struct option_group idle_groups[] = {
    {"Addresses and ports", where_rows, FIELD(where)},
    {NULL, where_source_row, FIELD(where)},
    {NULL, port_row, 0},
    {"Silence", silence_rows, 0},
    {"TCP", tcp_syn_row, FIELD(tcp)},
    {NULL, give_up_row, 0},
    {NULL, tcp_mss_row, FIELD(tcp)},
    {NULL, tcp_rows, FIELD(tcp)},
    {"Impairment", impair_rows, FIELD(impair)},
    {"What is shown", show_table_rows, FIELD(show)},
    {"Simulated network", sim_rows, FIELD(sim)},
    {NULL, NULL, 0}};
/* clang-format on */

void idle_defaults(void *options)
{
    struct idle_options *o = options;

    o->end = END_DEFAULT;
    o->tcp = TCP_DEFAULT;
    o->tcp.give_up = GIVE_UP;
    o->from = 10 * WAVE_S;
    o->to = WAVE_H;
    o->precision = 5 * IDLE_PERCENT;
}

int idle_operands(void *options, char *const *text, unsigned count, struct diag *d)
{
    struct idle_options *o = options;

    return target_single(text, count, false, &o->target, d);
}

/* The connections of two passes have ports of their own, and control connections and inquests some
 * more. */
static const char *check_ports(struct idle_options *o)
{
    o->ports = 2 * o->parallel + PORTS_MORE;
    if (o->source_port && o->source_port + o->ports - 1 > UINT16_MAX)
        return "--source-port is too high: it and the ports behind it are used, twice as many as "
               "--parallel and 16 more";
    return NULL;
}

/* Checks the options about silence together, and fills in those that follow from others. */
static const char *check_silence(struct idle_options *o)
{
    if (o->keepalive && o->at_least)
        return "--keepalive and --at-least ask two questions: give one of them";
    if (o->keepalive && o->keepalive >= o->to)
        return "--keepalive has to be shorter than --to, for which it is tried";
    if (!o->keepalive && !o->at_least && o->from >= o->to)
        return "--from has to be shorter than --to";
    if (o->keepalive && o->state == IDLE_SYN_RECEIVED)
        return "--keepalive has no meaning with --state syn-received: no probe holds that open";
    if (!o->parallel)
        o->parallel = o->keepalive || o->at_least ? PARALLEL_TEST : PARALLEL;
    return check_ports(o);
}

const char *idle_check(void *options)
{
    struct idle_options *o = options;
    const char *wrong = where_check(&o->where, o->target.literal);

    if (!wrong)
        wrong = check_silence(o);
    if (!wrong)
        wrong = sim_check(&o->sim, &o->target, &o->where, &o->show);
    if (!wrong)
        wrong = show_check(&o->show, NULL);
    return wrong ? wrong : tcp_check(&o->tcp);
}

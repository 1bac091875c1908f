/* Defines the options of load: their rows, defaults and checks. Unlike other commands, load takes
 * several targets, and --source several times. */
#include "cmd/load_options.h"

#include "cmd/options_data.h"
#include "lib/core/diag.h"

#define RATE_MAX 10000000

/* Parses --source, which may be given several times. */
static const char *parse_source(void *group, const char *value)
{
    struct load_options *l = group;
    struct where_options *w = &l->where;
    struct addr addr;
    bool v6;

    if (!target_literal(value, &v6, &addr))
        return "is not an IPv4 or IPv6 address";
    if (w->has_source && v6 != w->source.v6)
        return "is of another family than the source before it";
    for (unsigned i = 0; i < l->sources; i++)
        if (addr_eq(&l->source[i], &addr))
            return "is given twice";
    if (l->sources == LOAD_SOURCES)
        return "is one too many: 256 sources are the most";
    if (!w->has_source) {
        w->has_source = true;
        w->source.v6 = v6;
        w->source.addr = addr;
    }
    l->source[l->sources++] = addr;
    return NULL;
}

#define FIELD(name) offsetof(struct load_options, name)

/* clang-format off */
static const struct option_row source_rows[] = {
    {KIND_CUSTOM, 's', "source", "ADDR", "local address; may be given several times",
     0, 0, 0, parse_source},
    {KIND_NUMBER, 'p', "source-port", "PORT",
     "first local port; free ones from there on (default: of the kernel's range)",
     FIELD(source_port), 1, 65535, NULL},
    OPTION_END};

static const struct option_row connection_rows[] = {
    {KIND_NUMBER, 0, "connections", "N", "connections in all (default: until --timeout or Ctrl-C)",
     FIELD(connections), 1, UINT32_MAX, NULL},
    {KIND_NUMBER, 0, "concurrency", "N", "connections at a time (default 100)",
     FIELD(concurrency), 1, 1 << 24, NULL},
    {KIND_NUMBER, 0, "rate", "N", "new connections a second, at most (default: as fast as they "
                                     "are answered)",
     FIELD(rate), 1, RATE_MAX, NULL},
    {KIND_WORD, 0, "rate-limit", "on|off",
     "off allows more than 1,000 new connections a second to public addresses (default on)",
     FIELD(limit), 0, 0, NULL},
    OPTION_END};

const struct option_group load_groups[] = {
    {"Addresses and ports", where_rows, FIELD(where)},
    {NULL, source_rows, 0},
    {"What to send and receive", data_text_row, FIELD(data)},
    {"Connections", connection_rows, 0},
    {"Close", close_rows, FIELD(close)},
    {NULL, end_linger_row, FIELD(end)},
    {"TCP", tcp_syn_row, FIELD(tcp)},
    {NULL, tcp_give_up_row, FIELD(tcp)},
    {NULL, tcp_mss_row, FIELD(tcp)},
    {NULL, tcp_rows, FIELD(tcp)},
    {"Impairment", impair_rows, FIELD(impair)},
    {"What is shown", show_table_rows, FIELD(show)},
    {"Simulated network", sim_rows, FIELD(sim)},
    {NULL, NULL, 0}};
/* clang-format on */

void load_defaults(void *options)
{
    struct load_options *o = options;

    o->concurrency = 100;
    o->end = END_DEFAULT;
    o->tcp = TCP_DEFAULT;
}

int load_operands(void *options, char *const *text, unsigned count, struct diag *d)
{
    struct load_options *o = options;

    if (count > LOAD_TARGETS)
        return diag_fail(d, WAVE_EINVAL, "%u targets are the most", LOAD_TARGETS);
    for (unsigned i = 0; i < count; i++)
        if (target_parse(text[i], false, &o->target[i], d))
            return WAVE_EINVAL;
    o->targets = count;
    return 0;
}

/* Checks --sim. The simulated peer is one host with one port, and the only target of its run. */
static const char *check_sim(struct load_options *o)
{
    for (unsigned i = 1; i < o->targets; i++)
        if (o->target[i].sim || o->target[0].sim)
            return "sim:PORT has to be the only target";
    return sim_check(&o->sim, &o->target[0], &o->where, &o->show);
}

const char *load_check(void *options)
{
    struct load_options *o = options;
    const char *wrong = where_check(&o->where, o->target[0].literal);

    if (!wrong)
        wrong = check_sim(o);
    if (!wrong)
        wrong = show_check(&o->show, NULL);
    return wrong ? wrong : tcp_check(&o->tcp);
}

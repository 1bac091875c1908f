/* Defines the rows of listen's own options, and checks them together. All other rows come from the
 * shared groups (cmd/options_*.h). */
#include "cmd/listen_options.h"

#include <stddef.h>

#include "cmd/options_data.h"

#define FIELD(name) offsetof(struct listen_options, name)

/* clang-format off */
static const struct option_row responder_rows[] = {
    {KIND_FLAG, 0, "echo", NULL, "send back what is received", FIELD(echo), 0, 0, NULL},
    {KIND_FLAG, 0, "discard", NULL, "receive, and send nothing (the default)",
     FIELD(discard), 0, 0, NULL},
    {KIND_TEXT, 0, "serve", "FILE", "send this file to every client",
     FIELD(serve), 0, 0, NULL},
    OPTION_END};

static const struct option_row connection_rows[] = {
    {KIND_NUMBER, 0, "connections", "N", "end after this many connections",
     FIELD(connections), 1, UINT32_MAX, NULL},
    {KIND_FLAG, 0, "served", NULL, "of them only those that sent something count",
     FIELD(served), 0, 0, NULL},
    {KIND_NUMBER, 0, "max", "N", "connections at a time (default 4096)",
     FIELD(max), 1, 1 << 20, NULL},
    {KIND_NUMBER, 0, "half-open", "N", "half-open ones before SYN cookies are sent (default 256)",
     FIELD(half_open), 1, 1 << 20, NULL},
    OPTION_END};

static const struct option_row close_row[] = {
    {KIND_WORD, 0, "close", CLOSE_WORDS,
     "our FIN after our data (the default with --serve and --data); the peer's first (otherwise); "
     "RST; nothing at all",
     FIELD(close.how), 0, 0, NULL},
    OPTION_END};

static const struct option_row keepalive_row[] = {
    {KIND_FLAG, 0, "keepalive", NULL, "probe silent peers; the options below turn it on too",
     FIELD(probe.on), 0, 0, NULL},
    OPTION_END};

const struct option_group listen_groups[] = {
    {"Addresses and ports", where_rows, FIELD(where)},
    {NULL, where_source_row, FIELD(where)},
    {"What to send and receive", data_text_row, FIELD(data)},
    {NULL, data_output_row, FIELD(output)},
    {NULL, responder_rows, 0},
    {"Connections", connection_rows, 0},
    {"Close", close_row, 0},
    {NULL, close_hold_row, FIELD(close)},
    {NULL, end_rows, FIELD(end)},
    {"Keepalive", keepalive_row, 0},
    {NULL, probe_rows, FIELD(probe)},
    {"TCP", tcp_give_up_row, FIELD(tcp)},
    {NULL, tcp_mss_row, FIELD(tcp)},
    {NULL, tcp_window_row, FIELD(tcp)},
    {NULL, tcp_rows, FIELD(tcp)},
    {"Impairment", preset_listen_row, FIELD(preset)},
    {NULL, impair_rows, FIELD(impair)},
    {"What is shown", show_rows, FIELD(show)},
    {"Simulated network", sim_rows, FIELD(sim)},
    {NULL, NULL, 0}};
/* clang-format on */

void listen_defaults(void *options)
{
    struct listen_options *o = options;

    o->half_open = 256;
    o->max = 4096;
    o->close.how = CLOSE_DEFAULT;
    o->end = END_DEFAULT;
    o->tcp = TCP_DEFAULT;
}

int listen_operands(void *options, char *const *text, unsigned count, struct diag *d)
{
    struct listen_options *o = options;

    return target_single(text, count, true, &o->target, d);
}

/* Fills in what the preset sets and the user has not given. */
static const char *fill(struct listen_options *o)
{
    const struct preset *p = o->preset.preset;

    preset_fill(p, &o->close, &o->end, &o->tcp);
    if (p && p->set.sends && !o->echo && !o->discard && !o->serve && !o->data.at)
        o->data = preset_bytes();
    return preset_impair(p, PRESET_LISTEN, &o->impair);
}

bool listen_tell(const void *options, FILE *to)
{
    const struct listen_options *o = options;

    if (o->preset.help)
        preset_list(to, PRESET_LISTEN);
    return o->preset.help;
}

/* Chooses the default of --close. A responder that only reads, or sends back what it receives, has
 * no data of its own whose end could be a reason to close first. */
static void choose_close(struct listen_options *o)
{
    if (o->close.how == CLOSE_DEFAULT)
        o->close.how = o->serve || o->data.at ? CLOSE_ACTIVE : CLOSE_PASSIVE;
}

const char *listen_check(void *options)
{
    struct listen_options *o = options;
    const char *wrong = where_check(&o->where, o->target.literal);

    if (!wrong)
        wrong = sim_check(&o->sim, &o->target, &o->where, &o->show);
    if (wrong)
        return wrong;
    if (o->target.sim && !o->connections) /* the peer opens no more than that */
        o->connections = o->sim.spec.dials;
    if (o->echo + o->discard + (o->serve != NULL) + (o->data.at != NULL) > 1)
        return "--echo, --discard, --serve and --data exclude each other";
    if (o->served && !o->connections)
        return "--served says which connections count: it needs --connections";
    wrong = show_check(&o->show, o->output);
    if (!wrong)
        wrong = tcp_check(&o->tcp);
    if (!wrong && o->output && (o->connections != 1 || o->echo))
        wrong = "--output takes what a single peer sends: it needs --connections 1, and no --echo";
    if (!wrong)
        wrong = fill(o);
    choose_close(o);
    probe_check(&o->probe);
    return wrong;
}

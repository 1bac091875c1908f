/*
 * Runs `tcpwave connect`: handshake, exchange, close. This is what happens in each phase:
 *
 *     established   We give the peer our data, and take what it sends.
 *     all sent      Once our data is acknowledged, we wait for the peer's answer as long as it goes
 *                   on, then for --hold, and then close in the way that was asked for.
 *     half closed   We wait for the peer's FIN, or until the peer has been silent for --linger.
 *     closed        We keep TIME_WAIT if that was asked for. Then comes the verdict.
 *
 * The phases themselves are in lib/run/course.h; here they are only configured. With --no-ack the
 * handshake never completes, and the run waits for the peer to give up.
 */
#include "cmd/connect.h"

#include <stdlib.h>
#include <string.h>

#include "cmd/client.h"
#include "cmd/command.h"
#include "cmd/each_address.h"

#define NO_ACK_FIRST (10 * WAVE_S) /* the shortest silence that ends the wait for SYN-ACKs */
#define NO_ACK_MARGIN (3 * WAVE_S) /* added to twice the last interval between two of them */

/*
 * Waits, with --no-ack, until the peer has given up. The peer retransmits its SYN-ACK at growing
 * intervals, each about twice as long as the one before. When more than that has passed without
 * another SYN-ACK, the peer has given up. The first interval is 1 second (RFC 6298, 2.1) to 8
 * seconds, depending on the host. If --timeout is given, only that ends the wait. Returns when to
 * check again.
 */
static wave_time await_repeats(struct session *s, const struct session_conn *c, wave_time now)
{
    const struct session_record *r = c->record;
    wave_time gap = r->syn_acks > 1 ? r->syn_ack_at[1] - r->syn_ack_at[0] : 0;
    wave_time pause =
        2 * gap + NO_ACK_MARGIN > NO_ACK_FIRST ? 2 * gap + NO_ACK_MARGIN : NO_ACK_FIRST;
    wave_time at = s->config.timeout ? WAVE_NEVER : r->syn_ack_at[1] + pause;

    session_await(s, "the peer to repeat its SYN-ACK", at == WAVE_NEVER ? s->end : at);
    if (now >= at)
        session_stop(s, STOP_NO_ACK);
    return at;
}

static wave_time turn(struct session *s, wave_time now)
{
    struct client *x = s->user;
    struct conn *e = session_engine(s, x->conn);
    wave_time at;

    if (x->no_ack && x->conn->record->syn_acks && conn_state(e) != STATE_CLOSED)
        return await_repeats(s, x->conn, now);
    if (client_turn(s, x, e, now, &at))
        return at;
    return client_go(s, x, e, now);
}

/* Adds the preset to what the verdict says. */
static void judge(struct session *s, struct client *x, struct outcome *o, struct figures *figures)
{
    (void)s;
    (void)o;
    preset_figures(x->preset, figures);
}

static const struct client_ops ops = {
    .command = &connect_command, .session = {.turn = turn, .poll = client_poll}, .judge = judge};

static int run(const void *options)
{
    const struct connect_options *o = options;
    struct client *x = calloc(1, sizeof *x);
    int status;

    if (!x)
        return client_no_memory(&o->client, &ops);
    x->no_ack = o->no_ack;
    x->preset = o->preset.preset;
    x->plan = (struct course_config){.close = (enum close_how)o->close.how,
                                     .answer = COURSE_ANSWER_PAUSES,
                                     .acknowledged = true,
                                     .hold = o->close.hold,
                                     .linger = o->client.end.linger};
    preset_plan(x->preset, &x->plan);
    status =
        o->each_address ? each_address_run(x, &o->client, &ops) : client_run(x, &o->client, &ops);
    free(x);
    return status;
}

/*
 * Options
 */

#define FIELD(name) offsetof(struct connect_options, name)

/* clang-format off */
static const struct option_row each_row[] = {
    {KIND_FLAG, 0, "each-address", NULL, "one run for each address of the name, one verdict each",
     FIELD(each_address), 0, 0, NULL},
    OPTION_END};

static const struct option_row no_ack_row[] = {
    {KIND_FLAG, 0, "no-ack", NULL, "never send the third segment of the handshake", FIELD(no_ack),
     0, 0, NULL},
    OPTION_END};

static const struct option_group groups[] = {
    {"Addresses and ports", where_rows, FIELD(client.where)},
    {NULL, each_row, 0},
    {NULL, where_source_row, FIELD(client.where)},
    {NULL, where_port_row, FIELD(client.source_port)},
    {"What to send and receive", data_rows, FIELD(client.data)},
    {NULL, data_output_row, FIELD(client.output)},
    {"Close", close_rows, FIELD(close)},
    {NULL, end_rows, FIELD(client.end)},
    {"TCP", tcp_syn_row, FIELD(client.tcp)},
    {NULL, tcp_give_up_row, FIELD(client.tcp)},
    {NULL, no_ack_row, 0},
    {NULL, client_verify_row, FIELD(client)},
    {NULL, tcp_mss_row, FIELD(client.tcp)},
    {NULL, tcp_window_row, FIELD(client.tcp)},
    {NULL, tcp_rows, FIELD(client.tcp)},
    {"Impairment", preset_connect_row, FIELD(preset)},
    {NULL, impair_rows, FIELD(client.impair)},
    {"What is shown", show_rows, FIELD(client.show)},
    {"Simulated network", sim_rows, FIELD(client.sim)},
    {NULL, NULL, 0}};
/* clang-format on */

static void defaults(void *options)
{
    struct connect_options *o = options;

    client_defaults(options);
    o->close.how = CLOSE_DEFAULT;
}

/* Fills in what the preset sets and the user has not given. */
static const char *fill(struct connect_options *o)
{
    const struct preset *p = o->preset.preset;

    preset_fill(p, &o->close, &o->client.end, &o->client.tcp);
    if (o->close.how == CLOSE_DEFAULT)
        o->close.how = CLOSE_ACTIVE;
    if (p && p->set.sends && !o->client.data.text.at && !o->client.data.file)
        o->client.data.text = preset_bytes();
    if (p && p->set.needs_port && !o->client.source_port)
        return "this preset is about two runs over the same ports: give both the same "
               "--source-port";
    return preset_impair(p, PRESET_CONNECT, &o->client.impair);
}

static bool tell(const void *options, FILE *to)
{
    const struct connect_options *o = options;

    if (o->preset.help)
        preset_list(to, PRESET_CONNECT);
    return o->preset.help;
}

static const char *check(void *options)
{
    struct connect_options *o = options;
    const char *wrong = client_check(options);

    if (!wrong)
        wrong = fill(o);
    return !wrong && o->each_address ? each_address_check(&o->client) : wrong;
}

const struct command connect_command = {
    .name = "connect",
    .target = "HOST:PORT",
    .summary = "handshake, exchange, close; says what happened",
    .purpose = "Opens a connection, sends data, receives the answer, closes, and reports what "
               "happened on both sides.",
    .size = sizeof(struct connect_options),
    .groups = groups,
    .defaults = defaults,
    .operands = client_operands,
    .tell = tell,
    .check = check,
    .run = run};

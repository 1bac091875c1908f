/* Runs `tcpwave idle`, whose head is in cmd/idle.h: opens the session, lets it run, and tells the
 * verdict. */
#include "cmd/idle.h"

#include <stdlib.h>

#include "cmd/command.h"
#include "cmd/resolve.h"
#include "cmd/start.h"
#include "lib/core/diag.h"

static const struct session_ops session_ops = {.conn_size = sizeof(struct idle_conn),
                                               .event = idle_event,
                                               .icmp = idle_icmp,
                                               .turn = idle_turn};

/* Says what the search is to find. */
static struct idle_search_config search_of(const struct idle_options *o)
{
    struct idle_search_config c = {.from = o->from,
                                   .to = o->to,
                                   .precision = o->precision,
                                   .parallel = o->parallel,
                                   .once = o->keepalive || o->at_least};

    if (c.once)
        c.from = c.to = o->keepalive ? o->keepalive : o->at_least;
    return c;
}

/* Runs the session, and returns the exit status. */
static int perform(struct idle *x, struct start *st)
{
    struct outcome o;
    int status;

    x->session = st->session;
    session_run(x->session);
    idle_conclude(x, &o, &st->found);
    status = start_verdict(st, NULL, &o, &x->figures);
    start_close(st);
    return status;
}

static int begin(struct idle *x, const struct target_list *names, wave_time deadline)
{
    const struct idle_options *o = x->options;
    const struct start_config config = {.command = &idle_command,
                                        .where = &o->where,
                                        .tcp = &o->tcp,
                                        .end = &o->end,
                                        .impair = &o->impair,
                                        .show = &o->show,
                                        .source_port = o->source_port,
                                        .names = names,
                                        .connections = x->ports,
                                        .deadline = deadline};
    struct start st;
    struct diag d;
    int error;

    x->target = names->at[0];
    error = start_open(&st, &config, &x->target, &session_ops, x, &d);
    if (!error)
        return perform(x, &st);
    start_close(&st);
    return view_refuse_to_open(&idle_command, &o->show, error, &d);
}

static int run(const void *options)
{
    const struct idle_options *o = options;
    const struct idle_search_config search = search_of(o);
    struct idle *x = calloc(1, sizeof *x);
    struct target_list names;
    struct resolve resolve;
    struct diag d;
    int status;

    if (!x)
        return view_refuse(&idle_command, &o->show, &(struct diag){"no memory for the run"});
    x->options = o;
    x->ports = o->ports;
    idle_search_init(&x->search, &search);
    idle_search_answer(&x->search, &x->before);
    view_note_url(&o->show, &o->target);
    resolve_begin(&resolve, &o->show);
    if (resolve_all(&resolve, &o->target, where_family(&o->where), &names, &d) != 0)
        status = view_refuse_by(&idle_command, &o->show, &d, resolve.signal);
    else
        status = begin(x, &names, resolve.deadline);
    free(x);
    return status;
}

const struct command idle_command = {
    .name = "idle",
    .target = "HOST:PORT",
    .summary = "for how long may a connection be silent, and who forgets it?",
    .purpose = "Opens connections, leaves each of them alone for another time between --from and "
               "--to, and probes them: the answer is the silence after which the path or the peer "
               "forgets a connection.",
    .size = sizeof(struct idle_options),
    .groups = idle_groups,
    .defaults = idle_defaults,
    .operands = idle_operands,
    .check = idle_check,
    .run = run};

/*
 * Runs a command that opens one connection, from resolving the target to the verdict. In each turn
 * of the loop, data is moved both ways, and then the connection is taken along its course
 * (lib/run/course.h), which waits, holds, closes and lingers as the command has configured it.
 */
#include "cmd/client.h"

#include "cmd/resolve.h"
#include "cmd/start.h"
#include "cmd/target.h"

#define MEMORY_PAUSE (20 * WAVE_MS) /* between two attempts to get memory */
#define MEMORY_MAX (2 * WAVE_S)     /* for these attempts, before we give up */

/* Has the loop retry when there was no memory for data to be sent, since no event of the engine
 * reports that there is memory. Ends the run if the shortage lasts. */
static void await_memory(struct session *s, struct client *x, wave_time now)
{
    if (!x->transfer.starved) {
        x->starved_at = 0;
        return;
    }
    if (!x->starved_at)
        x->starved_at = now;
    if (now - x->starved_at > MEMORY_MAX)
        session_fail(s,
                     &(struct diag){"no memory for what is to be sent; free some, and try again"});
    session_wake_by(s, now + MEMORY_PAUSE);
}

/* Returns when the peer's data may be read, which is now unless a preset reads slowly. */
static wave_time read_at(const struct client *x, wave_time now)
{
    return x->preset && x->taken_at ? x->taken_at + x->preset->set.read_every : now;
}

/* Returns whether our data may be sent: our side is open, and a preset may ask for the peer's FIN
 * first. */
static bool may_feed(const struct client *x, const struct conn *e)
{
    if (client_closed(x) || !state_synchronized(conn_state(e)))
        return false;
    return !x->preset || !x->preset->set.data_after_fin || conn_fin_received(e);
}

/* Gives the engine our data, and takes from it what the peer sent. */
static void move_data(struct session *s, struct client *x, struct conn *e, wave_time now)
{
    struct diag d;
    const uint8_t *unread;
    int given = 0, taken = read_at(x, now) <= now ? transfer_drain(&x->transfer, e, now, &d) : 0;

    if (taken > 0)
        x->taken_at = now;
    x->reader_busy = x->transfer.waits_for_out;
    if (read_at(x, now) > now && conn_peek(e, &unread) > 0) {
        x->reader_busy = true;
        session_wake_by(s, read_at(x, now));
    }
    if (taken >= 0 && may_feed(x, e))
        given = transfer_feed(&x->transfer, e, now, &d);
    if (taken < 0 || given < 0)
        session_fail(s, &d);
    else if (taken || given)
        session_changed(s, x->conn, now);
    await_memory(s, x, now);
}

bool client_turn(struct session *s, struct client *x, struct conn *e, wave_time now, wave_time *at)
{
    const enum state state = conn_state(e);

    if (state != STATE_CLOSED && !state_synchronized(state)) {
        *at = client_go(s, x, e, now);
        return true;
    }
    *at = WAVE_NEVER;
    if (verify_wait(s, x->conn, &x->verify, now, at))
        return true;
    *at = WAVE_NEVER;
    move_data(s, x, e, now);
    if (conn_state(e) != STATE_CLOSED)
        return false;
    /* Data that was received before the end is still to be written to --output. */
    if (!x->reader_busy)
        session_stop(s, client_closed(x) && conn_end(e) != END_CLOSED ? STOP_ASKED : STOP_END);
    return true;
}

void client_close(struct session *s, struct client *x, struct conn *e, wave_time now)
{
    course_close(&x->course, x->plan.close, e, now);
    session_changed(s, x->conn, now);
}

wave_time client_go(struct session *s, struct client *x, struct conn *e, wave_time now)
{
    const struct report_flow *flow = &x->conn->record->flow;
    const struct course_facts facts = {
        .fed = transfer_fed(&x->transfer),
        .gave = flow->sent_bytes > 0,
        .got = flow->received_bytes > 0,
        .disordered = x->conn->disordered_at != 0,
        .reader_busy = x->reader_busy,
        .quiet_since = x->taken_at > x->conn->quiet_since ? x->taken_at : x->conn->quiet_since};
    const struct course_turn turn = course_go(&x->course, &x->plan, e, &facts, now);

    if (turn.waits != COURSE_WAITS_NOT)
        session_await(s, course_text(turn.waits), turn.until);
    if (turn.act == COURSE_CLOSED)
        session_changed(s, x->conn, now);
    if (turn.act == COURSE_LINGERED)
        session_stop(s, STOP_LINGER);
    return turn.act == COURSE_LINGERED || turn.engine ? WAVE_NEVER : turn.until;
}

unsigned client_poll(struct session *s, struct pollfd *fds)
{
    const struct client *x = s->user;

    return transfer_poll(&x->transfer, fds);
}

/* Opens the connection, runs the session, and returns the exit status. */
static int run(struct client *x, const struct target *target, const struct start_config *config,
               const struct client_ops *ops)
{
    struct start st;
    struct session *s;
    struct outcome outcome;
    struct diag d = {"no memory for a connection"};
    int status, error = start_open(&st, config, target, &ops->session, x, &d);

    if (!error)
        error = session_connect(st.session, 0, &target->addr, target->port, &x->conn);
    if (error) {
        start_close(&st);
        return view_refuse_to_open(ops->command, config->show, error, &d);
    }
    s = st.session;
    if (ops->watch)
        report_add(&s->report, ops->watch, x);
    session_run(s);
    if (x->transfer.out.fd >= 0)
        st.undelivered = x->conn->record->flow.received_bytes - x->transfer.taken;
    if (transfer_close(&x->transfer, &d) != 0)
        session_fail(s, &d);
    session_outcome(s, x->conn, &outcome);
    if (ops->judge)
        ops->judge(s, x, &outcome, &x->figures);
    x->stats = s->port->ops->stats(s->port);
    x->origin = s->report.origin;
    status = start_verdict(&st, x->conn, &outcome, &x->figures);
    start_close(&st);
    return status;
}

int client_no_memory(const struct client_options *o, const struct client_ops *ops)
{
    return view_refuse(ops->command, &o->show, &(struct diag){"no memory for the run"});
}

int client_run_at(struct client *x, const struct client_options *o, const struct client_ops *ops,
                  const struct target_list *names, bool untried, wave_time deadline)
{
    const struct start_config config = {.command = ops->command,
                                        .where = &o->where,
                                        .tcp = &o->tcp,
                                        .end = &o->end,
                                        .probe = x->probe,
                                        .preset = x->preset,
                                        .impair = &o->impair,
                                        .show = &o->show,
                                        .source_port = o->source_port,
                                        .no_ack = x->no_ack,
                                        .verify = o->verify,
                                        .bulk = o->data.file != NULL,
                                        .output = o->output != NULL,
                                        .names = untried ? names : NULL,
                                        .deadline = deadline};
    const struct transfer_config data = {.data = o->data.text.at,
                                         .len = o->data.text.len,
                                         .file = o->data.file,
                                         .output = o->output,
                                         .read_bytes = x->preset ? x->preset->set.read_bytes : 0};
    struct diag d;

    x->options = o;
    if (transfer_open(&x->transfer, &data, &d) != 0)
        return view_refuse(ops->command, &o->show, &d);
    return run(x, &names->at[0], &config, ops);
}

int client_run(struct client *x, const struct client_options *o, const struct client_ops *ops)
{
    struct resolve names;
    struct target_list list;
    struct diag d;

    view_note_url(&o->show, &o->target);
    resolve_begin(&names, &o->show);
    if (resolve_all(&names, &o->target, where_family(&o->where), &list, &d) != 0)
        return view_refuse_by(ops->command, &o->show, &d, names.signal);
    return client_run_at(x, o, ops, &list, true, names.deadline);
}

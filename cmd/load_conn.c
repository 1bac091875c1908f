/*
 * Takes each connection through its course (lib/run/course.h): our data, if there is any, is sent
 * immediately after the handshake, the answer has a second to begin, and then comes the close. A
 * connection is handled only when the engine has an event for it or when its wait is over.
 *
 * Here it is also decided with which verdict a connection is counted, whether the peer may still
 * have it in TIME_WAIT, and whether a refused one is tried over another port.
 */
#include "cmd/load.h"

#define CLOSE_MAX 64 /* connections closed in one turn because their wait is over */

/*
 * Queues
 */

static void dequeue(struct load *l, struct load_conn *x)
{
    struct load_queue *q = &l->queue[x->queue];

    if (x->queue == LOAD_Q_NONE)
        return;
    if (x->prev)
        l->conn[x->prev - 1].next = x->next;
    else
        q->first = x->next;
    if (x->next)
        l->conn[x->next - 1].prev = x->prev;
    else
        q->last = x->prev;
    q->count--;
    x->queue = LOAD_Q_NONE;
    x->prev = x->next = 0;
}

/* Puts the connection at the end of the queue. Its step begins now, and so later than those of all
 * others in the queue. */
static void enqueue(struct load *l, struct load_conn *x, unsigned queue)
{
    struct load_queue *q = &l->queue[queue];
    const uint32_t link = (uint32_t)(x - l->conn) + 1;

    dequeue(l, x);
    x->queue = queue & 7;
    x->prev = q->last & LOAD_LINK;
    if (q->last)
        l->conn[q->last - 1].next = link & LOAD_LINK;
    else
        q->first = link;
    q->last = link;
    q->count++;
}

/*
 * The end
 */

/* Returns whether the connection, which is CLOSED, must still send its RST. */
static bool rst_due(const struct load *l, const struct conn *c)
{
    return conn_expiry(c, l->loop.now) <= l->loop.now;
}

/* Returns whether the peer may still have the connection, in TIME_WAIT or because it does not know
 * that it is over. (If the peer's FIN crossed ours and was lost, it looks as if ours had been the
 * first. This case cannot be recognised.) */
static bool peer_holds(const struct conn *c, const struct load_conn *x)
{
    switch (conn_end(c)) {
    case END_RESET:
        return false;
    case END_REFUSED:
    case END_ICMP:
        return x->time_wait; /* as before this attempt */
    case END_CLOSED:
    case END_ABORTED:
        return x->closed_by_peer;
    default:
        return true;
    }
}

/* Returns the connection's tuple to the pool of free ones, and releases the connection. */
static void release_tuple(struct load *l, const struct conn *c, struct load_conn *x)
{
    dequeue(l, x);
    load_tuples_give(&l->tuples, x->tuple, l->loop.now, peer_holds(c, x));
    stack_release(l->stack, x->id);
    x->id = STACK_NONE;
}

/*
 * Schedules a refused connection for another attempt, if that makes sense, and returns whether it
 * did. A RST that answers a SYN over a port that has been used before does not prove that the
 * target refuses connections: a peer that still has the last connection in TIME_WAIT may answer so
 * (RFC 9293, 3.6.1, MAY-2). The connection counts as refused only when other ports bring the same.
 */
static bool try_another(struct load *l, const struct conn *c, const struct load_conn *x)
{
    struct load_retries *retries = &l->retries;
    const uint32_t end = retries->first + retries->count, room = l->plan.concurrency;

    if (conn_end(c) != END_REFUSED || !x->time_wait)
        return false;
    l->reuse.refused++;
    if (x->tries == LOAD_TRIES || l->stopping) {
        l->reuse.given_up++;
        return false;
    }
    retries->at[end < room ? end : end - room].pair =
        load_tuple_pair(&l->tuples, x->tuple) & (POOL_MAX - 1);
    retries->at[end < room ? end : end - room].tries = (x->tries + 1) & LOAD_TRIES;
    retries->count++;
    return true;
}

static enum verdict verdict_of(const struct conn *c, enum course_step step)
{
    switch (conn_end(c)) {
    case END_CLOSED:
        return step == COURSE_CUT ? VERDICT_FAILED : VERDICT_OPEN;
    case END_REFUSED:
        return VERDICT_REFUSED;
    case END_RESET:
        return VERDICT_RESET;
    case END_TIMEOUT_SYN:
        return VERDICT_DROPPED;
    case END_ICMP:
        return VERDICT_REJECTED;
    case END_TIMEOUT:
    case END_KEEPALIVE:
        return VERDICT_LOST;
    default:
        return step == COURSE_LEFT ? VERDICT_OPEN : VERDICT_FAILED;
    }
}

/* Returns how long the current step has taken until the packet or event that is being handled. */
static wave_time taken(const struct load *l, const struct load_conn *x)
{
    const wave_time since = course_since(&x->course);

    return l->when > since ? l->when - since : 0;
}

/* Counts a connection that has ended, and releases it when it has nothing more to send. */
static void ended(struct load *l, struct conn *c, struct load_conn *x)
{
    if (course_step(&x->course) == COURSE_CLOSING && conn_end(c) == END_CLOSED)
        histogram_add(&l->close, taken(l, x));
    load_seen_ended(l, c, x);
    if (!try_another(l, c, x))
        l->counts[verdict_of(c, course_step(&x->course))]++;
    if (rst_due(l, c))
        enqueue(l, x, LOAD_Q_DEAD);
    else
        release_tuple(l, c, x);
}

/*
 * Steps
 */

/* Closes our side before the course would. */
static void close_now(struct load *l, struct conn *c, struct load_conn *x)
{
    course_close(&x->course, l->course.close, c, l->loop.now);
    enqueue(l, x, LOAD_Q_CLOSING);
    stack_changed(l->stack, l->loop.now, x->id);
}

/* Takes the connection's course as far as it gets now. `got`: data from the peer has just come. */
static void go(struct load *l, struct conn *c, struct load_conn *x, bool got)
{
    static const unsigned queue[] = {[COURSE_ANSWER] = LOAD_Q_ANSWER, [COURSE_HOLD] = LOAD_Q_HOLD};
    const enum course_step before = course_step(&x->course);
    const struct course_facts facts = {
        .fed = true, .gave = l->options->data.len > 0, .got = got, .quiet_since = conn_last_in(c)};

    if (before >= COURSE_CLOSING)
        return;
    course_go(&x->course, l->stopping ? &l->course_at_stop : &l->course, c, &facts, l->loop.now);
    if (course_step(&x->course) == before)
        return;
    dequeue(l, x);
    if (course_step(&x->course) < COURSE_CLOSING)
        enqueue(l, x, queue[course_step(&x->course)]);
    stack_changed(l->stack, l->loop.now, x->id);
}

/* Sends our data and starts the course. */
static void established(struct load *l, struct conn *c, struct load_conn *x)
{
    const struct bytes *data = &l->options->data;
    int n;

    l->established++;
    histogram_add(&l->handshake, taken(l, x));
    n = data->len ? conn_send(c, l->loop.now, data->at, data->len) : 0;
    if (n > 0)
        l->sent_bytes += (uint64_t)n;
    go(l, c, x, false);
}

/* Counts the data that the peer sent, and discards it. */
static void arrived(struct load *l, struct conn *c, struct load_conn *x)
{
    const uint8_t *bytes;
    size_t n;

    load_seen_data(l, c, x);
    while ((n = conn_peek(c, &bytes)) > 0) {
        l->received_bytes += n;
        conn_consume(c, l->loop.now, n);
    }
    stack_changed(l->stack, l->loop.now, x->id);
    if (course_step(&x->course) != COURSE_ANSWER)
        return;
    histogram_add(&l->first_byte, taken(l, x));
    go(l, c, x, true);
}

/* Counts the connections that wait for an answer from the peer, to a SYN or FIN. */
static void count_awaiting(struct load *l, struct load_conn *x, enum state state)
{
    const bool awaits = state == STATE_SYN_SENT || state == STATE_FIN_WAIT_1 ||
                        state == STATE_CLOSING || state == STATE_LAST_ACK;

    l->awaiting += awaits;
    l->awaiting -= x->awaits;
    x->awaits = awaits;
}

/* Handles a change of state. */
static void moved(struct load *l, struct conn *c, struct load_conn *x, enum state to)
{
    count_awaiting(l, x, to);
    load_seen_state(l, c, x, to);
    if (to == STATE_CLOSE_WAIT || to == STATE_CLOSING)
        x->closed_by_peer = true;
    switch (to) {
    case STATE_ESTABLISHED:
        established(l, c, x);
        break;
    case STATE_FIN_WAIT_2:
        enqueue(l, x, LOAD_Q_LINGER);
        break;
    case STATE_TIME_WAIT:
        dequeue(l, x);
        break;
    case STATE_CLOSED:
        ended(l, c, x);
        break;
    default:
        break;
    }
}

void load_event(struct load *l, const struct event *e)
{
    struct conn *c = stack_conn(l->stack, e->id);
    struct load_conn *x = &l->conn[pool_index(e->id)];

    if (e->kind == EVENT_RETRANSMIT)
        l->retransmissions++;
    if (!c)
        return;
    switch (e->kind) {
    case EVENT_RETRANSMIT:
        count_awaiting(l, x, STATE_CLOSED); /* one that is lost does not hold up the others */
        load_seen_retransmission(l, c, x, e);
        break;
    case EVENT_STATE:
        moved(l, c, x, e->u.state.to);
        break;
    case EVENT_DATA:
        arrived(l, c, x);
        break;
    case EVENT_FIN:
        load_seen_fin(l, c, x);
        go(l, c, x, false);
        break;
    case EVENT_ICMP:
        load_seen_icmp(l, e);
        break;
    case EVENT_DISCARDED:
        load_seen_discarded(l, c, x, e->u.check);
        break;
    case EVENT_TOLERATED:
        load_seen_tolerated(l, x);
        break;
    case EVENT_MSS:
        load_seen_mss(l, c, x);
        break;
    default:
        break;
    }
}

/* Opens a connection over the next port of that pair. `tries` ports were tried before. Returns 0 or
 * WAVE_ENOMEM. */
static int open_one(struct load *l, uint32_t pair, uint32_t tries)
{
    bool time_wait;
    const uint32_t tuple = load_tuples_take(&l->tuples, pair, l->loop.now, &time_wait);
    const struct load_pair *at = &l->plan.pair[pair];
    struct flow flow = {.local = at->local,
                        .remote = at->remote,
                        .lport = port_lport(l->port, load_tuple_port(&l->tuples, tuple)),
                        .rport = at->rport,
                        .v6 = l->plan.v6};
    uint32_t id;
    int error = stack_connect(l->stack, l->loop.now, &flow, &id);

    if (error) {
        load_tuples_give(&l->tuples, tuple, l->loop.now, time_wait);
        return error;
    }
    l->reuse.opened += time_wait;
    l->conn[pool_index(id)] = (struct load_conn){.id = id,
                                                 .tuple = tuple & (POOL_MAX - 1),
                                                 .tries = tries & LOAD_TRIES,
                                                 .time_wait = time_wait};
    course_set(&l->conn[pool_index(id)].course, COURSE_HANDSHAKE, l->loop.now);
    return 0;
}

int load_open(struct load *l)
{
    struct load_retries *retries = &l->retries;
    int error;

    if (!retries->count) {
        error = open_one(l, load_tuples_next_pair(&l->tuples), 0);
        l->opened += error == 0;
        return error;
    }
    error = open_one(l, retries->at[retries->first].pair, retries->at[retries->first].tries);
    if (error)
        return error;
    retries->first = retries->first + 1 < l->plan.concurrency ? retries->first + 1 : 0;
    retries->count--;
    return 0;
}

/*
 * Waits
 */

/* Handles a peer that has kept its own side open for --linger: leaves the connection, unless the
 * peer has sent something meanwhile. */
static void lingered(struct load *l, struct conn *c, struct load_conn *x)
{
    const bool cut = course_step(&x->course) == COURSE_CUT;
    const struct course_facts facts = {.quiet_since = conn_last_in(c)};
    const struct course_turn turn = course_go(&x->course, &l->course, c, &facts, l->loop.now);

    /* If the peer still sends, its silence begins with the last segment. The duration of this close
     * is not measured, since the step's time is now that of the last segment. */
    course_set(&x->course, cut ? COURSE_CUT : COURSE_LEFT, conn_last_in(c));
    if (turn.act == COURSE_WAIT) {
        enqueue(l, x, LOAD_Q_LINGER);
        return;
    }
    load_seen_gap(l, c);
    conn_abort(c, l->loop.now);
    stack_changed(l->stack, l->loop.now, x->id);
}

/* Returns whether the connections of that queue are closed when their wait is over. */
static bool closes(unsigned queue)
{
    return queue == LOAD_Q_ANSWER || queue == LOAD_Q_HOLD;
}

/* Handles a connection whose wait is over. */
static void over(struct load *l, struct conn *c, struct load_conn *x)
{
    const unsigned queue = x->queue;

    if (queue == LOAD_Q_DEAD) {
        if (!rst_due(l, c))
            release_tuple(l, c, x);
        return;
    }
    dequeue(l, x);
    if (queue == LOAD_Q_LINGER)
        lingered(l, c, x);
    else if (queue != LOAD_Q_CLOSING)
        go(l, c, x, false);
    if (closes(queue) && course_step(&x->course) >= COURSE_CLOSING)
        enqueue(l, x, LOAD_Q_CLOSING);
}

/*
 * Returns whether another connection may be closed. A busy host can be late for the ends of many
 * waits. If all of those connections were closed at once, their answers would come at once, and the
 * capture's ring could not hold them: what it loses is retransmitted, by both sides, and that only
 * adds to it. So the answers set the pace. A FIN that is not answered in time counts no longer, so
 * that a peer which is gone does not hold up the others.
 */
static bool may_close(const struct load *l)
{
    uint64_t max = LOAD_AWAITING;

    /* More are on their way where the rate and the round trip are high. */
    if (l->handshake.count)
        max = (uint64_t)2 * l->plan.rate * l->handshake.min / WAVE_S;
    if (max < LOAD_AWAITING)
        max = LOAD_AWAITING;
    if (max > LOAD_CLOSING)
        max = LOAD_CLOSING;
    return l->queue[LOAD_Q_CLOSING].count < max;
}

/* Handles the waits of a queue that are over. Returns when the next one is, or WAVE_NEVER if
 * another connection has to leave LOAD_Q_CLOSING first. */
static wave_time waits_of(struct load *l, unsigned queue)
{
    struct load_queue *q = &l->queue[queue];

    for (unsigned n = 0; q->first; n++) {
        struct load_conn *x = &l->conn[q->first - 1];
        const uint32_t id = x->id;
        struct conn *c = stack_conn(l->stack, id);
        const wave_time end = time_add(course_since(&x->course), q->length);

        if (end > l->loop.now)
            return end;
        if (closes(queue) && !may_close(l))
            return WAVE_NEVER;
        if (closes(queue) && n == CLOSE_MAX)
            return l->loop.now; /* these FINs must be sent first */
        if (queue == LOAD_Q_DEAD && rst_due(l, c))
            return l->loop.now; /* its RST must be sent first */
        over(l, c, x);
        load_drain(l);
    }
    return WAVE_NEVER;
}

wave_time load_waits(struct load *l)
{
    wave_time next = WAVE_NEVER;

    for (unsigned i = LOAD_Q_NONE + 1; i < LOAD_QUEUES; i++)
        next = time_min(next, waits_of(l, i));
    return next;
}

/* Returns whether a connection that is cut off counts as failed because of its peer. If the run was
 * to end by time or by a signal, to be cut off is no failure, but it is one if the peer has left us
 * without an answer for longer than its other answers took. */
static bool at_fault(const struct load *l, const struct conn *c, const struct load_conn *x)
{
    if (!load_endless(l) || course_step(&x->course) == COURSE_HANDSHAKE)
        return true;
    return conn_outstanding(c) && l->loop.now - course_since(&x->course) >= l->patience;
}

void load_stop(struct load *l, uint32_t id)
{
    struct conn *c = stack_conn(l->stack, id);
    struct load_conn *x = &l->conn[pool_index(id)];
    enum course_step step;

    if (!c || conn_state(c) == STATE_CLOSED)
        return;
    step = course_step(&x->course);
    if (l->resetting || (step == COURSE_HANDSHAKE && !l->timed_out)) {
        const bool left = conn_state(c) == STATE_TIME_WAIT || !at_fault(l, c, x);
        dequeue(l, x);
        course_set(&x->course, left ? COURSE_LEFT : COURSE_CUT, course_since(&x->course));
        load_seen_gap(l, c);
        conn_abort(c, l->loop.now);
        stack_changed(l->stack, l->loop.now, id);
    } else if (step != COURSE_HANDSHAKE && step < COURSE_CLOSING) {
        close_now(l, c, x);
        if (!load_endless(l))
            course_set(&x->course, COURSE_CUT, l->loop.now);
    }
}

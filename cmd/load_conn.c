/*
 * The course of a connection:
 *
 *     handshake     the engine's
 *     answer        with --data: our data is sent, and its answer begins, or a second has passed
 *     hold          for --hold
 *     peer          with --close=passive: the peer's FIN
 *     closing       our FIN, and the peer's; or --linger of silence
 *
 * A connection is looked at when the engine has an event of it, or when its wait is over.
 */
#include "cmd/load.h"

/*
 * The queues
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
    x->queue = LOAD_Q_NONE;
    x->prev = x->next = 0;
}

/* `mark` is now, which is later than that of all others in the queue. */
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
}

/*
 * The end
 */

/* Whether it is CLOSED, and yet owes a segment: its RST. */
static bool owes(const struct load *l, const struct conn *c)
{
    return conn_expiry(c, l->loop.now) <= l->loop.now;
}

/* Whether the peer may still have the connection, in TIME_WAIT or as one that it does not know to
 * be over. (A FIN of the peer's that crossed ours, and was then lost, looks as if ours had been
 * first: that much is not known.) */
static bool peer_holds(const struct conn *c, const struct load_conn *x)
{
    switch (c->end) {
    case END_RESET:
        return false;
    case END_REFUSED:
    case END_ICMP:
        return x->rests; /* as before */
    case END_CLOSED:
    case END_ABORTED:
        return x->closed_by_peer;
    default:
        return true;
    }
}

static void give_back(struct load *l, const struct conn *c, struct load_conn *x)
{
    dequeue(l, x);
    load_places_give(&l->places, x->place, l->loop.now, peer_holds(c, x));
    stack_release(l->stack, x->id);
    x->id = STACK_NONE;
}

/*
 * A RST that answers a SYN over a port that has been used before is no proof that the target
 * refuses connections: a peer that has the last one in TIME_WAIT may answer so (RFC 9293, 3.6.1,
 * MAY-2). Only where other ports bring the same is it called refused. True when it is to be tried
 * again.
 */
static bool try_another(struct load *l, const struct conn *c, const struct load_conn *x)
{
    struct load_again *again = &l->again;
    const uint32_t end = again->first + again->count, room = l->plan.concurrency;

    if (c->end != END_REFUSED || !x->rests)
        return false;
    l->reuse.refused++;
    if (x->tries == LOAD_TRIES || l->stopping) {
        l->reuse.given_up++;
        return false;
    }
    again->at[end < room ? end : end - room].pair =
        load_place_pair(&l->places, x->place) & (POOL_MAX - 1);
    again->at[end < room ? end : end - room].tries = (x->tries + 1) & LOAD_TRIES;
    again->count++;
    return true;
}

static enum verdict verdict_of(const struct conn *c, enum load_phase phase)
{
    switch (c->end) {
    case END_CLOSED:
        return phase == LOAD_CUT ? VERDICT_FAILED : VERDICT_OPEN;
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
        return phase == LOAD_LEFT ? VERDICT_OPEN : VERDICT_FAILED;
    }
}

static void ended(struct load *l, struct conn *c, struct load_conn *x)
{
    if (x->phase == LOAD_CLOSING && c->end == END_CLOSED)
        spread_add(&l->close, l->when > x->mark ? l->when - x->mark : 0);
    if (!try_another(l, c, x))
        l->counts[verdict_of(c, (enum load_phase)x->phase)]++;
    if (owes(l, c))
        enqueue(l, x, LOAD_Q_DEAD);
    else
        give_back(l, c, x);
}

/*
 * The steps
 */

static void close_now(struct load *l, struct conn *c, struct load_conn *x)
{
    enum close_how how = (enum close_how)l->options->close;

    dequeue(l, x);
    x->mark = l->loop.now;
    x->phase = LOAD_CLOSING;
    if (how == CLOSE_ABORT || how == CLOSE_VANISH)
        x->phase = LOAD_LEFT;
    if (how == CLOSE_ABORT)
        conn_abort(c, l->loop.now);
    else if (how == CLOSE_VANISH)
        conn_vanish(c, l->loop.now);
    else if (how == CLOSE_PASSIVE && !(c->flags & CONN_FIN_RCVD) && !l->stopping)
        x->phase = LOAD_PEER;
    else
        conn_close(c, l->loop.now);
    stack_changed(l->stack, l->loop.now, x->id);
}

static void hold(struct load *l, struct conn *c, struct load_conn *x)
{
    const bool fin = l->options->close == CLOSE_ACTIVE || l->options->close == CLOSE_PASSIVE;

    /* A FIN may go with the acknowledgement of the SYN-ACK. Who leaves without one has to complete
     * the handshake before. */
    if (fin && (!l->options->hold || l->stopping)) {
        close_now(l, c, x);
        return;
    }
    x->phase = LOAD_HOLD;
    x->mark = l->loop.now;
    enqueue(l, x, LOAD_Q_HOLD);
}

static void established(struct load *l, struct conn *c, struct load_conn *x)
{
    const struct bytes *data = &l->options->data;
    int n;

    l->established++;
    spread_add(&l->handshake, l->when > x->mark ? l->when - x->mark : 0);
    if (!data->len) {
        hold(l, c, x);
        return;
    }
    n = conn_send(c, l->loop.now, data->at, data->len);
    if (n > 0)
        l->sent_bytes += (uint64_t)n;
    if (l->stopping) {
        hold(l, c, x);
        return;
    }
    x->phase = LOAD_ANSWER;
    x->mark = l->loop.now;
    enqueue(l, x, LOAD_Q_ANSWER);
    stack_changed(l->stack, l->loop.now, x->id);
}

/* What the peer sends is counted, and not kept. */
static void arrived(struct load *l, struct conn *c, struct load_conn *x)
{
    const uint8_t *bytes;
    size_t n;

    while ((n = conn_peek(c, &bytes)) > 0) {
        l->received_bytes += n;
        conn_consume(c, l->loop.now, n);
    }
    stack_changed(l->stack, l->loop.now, x->id);
    if (x->phase != LOAD_ANSWER)
        return;
    spread_add(&l->first_byte, l->when > x->mark ? l->when - x->mark : 0);
    hold(l, c, x);
}

/* Counts those to whom the peer owes an answer. */
static void count_awaiting(struct load *l, struct load_conn *x, enum state state)
{
    const bool awaits = state == STATE_SYN_SENT || state == STATE_FIN_WAIT_1 ||
                        state == STATE_CLOSING || state == STATE_LAST_ACK;

    l->awaiting += awaits;
    l->awaiting -= x->awaits;
    x->awaits = awaits;
}

static void moved(struct load *l, struct conn *c, struct load_conn *x, enum state to)
{
    count_awaiting(l, x, to);
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
    case EVENT_STATE:
        moved(l, c, x, e->u.state.to);
        break;
    case EVENT_DATA:
        arrived(l, c, x);
        break;
    case EVENT_FIN:
        if (x->phase == LOAD_ANSWER)
            hold(l, c, x);
        else if (x->phase == LOAD_PEER)
            close_now(l, c, x);
        break;
    default:
        break;
    }
}

/* Opens one over the next port of that pair. */
static int open_one(struct load *l, uint32_t pair, uint32_t tries)
{
    bool rests;
    const uint32_t place = load_places_take(&l->places, pair, l->loop.now, &rests);
    const struct load_pair *at = &l->plan.pair[pair];
    struct flow flow = {.local = at->local,
                        .remote = at->remote,
                        .lport = port_lport(l->port, load_place_port(&l->places, place)),
                        .rport = at->rport,
                        .v6 = l->plan.v6};
    uint32_t id;
    int error = stack_connect(l->stack, l->loop.now, &flow, &id);

    if (error) {
        load_places_give(&l->places, place, l->loop.now, rests);
        return error;
    }
    l->reuse.opened += rests;
    l->conn[pool_index(id)] = (struct load_conn){.mark = l->loop.now,
                                                 .id = id,
                                                 .place = place & (POOL_MAX - 1),
                                                 .tries = tries & LOAD_TRIES,
                                                 .rests = rests};
    return 0;
}

int load_open(struct load *l)
{
    struct load_again *again = &l->again;
    int error;

    if (!again->count) {
        error = open_one(l, load_places_turn(&l->places), 0);
        l->opened += error == 0;
        return error;
    }
    error = open_one(l, again->at[again->first].pair, again->at[again->first].tries);
    if (error)
        return error;
    again->first = again->first + 1 < l->plan.concurrency ? again->first + 1 : 0;
    again->count--;
    return 0;
}

/*
 * Waits
 */

/* The wait of this one is over. */
static void over(struct load *l, struct conn *c, struct load_conn *x)
{
    const unsigned left = x->phase == LOAD_CUT ? LOAD_CUT : LOAD_LEFT;

    switch (x->queue) {
    case LOAD_Q_ANSWER: /* it has nothing to say to our data */
        hold(l, c, x);
        break;
    case LOAD_Q_HOLD:
        close_now(l, c, x);
        break;
    case LOAD_Q_LINGER: /* it holds its own side open */
        dequeue(l, x);
        if (time_add(c->last_in, l->options->linger) > l->loop.now) {
            /* And still sends. How long its close took is not told then: `mark` is moved. */
            x->phase = left & 7;
            x->mark = c->last_in;
            enqueue(l, x, LOAD_Q_LINGER);
            break;
        }
        x->phase = left & 7;
        conn_abort(c, l->loop.now);
        stack_changed(l->stack, l->loop.now, x->id);
        break;
    default:
        if (!owes(l, c))
            give_back(l, c, x);
        break;
    }
}

wave_time load_waits(struct load *l)
{
    wave_time next = WAVE_NEVER;

    for (unsigned i = LOAD_Q_NONE + 1; i < LOAD_QUEUES; i++) {
        struct load_queue *q = &l->queue[i];

        while (q->first) {
            struct load_conn *x = &l->conn[q->first - 1];
            const uint32_t id = x->id;
            struct conn *c = stack_conn(l->stack, id);

            if (time_add(x->mark, q->length) > l->loop.now)
                break;
            if (i == LOAD_Q_DEAD && owes(l, c))
                return l->loop.now; /* the segment it owes is still to go out */
            over(l, c, x);
            load_drain(l);
        }
        if (q->first)
            next = time_min(next, time_add(l->conn[q->first - 1].mark, q->length));
    }
    return next;
}

/* Whether the peer has not done its part of a connection that is cut off. Where the run was to end
 * by time, or by a signal, being cut off is no fault; to leave us without an answer for longer than
 * its others took is. */
static bool at_fault(const struct load *l, const struct conn *c, const struct load_conn *x)
{
    if (!load_endless(l) || x->phase == LOAD_HANDSHAKE)
        return true;
    return !seq_eq(c->snd.una, c->snd.nxt) && l->loop.now - x->mark >= l->patience;
}

void load_stop(struct load *l, uint32_t id)
{
    struct conn *c = stack_conn(l->stack, id);
    struct load_conn *x = &l->conn[pool_index(id)];

    if (!c || c->state == STATE_CLOSED)
        return;
    if (l->resetting || (x->phase == LOAD_HANDSHAKE && !l->timed_out)) {
        dequeue(l, x);
        x->phase = c->state == STATE_TIME_WAIT || !at_fault(l, c, x) ? LOAD_LEFT : LOAD_CUT;
        conn_abort(c, l->loop.now);
        stack_changed(l->stack, l->loop.now, id);
    } else if (x->phase != LOAD_HANDSHAKE && x->phase < LOAD_CLOSING) {
        close_now(l, c, x);
        if (!load_endless(l))
            x->phase = LOAD_CUT;
    }
}

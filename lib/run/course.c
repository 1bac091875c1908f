/*
 * Decides, for one connection, which step comes next and how long to wait for it. course_go() reads
 * the state of the engine's connection and what the caller knows of the data, and falls into one of
 * four functions: before the handshake, before our close (open_side(), go_on()), and after it
 * (closed_side()). Nothing is stored but the step and the time at which it began.
 */
#include "lib/run/course.h"

const char *course_text(enum course_wait waits)
{
    static const char *const text[] = {
        [COURSE_WAITS_NOT] = NULL,
        [COURSE_WAITS_SYN_ACK] = "an answer to our SYN",
        [COURSE_WAITS_SYN_ACKED] = "the acknowledgement of our SYN-ACK",
        [COURSE_WAITS_OUR_DATA] = "our own data",
        [COURSE_WAITS_THEIR_DATA] = "the peer's data",
        [COURSE_WAITS_DATA_ACKED] = "the acknowledgement of our data",
        [COURSE_WAITS_ANSWER] = "the peer's answer",
        [COURSE_WAITS_HOLD] = "the end of --hold",
        [COURSE_WAITS_THEIR_FIN] = "the peer's FIN",
        [COURSE_WAITS_FIN_ACKED] = "the acknowledgement of our FIN",
        [COURSE_WAITS_TIME_WAIT] = "the end of TIME_WAIT"};

    return text[waits];
}

static struct course_turn wait_for(enum course_wait what, wave_time until)
{
    return (struct course_turn){.act = COURSE_WAIT, .waits = what, .until = until};
}

/* Waits for `what`, which a timer of the engine ends. */
static struct course_turn wait_for_engine(enum course_wait what, const struct conn *c,
                                          unsigned timer)
{
    return (struct course_turn){
        .act = COURSE_WAIT, .waits = what, .until = conn_timer(c, timer), .engine = true};
}

static bool closes_with_fin(enum close_how how)
{
    return how == CLOSE_ACTIVE || how == CLOSE_PASSIVE;
}

void course_close(struct course *x, enum close_how how, struct conn *c, wave_time now)
{
    course_set(x, closes_with_fin(how) ? COURSE_CLOSING : COURSE_LEFT, now);
    if (how == CLOSE_ABORT)
        conn_abort(c, now);
    else if (how == CLOSE_VANISH)
        conn_vanish(c, now);
    else
        conn_close(c, now);
}

/* Returns whether the peer's FIN has to come before ours and has not come. */
static bool awaits_their_fin(const struct course_config *g, const struct conn *c)
{
    return g->close == CLOSE_PASSIVE && !conn_fin_received(c);
}

/* Returns what to wait for while our data is not yet sent, or not yet acknowledged where it has to
 * be. */
static struct course_turn wait_for_data(const struct course_config *g, const struct conn *c,
                                        const struct course_facts *f)
{
    if (g->serves && !f->fed)
        return wait_for(COURSE_WAITS_THEIR_DATA, WAVE_NEVER);
    return wait_for(conn_unacked(c) ? COURSE_WAITS_DATA_ACKED : COURSE_WAITS_OUR_DATA, WAVE_NEVER);
}

/* Returns when the answer to our data, which was sent completely by `given`, may be considered
 * complete. */
static wave_time answer_ends(const struct course_config *g, const struct conn *c,
                             const struct course_facts *f, wave_time given)
{
    const wave_time from = f->quiet_since > given ? f->quiet_since : given;

    if (g->close != CLOSE_ACTIVE || g->answer != COURSE_ANSWER_PAUSES || !f->gave ||
        conn_fin_received(c))
        return given;
    /* While a slow reader of ours holds data back, the pause is ours and not the peer's. */
    if (f->reader_busy)
        return WAVE_NEVER;
    if (f->disordered)
        return time_add(from, g->linger);
    return from + (f->got ? COURSE_PAUSES : COURSE_BEGINS);
}

/* Returns what is waited for while our FIN, or data before it, is not acknowledged. */
static enum course_wait awaited_ack(const struct conn *c)
{
    /* The FIN is sent behind the last byte. */
    return !conn_fin_sent(c) && conn_unacked(c) ? COURSE_WAITS_DATA_ACKED : COURSE_WAITS_FIN_ACKED;
}

/* Closes the connection, and says what is waited for from then on: if the run is stopped before the
 * next turn, this is what it still waited for. */
static struct course_turn close_now(struct course *x, enum close_how how, struct conn *c,
                                    wave_time now)
{
    course_close(x, how, c, now);
    return (struct course_turn){.act = COURSE_CLOSED,
                                .waits = closes_with_fin(how) ? awaited_ack(c) : COURSE_WAITS_NOT,
                                .until = now};
}

/* Goes on when all our data is sent: waits for the answer, the hold and the peer's FIN, and then
 * closes. */
static struct course_turn go_on(struct course *x, const struct course_config *g, struct conn *c,
                                const struct course_facts *f, wave_time now)
{
    wave_time held, answered;

    if (course_step(x) == COURSE_ANSWER) {
        answered = course_since(x) + COURSE_BEGINS;
        if (!f->got && !conn_fin_received(c) && now < answered)
            return wait_for(COURSE_WAITS_ANSWER, answered);
        course_set(x, COURSE_HOLD, now);
    }
    if (awaits_their_fin(g, c))
        return wait_for(COURSE_WAITS_THEIR_FIN, WAVE_NEVER);
    held = time_add(course_since(x), g->hold);
    answered = answer_ends(g, c, f, course_since(x));
    if (now < held || now < answered)
        return held > answered ? wait_for(COURSE_WAITS_HOLD, held)
                               : wait_for(COURSE_WAITS_ANSWER, answered);
    return close_now(x, g->close, c, now);
}

/* Handles a connection that is established and that we have not closed. */
static struct course_turn open_side(struct course *x, const struct course_config *g, struct conn *c,
                                    const struct course_facts *f, wave_time now)
{
    if (g->resets_data && conn_received(c) > 0)
        return close_now(x, CLOSE_ABORT, c, now);
    if (!f->fed)
        return wait_for_data(g, c, f);
    if (g->hold_after_peer && awaits_their_fin(g, c))
        return wait_for(COURSE_WAITS_THEIR_FIN, WAVE_NEVER);
    if (g->acknowledged && conn_unacked(c))
        return wait_for(COURSE_WAITS_DATA_ACKED, WAVE_NEVER);
    if (course_step(x) == COURSE_HANDSHAKE) {
        course_set(x, g->answer == COURSE_ANSWER_BEGINS && f->gave ? COURSE_ANSWER : COURSE_HOLD,
                   now);
        /* A FIN may be sent together with the acknowledgement of the SYN-ACK. RST and silence may
         * not: the handshake has to be completed first, so the caller is asked to come back after
         * that ACK has been sent. */
        if (!closes_with_fin(g->close) && conn_ack_due(c) && course_step(x) == COURSE_HOLD)
            return wait_for(COURSE_WAITS_HOLD, time_add(now, g->hold));
    }
    return go_on(x, g, c, f, now);
}

/* Returns what we wait for after our own close. */
static struct course_turn closed_side(const struct course_config *g, const struct conn *c,
                                      const struct course_facts *f, wave_time now)
{
    wave_time at;

    switch (conn_state(c)) {
    case STATE_FIN_WAIT_2:
        /* The silence is measured from when a slow reader of ours has caught up and the window is
         * open again: until then the peer could not send. */
        at = time_add(f->reader_busy ? now : f->quiet_since, g->linger);
        if (now >= at && !f->reader_busy)
            return (struct course_turn){.act = COURSE_LINGERED, COURSE_WAITS_THEIR_FIN, at};
        return wait_for(COURSE_WAITS_THEIR_FIN, at);
    case STATE_TIME_WAIT:
        return wait_for_engine(COURSE_WAITS_TIME_WAIT, c, TIMER_TIME_WAIT);
    default:
        return wait_for(awaited_ack(c), WAVE_NEVER);
    }
}

struct course_turn course_go(struct course *x, const struct course_config *g, struct conn *c,
                             const struct course_facts *f, wave_time now)
{
    const enum state state = conn_state(c);

    if (state == STATE_CLOSED)
        return (struct course_turn){.act = COURSE_OVER, .until = WAVE_NEVER};
    if (!state_synchronized(state))
        return conn_passive(c) ? wait_for(COURSE_WAITS_SYN_ACKED, WAVE_NEVER)
                               : wait_for_engine(COURSE_WAITS_SYN_ACK, c, TIMER_REXMT);
    return course_step(x) < COURSE_CLOSING ? open_side(x, g, c, f, now) : closed_side(g, c, f, now);
}

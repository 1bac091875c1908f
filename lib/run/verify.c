/*
 * Implements --verify. verify_wait() is called once a turn. It waits until our own segments have
 * been captured, because they lead to the assumptions, then sends a probe if the peer's state is
 * assumed, and waits for the answer.
 */
#include "lib/run/verify.h"

#include <stdio.h>

#define CAPTURE_DELAY WAVE_MS           /* from a segment's sending to its capture */
#define CAPTURE_PATIENCE (20 * WAVE_MS) /* after which the capture has lost it */
#define ANSWER_WAIT WAVE_S

/* Returns whether the answer to the probe may still come, and reports the result when it is
 * known. */
static bool awaits_answer(struct session *s, struct session_conn *c, struct verify *v,
                          wave_time now)
{
    bool answered = c->arrived != v->arrived;
    char text[100];

    if (v->until == WAVE_NEVER)
        return false;
    if (!answered && now < v->until)
        return true;
    v->until = WAVE_NEVER; /* reported once */
    if (answered)
        snprintf(text, sizeof text,
                 "the probe was answered, but a peer not yet in %s would have answered it, too",
                 state_name(c->record->flow.peer.state));
    else
        snprintf(text, sizeof text, "the probe was not answered");
    report_note(&s->report, session_flow(c), session_stamp(s), !answered, text);
    return false;
}

/* Returns whether a segment of ours has still to be captured; the assumption that it leads to has
 * then not yet been made. */
static bool awaits_capture(const struct session *s, struct verify *v, wave_time now)
{
    if (sent_log_empty(&s->sent_log))
        return false;
    if (v->sent != s->sent_log.head) {
        v->sent = s->sent_log.head;
        v->patience = now + CAPTURE_PATIENCE;
    }
    return now < v->patience;
}

bool verify_wait(struct session *s, struct session_conn *c, struct verify *v, wave_time now,
                 wave_time *until)
{
    const struct track_view *peer = &c->record->flow.peer;
    struct conn *e = session_engine(s, c);

    if (!s->config.verify || !s->shows || !e || conn_state(e) == STATE_CLOSED)
        return false;
    if (c->arrived && awaits_capture(s, v, now)) {
        *until = now + CAPTURE_DELAY;
        return true;
    }
    if (peer->certainty == CERTAINTY_PROVED || peer->state == STATE_UNKNOWN)
        return false;
    if (v->evidence == peer->evidence && v->received == c->record->flow.received_bytes) {
        *until = v->until;
        return awaits_answer(s, c, v, now);
    }
    /* The probe has the garbage byte because Linux answers that form without a rate limit. */
    if (conn_probe(e, true) != 0)
        return false; /* something is outstanding, and its acknowledgement will prove as much */
    session_changed(s, c, now);
    v->evidence = peer->evidence;
    v->received = c->record->flow.received_bytes;
    v->arrived = c->arrived;
    v->until = now + ANSWER_WAIT;
    *until = v->until;
    session_await(s, "the answer to our probe", v->until);
    return true;
}

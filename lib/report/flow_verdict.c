/* Goes through the ways in which a flow can begin and end, the most telling first. */
#include "lib/report/flow_verdict.h"

#include <stdarg.h>
#include <stdio.h>

#include "lib/core/addr.h"
#include "lib/core/icmp.h"
#include "lib/report/human.h"
#include "lib/report/signs.h"

static const struct measure_side *side_of(const struct watched *w, enum track_side side)
{
    return &w->measure.side[side];
}

const char *flow_side_name(enum track_side side)
{
    return side == TRACK_A ? "client" : "server";
}

bool flow_rst_doubtful(const struct watched *w, enum track_side side)
{
    const struct measure_side *s = side_of(w, side);

    return s->resets &&
           (s->after_rst || (s->ttl && signs_routers(s->rst_ttl) != signs_routers(s->ttl)));
}

/* Writes the sentence, and returns true. */
__attribute__((format(printf, 3, 4))) static bool say(struct flow_verdict *v, enum verdict verdict,
                                                      const char *format, ...)
{
    va_list args;

    v->verdict = verdict;
    va_start(args, format);
    vsnprintf(v->room, sizeof v->room, format, args);
    va_end(args);
    v->text = v->room;
    return true;
}

/* Does the same with a sentence that stands as it is: most flows end in the same few ways. */
static bool state_as(struct flow_verdict *v, enum verdict verdict, const char *text)
{
    v->verdict = verdict;
    v->text = text;
    return true;
}

/* Returns whether both sides have sent something that shows the connection to be open. */
static bool established(const struct watched *w)
{
    const struct measure *m = &w->measure;

    if (!m->side[TRACK_A].syns && !m->side[TRACK_B].syns)
        return true;
    return m->side[TRACK_B].syns && m->side[TRACK_A].has_ack;
}

/* A SYN, and nothing that took it. */
static bool unopened(const struct watched *w, struct flow_verdict *v)
{
    const struct measure_side *a = side_of(w, TRACK_A), *b = side_of(w, TRACK_B);
    char from[ADDR_TEXT], n[HUMAN_TEXT];
    const char *s = a->syns == 1 ? "" : "s";

    if (established(w) || b->syns)
        return false;
    human_count(a->syns, n);
    if (w->rst[TRACK_B].segment) {
        v->kind = "rst";
        v->by = "server";
        return say(v, VERDICT_REFUSED, "refused: a RST answered the SYN%s",
                   flow_rst_doubtful(w, TRACK_B) ? ", perhaps that of a device on the way" : "");
    }
    if (w->icmps)
        return say(v, VERDICT_REJECTED, "rejected: %s (ICMP %u/%u from %s)",
                   icmp_text(w->flow.v6, w->icmp.type, w->icmp.code), w->icmp.type, w->icmp.code,
                   addr_text(w->flow.v6, &w->icmp.from, from));
    if (b->resets)
        return say(v, VERDICT_DROPPED,
                   "not opened: a RST came for the SYN%s and did not acknowledge %s, so that the "
                   "client ignores it",
                   s, a->syns == 1 ? "it" : "them");
    if (a->resets && !b->segments)
        return say(v, VERDICT_DROPPED, "given up: the client reset it before anything answered");
    if (b->astray & MEASURE_ASTRAY_SYN_ACK)
        return say(v, VERDICT_DROPPED, "not opened: the server's SYN-ACK acknowledges another SYN");
    if (b->segments)
        return say(v, VERDICT_DROPPED, "not opened: %s SYN%s, and the server sent no SYN-ACK", n,
                   s);
    return say(v, VERDICT_DROPPED, "no answer to %s SYN%s", n, s);
}

/* A SYN-ACK that the client did not acknowledge. */
static bool half_open(const struct watched *w, struct flow_verdict *v)
{
    const struct measure_side *a = side_of(w, TRACK_A), *b = side_of(w, TRACK_B);

    if (established(w))
        return false;
    if (a->resets) {
        v->kind = "rst";
        v->by = "client";
        return say(v, VERDICT_RESET, "not opened: the client answered the SYN-ACK with a RST");
    }
    if (b->resets) {
        v->kind = "rst";
        v->by = "server";
        return say(v, VERDICT_RESET, "not opened: the server sent a RST behind its SYN-ACK");
    }
    return say(v, VERDICT_LOST, "half open: %s",
               a->segments ? "the client did not acknowledge the SYN-ACK"
                           : "only the server's SYN-ACK was captured");
}

/* Returns the side that a RST came from that counts, or TRACK_SIDES. One that comes when both have
 * closed changes nothing any more. */
static enum track_side reset_by(const struct watched *w)
{
    const struct watched_end *a = &w->rst[TRACK_A], *b = &w->rst[TRACK_B];
    const enum track_side first =
        !b->segment || (a->segment && a->segment < b->segment) ? TRACK_A : TRACK_B;
    const uint32_t at = w->rst[first].segment;

    if (!at)
        return TRACK_SIDES;
    if (w->fin[TRACK_A].segment && w->fin[TRACK_A].segment < at && w->fin[TRACK_B].segment &&
        w->fin[TRACK_B].segment < at)
        return TRACK_SIDES;
    return first;
}

static bool reset(const struct watched *w, struct flow_verdict *v)
{
    const enum track_side by = reset_by(w);
    const struct measure_side *s;
    char doubt[160] = "";

    if (by == TRACK_SIDES)
        return false;
    s = side_of(w, by);
    v->by = flow_side_name(by);
    v->kind = "rst";
    if (s->after_rst)
        snprintf(doubt, sizeof doubt, ", which went on sending: it was not its own");
    else if (flow_rst_doubtful(w, by))
        snprintf(doubt, sizeof doubt,
                 ", or by a device on the way: TTL %u, and %u on its other segments", s->rst_ttl,
                 s->ttl);
    return say(v, VERDICT_RESET, "reset by the %s%s%s", v->by,
               w->fin[!by].segment && !w->fin[by].segment ? " after the other side's FIN" : "",
               doubt);
}

/* Returns whether the side has sent its FIN. One that lay beyond the window counts once it is
 * acknowledged: segments before it were not captured. */
static bool has_closed(const struct watched *w, enum track_side side)
{
    return w->fin[side].segment || track_fin_acked(&w->track, side);
}

static bool closed(const struct watched *w, struct flow_verdict *v)
{
    const uint32_t a = w->fin[TRACK_A].segment, b = w->fin[TRACK_B].segment;
    const bool client = has_closed(w, TRACK_A), server = has_closed(w, TRACK_B);

    if (!client && !server)
        return false;
    v->kind = "fin";
    v->by = client && server ? "both" : client ? "client" : "server";
    if (client && server && (!a || !b))
        return state_as(v, VERDICT_OPEN, "closed by both");
    if (client && server)
        return state_as(v, VERDICT_OPEN,
                        a < b ? "closed by both, the client first"
                              : "closed by both, the server first");
    return state_as(v, VERDICT_OPEN,
                    client ? "half closed: the client has sent its FIN, the server has not"
                           : "half closed: the server has sent its FIN, the client has not");
}

/* Something went unanswered until the end. */
static bool lost(const struct watched *w, struct flow_verdict *v)
{
    for (unsigned i = 0; i < TRACK_SIDES; i++) {
        const struct measure_side *s = side_of(w, i);
        char n[HUMAN_TEXT], t[HUMAN_TEXT];
        if (s->unanswered < FLOW_LOST || !w->measure.side[!i].segments)
            continue;
        return say(v, VERDICT_LOST,
                   "the %s fell silent: %s segments of the %s's without an answer in %s",
                   flow_side_name(!i), human_count(s->unanswered, n), flow_side_name(i),
                   human_duration(w->measure.last - s->asked_at, t));
    }
    return false;
}

void flow_verdict(const struct watched *w, struct flow_verdict *v)
{
    v->by = "none";
    v->kind = NULL;
    if (unopened(w, v) || half_open(w, v) || reset(w, v))
        return;
    if (has_closed(w, TRACK_A) && has_closed(w, TRACK_B) && closed(w, v))
        return;
    if (lost(w, v) || closed(w, v))
        return;
    if (!w->measure.side[TRACK_A].syns && !w->measure.side[TRACK_B].syns)
        state_as(v, VERDICT_OPEN, "open; its beginning was not captured");
    else
        state_as(v, VERDICT_OPEN, "open at the end of the capture");
}

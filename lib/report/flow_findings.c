/*
 * The findings about a flow between two strangers, from what was measured of it. One table, a row
 * for each, in the order of what explains most; where a row of the findings about our own
 * connections (diagnose.h) means the same, it has the same code. The rules for a row are those of
 * diagnose.h.
 */
#include <stdio.h>

#include "lib/core/text.h"
#include "lib/report/find.h"
#include "lib/report/flow_verdict.h"
#include "lib/report/human.h"

#define SHUT_LONG (500 * WAVE_MS)
#define SHUT_EACH (5 * WAVE_MS) /* less, and a small buffer was full for a moment, many times */
#define SOME 3          /* fewer can be chance */
#define MANY 10
#define FULL_LEAST 536 /* bytes of data: what any path takes (RFC 9293, 3.7.1) */
#define LOSS_PERMILLE 5 /* of its segments with data */
#define IDLE_LONG (30 * WAVE_S)

struct flow_row {
    const char *code;
    enum finding_severity severity;
    enum finding_subject subject;
    bool (*holds)(const struct watched *w, enum track_side side, struct finding *f);
};

static const struct measure_side *side_of(const struct watched *w, enum track_side side)
{
    return &w->measure.side[side];
}

static enum track_side other(enum track_side side)
{
    return side == TRACK_A ? TRACK_B : TRACK_A;
}

static bool rst_by_middlebox(const struct watched *w, enum track_side side, struct finding *f)
{
    const struct measure_side *s = side_of(w, side);

    if (!flow_rst_doubtful(w, side))
        return false;
    f->certainty = s->after_rst ? FINDING_PROVED : FINDING_LIKELY;
    finding_cite_segment(f, w->rst[side].segment);
    if (s->after_rst)
        finding_say(f,
                    "the %s went on sending after a RST that came in its name: another host has "
                    "sent that RST",
                    flow_side_name(side));
    else
        finding_say(f,
                    "the RST in the %s's name has TTL %u, and its other segments have %u: a device "
                    "on the way may have sent it",
                    flow_side_name(side), s->rst_ttl, s->ttl);
    finding_advise(f,
                   "look for a firewall or a load balancer between the two that ends connections");
    return true;
}

static bool silent(const struct watched *w, enum track_side side, struct finding *f)
{
    const struct measure_side *s = side_of(w, side);
    char n[HUMAN_TEXT], t[HUMAN_TEXT];

    if (s->unanswered < FLOW_LOST || !side_of(w, other(side))->segments)
        return false;
    f->certainty = FINDING_LIKELY;
    finding_say(f, "%s segments of the %s's in a row, over %s, had no answer of the %s's",
                human_count(s->unanswered, n), flow_side_name(side),
                human_duration(w->measure.last - s->asked_at, t), flow_side_name(other(side)));
    finding_advise(
        f, "capture at the %s as well: either it does not get them, or its answers are lost",
        flow_side_name(other(side)));
    return true;
}

/* Full segments that nothing answers, where smaller ones were acknowledged, and none as large. */
static bool black_hole(const struct watched *w, enum track_side side, struct finding *f)
{
    const struct measure_side *s = side_of(w, side), *o = side_of(w, other(side));

    if (s->unanswered < FLOW_LOST || !o->has_ack || s->asked_len < FULL_LEAST ||
        s->asked_len < s->largest || s->took >= s->asked_len || s->window_probes)
        return false;
    f->certainty = FINDING_LIKELY;
    finding_say(
        f,
        "segments of %u bytes of the %s's are lost every time, and smaller ones are not: the "
        "path has a smaller MTU and does not say so",
        s->asked_len, flow_side_name(side));
    finding_advise(
        f, "look for a tunnel on the way, and for a firewall that drops ICMP; clamp the MSS");
    return true;
}

/* The server repeats its SYN-ACK, though the client has acknowledged it and sends data, of which
 * the server acknowledges nothing. */
static bool accept_queue_full(const struct watched *w, enum track_side side, struct finding *f)
{
    const struct measure_side *a = side_of(w, TRACK_A), *b = side_of(w, TRACK_B);

    if (side == TRACK_A || b->syns < 3 || !a->has_ack || a->data_segments < 2 || b->data_segments ||
        a->took)
        return false;
    f->certainty = FINDING_LIKELY;
    finding_say(
        f,
        "the server sent its SYN-ACK %u times, although the client had acknowledged it: its "
        "application accepts no connection",
        b->syns);
    finding_advise(f,
                   "look at the listening socket on the server (ss -lt: is Recv-Q above Send-Q?)");
    return true;
}

static bool window_limited(const struct watched *w, enum track_side side, struct finding *f)
{
    const struct measure_side *s = side_of(w, side);
    char n[HUMAN_TEXT], window[HUMAN_TEXT];

    if (s->window_full < MANY)
        return false;
    f->certainty = FINDING_LIKELY;
    finding_say(f,
                "the %s filled the %s's receive window %s times: its size, %s at most, limits the "
                "transfer",
                flow_side_name(side), flow_side_name(other(side)), human_count(s->window_full, n),
                human_bytes(side_of(w, other(side))->window_max, window));
    finding_advise(f, "a larger receive buffer on the %s, or an application that reads faster",
                   flow_side_name(other(side)));
    return true;
}

static bool isn_reused(const struct watched *w, enum track_side side, struct finding *f)
{
    if (!w->isn_reused[side])
        return false;
    f->certainty = FINDING_PROVED;
    finding_say(f,
                "the %s begins within the sequence numbers of the last connection between the same "
                "ports: old segments can be taken for new ones",
                flow_side_name(side));
    finding_advise(f, "look at how the %s, or a NAT before it, chooses ports and sequence numbers",
                   flow_side_name(side));
    return true;
}

static bool window_closed(const struct watched *w, enum track_side side, struct finding *f)
{
    const struct measure_side *s = side_of(w, side), *o = side_of(w, other(side));
    const wave_time shut = measure_zero_for(s, w->measure.last);
    char t[HUMAN_TEXT], n[HUMAN_TEXT];

    /* It harms the other side only where that has something to send. */
    if (!s->zero_windows || shut < SHUT_LONG || shut / s->zero_windows < SHUT_EACH ||
        (!o->window_probes && !o->window_full))
        return false;
    f->certainty = FINDING_PROVED;
    finding_say(f, "the %s's receive window was shut for %s in all (%s segments say so)%s",
                flow_side_name(side), human_duration(shut, t), human_count(s->zero_windows, n),
                s->zero ? ", and was at the end" : "");
    finding_advise(f, "look at the application on the %s: it does not read what comes",
                   flow_side_name(side));
    return true;
}

static bool loss(const struct watched *w, enum track_side side, struct finding *f)
{
    const struct measure_side *s = side_of(w, side);
    const uint32_t real = measure_lost(s, side_of(w, other(side)));
    const bool all = real == s->fast + s->timeouts; /* all of them were sent for a loss */
    char n[HUMAN_TEXT], of[HUMAN_TEXT], fast[HUMAN_TEXT], timers[HUMAN_TEXT], how[100];

    /* Where the other side's segments cannot be taken, it may have all, and its ACKs do not count.
     * Where nothing comes from it any more, it may be gone. */
    if (real < SOME || (uint64_t)real * 1000 < (uint64_t)s->data_segments * LOSS_PERMILLE ||
        side_of(w, other(side))->unacceptable >= real || s->unanswered >= real)
        return false;
    f->certainty = FINDING_LIKELY;
    snprintf(how, sizeof how, ": %s fast, %s by a timer", human_count(s->fast, fast),
             human_count(s->timeouts, timers));
    finding_say(f, "%s of the %s's %s segments with data were lost and sent once more%s",
                human_count(real, n), flow_side_name(side), human_count(s->data_segments, of),
                all ? how : "");
    finding_advise(f,
                   s->gaps > real / 2 ? "the loss is between the %s and the place of the capture"
                                      : "the loss is behind the place of the capture, as the %s "
                                        "sees it",
                   flow_side_name(side));
    return true;
}

static bool retransmits_needlessly(const struct watched *w, enum track_side side, struct finding *f)
{
    const struct measure_side *s = side_of(w, side);
    char n[HUMAN_TEXT];

    if (s->spurious < SOME)
        return false;
    f->certainty = FINDING_LIKELY;
    finding_say(
        f, "the %s sent %s segments once more that the %s had acknowledged before, as seen here",
        flow_side_name(side), human_count(s->spurious, n), flow_side_name(other(side)));
    finding_advise(f,
                   "the acknowledgements are lost behind the place of the capture, or come late");
    return true;
}

/* Says how an option differs between the two places of a SYN, if it does. */
static void add_change(struct text_out *t, const struct measure_syn *s, unsigned bits,
                       const char *name, unsigned first, unsigned second)
{
    const unsigned had = s->has & bits, has = s->other & bits;

    if (had == has && (!had || first == second))
        return;
    text_add(t, "%s%s ", t->used ? "; " : "", name);
    if (had && has && first != second)
        text_add(t, "%u at the first, %u at the second", first, second);
    else
        text_add(t, "at the %s only", had > has ? "first" : "second");
}

static bool options_changed(const struct watched *w, enum track_side side, struct finding *f)
{
    const struct measure_syn *s = &side_of(w, side)->syn;
    char changes[FINDING_TEXT] = "";
    struct text_out t = {changes, sizeof changes, 0};

    if (!s->differs)
        return false;
    add_change(&t, s, OPT_MSS, "MSS", s->mss, s->other_mss);
    add_change(&t, s, OPT_WSCALE, "window scale", s->wscale, s->other_wscale);
    add_change(&t, s, OPT_SACK_PERMITTED, "SACK", 0, 0);
    add_change(&t, s, OPT_TIMESTAMP, "timestamps", 0, 0);
    add_change(&t, s, 0xffu & ~(OPT_MSS | OPT_WSCALE | OPT_SACK_PERMITTED | OPT_TIMESTAMP),
               "another option", 0, 0);
    f->certainty = FINDING_PROVED;
    finding_say(f, "a device between two places of the capture changes the %s's %s: %s",
                flow_side_name(side), s->flags & SEG_ACK ? "SYN-ACK" : "SYN", changes);
    finding_advise(f,
                   "the %s knows only what the place near it shows; look for a firewall, a router "
                   "or a tunnel between the two places",
                   flow_side_name(other(side)));
    return true;
}

/* The capture shows one side only, and that side goes on: so the other one is there. */
static bool one_direction(const struct watched *w, enum track_side side, struct finding *f)
{
    const struct measure_side *s = side_of(w, side), *o = side_of(w, other(side));

    if (o->segments || s->segments < SOME || !s->has_ack || o->not_captured == 0)
        return false;
    f->certainty = FINDING_PROVED;
    finding_say(f, "only the %s's segments were captured; they acknowledge what the %s sent",
                flow_side_name(side), flow_side_name(other(side)));
    finding_advise(f, "the other direction takes another way, or a filter has left it out");
    return true;
}

static bool capture_loss(const struct watched *w, enum track_side side, struct finding *f)
{
    const struct measure_side *s = side_of(w, side);
    char n[HUMAN_TEXT];

    /* Where a device rewrites numbers, the bytes may have come in segments that fit nothing. */
    if (!s->not_captured || !s->segments || s->unacceptable)
        return false;
    f->certainty = FINDING_PROVED;
    finding_say(f, "%s of the %s's were acknowledged and are not in the capture",
                human_bytes(s->not_captured, n), flow_side_name(side));
    finding_advise(
        f, "the capture has lost packets: numbers about this flow may be too high or too low");
    return true;
}

/* What was acknowledged did come, so that the capture lacks it alone: of fragments, only the first
 * one has the ports that a filter may ask for. */
static bool fragments(const struct watched *w, enum track_side side, struct finding *f)
{
    const struct measure_side *s = side_of(w, side);
    const uint32_t lost = w->incomplete[side];
    char n[HUMAN_TEXT];
    struct seq next;

    if (!lost)
        return false;
    f->certainty = FINDING_LIKELY;
    human_count(lost, n);
    if (s->not_captured) {
        f->subject = FINDING_LOCAL;
        finding_say(f,
                    "IP fragments of %s packet%s of the %s's are not in the capture, and what they "
                    "carried was acknowledged",
                    n, lost == 1 ? "" : "s", flow_side_name(side));
        finding_advise(f, "a filter by ports takes the first fragment of a packet alone, which has "
                          "them: capture without one");
        return true;
    }
    if (!track_next(&w->track, side, &next) || seq_geq(w->incomplete_last[side], next))
        f->severity = FINDING_PROBLEM; /* its bytes did not come in another packet either */
    finding_say(f,
                "IP fragments of %s packet%s of the %s's never came, so that %s could not be put "
                "together",
                n, lost == 1 ? "" : "s", flow_side_name(side), lost == 1 ? "it" : "they");
    finding_advise(f,
                   "firewalls and load balancers often drop fragments: let them pass, or have the "
                   "%s send smaller segments; or the capture's filter goes by ports, which only "
                   "the first fragment has",
                   flow_side_name(side));
    return true;
}

static bool reordered(const struct watched *w, enum track_side side, struct finding *f)
{
    const struct measure_side *s = side_of(w, side);
    char n[HUMAN_TEXT];

    if (!s->out_of_order)
        return false;
    f->certainty = FINDING_LIKELY;
    finding_say(f, "%s segment%s of the %s's %s overtaken on the way here",
                human_count(s->out_of_order, n), s->out_of_order == 1 ? "" : "s",
                flow_side_name(side), s->out_of_order == 1 ? "was" : "were");
    return true;
}

static bool duplicated(const struct watched *w, enum track_side side, struct finding *f)
{
    const struct measure_side *s = side_of(w, side);
    char n[HUMAN_TEXT];

    if (!s->duplicates)
        return false;
    f->certainty = FINDING_LIKELY;
    finding_say(
        f,
        "the network has duplicated %s packet%s of the %s's: each is one of before, to the IP "
        "identification or the timestamps",
        human_count(s->duplicates, n), s->duplicates == 1 ? "" : "s", flow_side_name(side));
    return true;
}

static bool idle(const struct watched *w, enum track_side side, struct finding *f)
{
    char t[HUMAN_TEXT];

    if (side == TRACK_B || w->measure.idle < IDLE_LONG)
        return false;
    f->certainty = FINDING_PROVED;
    finding_say(f, "neither side sent anything for %s", human_duration(w->measure.idle, t));
    return true;
}

static bool captured_twice(const struct watched *w, enum track_side side, struct finding *f)
{
    char n[HUMAN_TEXT];

    if (side == TRACK_B || !w->elsewhere)
        return false;
    f->certainty = FINDING_PROVED;
    finding_say(f, "%s packet%s captured at a second place as well, and counted once",
                human_count(w->elsewhere, n), w->elsewhere == 1 ? " was" : "s were");
    return true;
}

/* What a SYN was answered with, and must not be taken for its answer (RFC 9293, 3.10.7.3). */
static bool answered_astray(const struct watched *w, enum track_side side, enum measure_astray kind,
                            struct finding *f)
{
    const bool opened = side_of(w, TRACK_B)->syns != 0;

    if (side != TRACK_B || !(side_of(w, side)->astray & kind))
        return false;
    if (opened || w->rst[TRACK_B].segment)
        f->severity = FINDING_INFO;
    f->certainty = FINDING_PROVED;
    return true;
}

static bool rst_unacceptable(const struct watched *w, enum track_side side, struct finding *f)
{
    if (!answered_astray(w, side, MEASURE_ASTRAY_RST, f))
        return false;
    finding_say(f, "a RST came for the client's SYN and does not acknowledge it, so that a host "
                   "ignores it");
    finding_advise(f, "the port is probably closed: a firewall or a very simple TCP answers like "
                      "this");
    return true;
}

static bool syn_ack_unacceptable(const struct watched *w, enum track_side side, struct finding *f)
{
    if (!answered_astray(w, side, MEASURE_ASTRAY_SYN_ACK, f))
        return false;
    finding_say(f, "a SYN-ACK came that acknowledges another SYN than the client's");
    finding_advise(f, "a device on the way may rewrite sequence numbers, or the server answers an "
                      "older SYN from these ports");
    return true;
}

static bool ack_to_syn(const struct watched *w, enum track_side side, struct finding *f)
{
    if (!answered_astray(w, side, MEASURE_ASTRAY_ACK, f))
        return false;
    f->certainty = FINDING_LIKELY;
    finding_say(f,
                "the server answered the client's SYN with an ACK of something else: it holds an "
                "older connection over these ports");
    finding_advise(f, "the client's RST should end that one; where it does not, the RST is lost on "
                      "the way");
    return true;
}

static const struct flow_row rows[] = {
    {"rst-unacceptable", FINDING_PROBLEM, FINDING_PEER, rst_unacceptable},
    {"syn-ack-unacceptable", FINDING_PROBLEM, FINDING_PEER, syn_ack_unacceptable},
    {"ack-to-syn", FINDING_PROBLEM, FINDING_PEER, ack_to_syn},
    {"rst-by-middlebox", FINDING_WARNING, FINDING_PATH, rst_by_middlebox},
    {"black-hole", FINDING_PROBLEM, FINDING_PATH, black_hole},
    {"accept-queue-full", FINDING_PROBLEM, FINDING_PEER, accept_queue_full},
    {"silent", FINDING_PROBLEM, FINDING_PEER, silent},
    {"isn-reused", FINDING_WARNING, FINDING_PEER, isn_reused},
    {"window-closed", FINDING_WARNING, FINDING_PEER, window_closed},
    {"fragments", FINDING_WARNING, FINDING_PATH, fragments},
    {"loss", FINDING_WARNING, FINDING_PATH, loss},
    {"retransmits-needlessly", FINDING_INFO, FINDING_PEER, retransmits_needlessly},
    {"options-changed", FINDING_WARNING, FINDING_PATH, options_changed},
    {"one-direction", FINDING_WARNING, FINDING_LOCAL, one_direction},
    {"capture-loss", FINDING_WARNING, FINDING_LOCAL, capture_loss},
    {"window-limited", FINDING_INFO, FINDING_PEER, window_limited},
    {"reordered", FINDING_INFO, FINDING_PATH, reordered},
    {"duplicated", FINDING_INFO, FINDING_PATH, duplicated},
    {"idle", FINDING_INFO, FINDING_PEER, idle},
    {"captured-twice", FINDING_INFO, FINDING_LOCAL, captured_twice},
};

#define ROWS (sizeof rows / sizeof *rows)

const char *flow_finding_code(unsigned i)
{
    return i < ROWS ? rows[i].code : NULL;
}

/* Returns whether something happened, to what the side sent, that a row asks for. Of most flows
 * there is nothing to find, and this is cheaper than to ask every row about either side. */
static bool remarkable(const struct measure_side *s, const struct measure_side *o)
{
    return (s->resets | s->window_full | s->zero_windows | s->retransmissions | s->spurious |
            s->out_of_order | s->duplicates) ||
           s->unanswered || s->not_captured || s->syns > 2 || s->syn.differs || !o->segments;
}

void flow_findings(const struct watched *w, struct findings *list)
{
    const struct measure_side *a = side_of(w, TRACK_A), *b = side_of(w, TRACK_B);

    if (remarkable(a, b) || remarkable(b, a) || w->isn_reused[TRACK_A] || w->isn_reused[TRACK_B] ||
        w->elsewhere || w->incomplete[TRACK_A] || w->incomplete[TRACK_B] ||
        w->measure.idle >= IDLE_LONG)
        flow_findings_in_full(w, list);
}

void flow_findings_in_full(const struct watched *w, struct findings *list)
{
    for (unsigned i = 0; i < ROWS; i++)
        for (unsigned side = 0; side < TRACK_SIDES; side++) {
            struct finding f;
            f.code = rows[i].code;
            f.severity = rows[i].severity;
            f.subject = rows[i].subject;
            f.evidences = 0;
            f.advice[0] = '\0';
            if (rows[i].holds(w, side, &f))
                findings_add(list, &f);
        }
}

const struct finding *flow_strongest(const struct findings *list)
{
    const struct finding *best = NULL;

    for (unsigned i = 0; i < list->count; i++)
        if (!best || list->at[i].severity > best->severity)
            best = &list->at[i];
    return best;
}

/* Leaves out what is zero: most flows have little to tell. */
#include "lib/report/flow_rows.h"

#include <stdio.h>
#include <string.h>

#include "lib/report/human.h"

#define TEXT 320

static void offers(const struct measure_syn *s, char *text, size_t room)
{
    size_t n = 0;

    if (!s->seen) {
        snprintf(text, room, "SYN not captured");
        return;
    }
    text[0] = '\0';
    if (s->has & OPT_MSS)
        n += (size_t)snprintf(text + n, room - n, " MSS %u,", s->mss);
    if (s->has & OPT_WSCALE)
        n += (size_t)snprintf(text + n, room - n, " window scale %u,", s->wscale);
    if (s->has & OPT_SACK_PERMITTED)
        n += (size_t)snprintf(text + n, room - n, " SACK,");
    if (s->has & OPT_TIMESTAMP)
        n += (size_t)snprintf(text + n, room - n, " timestamps,");
    if (s->has & OPT_CUT)
        n += (size_t)snprintf(text + n, room - n, " others not captured,");
    if (n)
        text[n - 1] = '\0';
    else
        snprintf(text, room, " no options");
}

static void handshake_rows(struct figures *to, const struct measure *m)
{
    char there[HUMAN_TEXT], back[HUMAN_TEXT], all[HUMAN_TEXT], options[TEXT];
    const wave_time whole = measure_handshake(m);

    if (whole != WAVE_NEVER)
        figures_row(to, "handshake", "round trip %s: %s to the server and back, %s to the client",
                    human_duration(whole, all), human_duration(m->to_server, there),
                    human_duration(m->to_client, back));
    for (unsigned i = 0; i < TRACK_SIDES; i++) {
        if (!m->side[i].syn.seen)
            continue;
        offers(&m->side[i].syn, options, sizeof options);
        figures_row(to, i == 0 || !m->side[TRACK_A].syn.seen ? "offers" : "", "%s:%s",
                    flow_side_name(i), options);
    }
}

/* Adds a count and its word, of which the plural ends in s. */
static void add_words(char *text, size_t room, uint64_t n, const char *word)
{
    char words[HUMAN_TEXT];

    snprintf(words, sizeof words, "%s%s", word, n == 1 ? "" : "s");
    human_add(text, room, n, words);
}

/* What was sent more than once, or in another order. */
static void again(const struct measure_side *s, char *text, size_t room)
{
    char kinds[TEXT] = "";
    const size_t used = strlen(text);

    human_add(kinds, sizeof kinds, s->fast, "fast");
    human_add(kinds, sizeof kinds, s->timeouts, "by a timer");
    human_add(kinds, sizeof kinds, s->spurious, "spurious");
    add_words(text, room, s->retransmissions, "retransmission");
    if (kinds[0] && strlen(text) > used)
        snprintf(text + strlen(text), room - strlen(text), " (%s)", kinds);
    human_add(text, room, s->out_of_order, "overtaken");
    human_add(text, room, s->duplicates, "duplicated by the network");
    add_words(text, room, s->gaps, "gap");
}

static void remarks(const struct measure_side *s, wave_time now, char *text, size_t room)
{
    char shut[HUMAN_TEXT];

    add_words(text, room, s->duplicate_acks, "duplicate ACK");
    add_words(text, room, s->dsacks, "D-SACK");
    human_add(text, room, s->window_full, "filled the window");
    add_words(text, room, s->keepalives, "keepalive probe");
    add_words(text, room, s->window_probes, "window probe");
    human_add(text, room, s->unacceptable, "unacceptable");
    human_add(text, room, s->zero_windows, "with a window of 0");
    if (s->zero_windows)
        snprintf(text + strlen(text), room - strlen(text), " (for %s)",
                 human_duration(measure_zero_for(s, now), shut));
}

static void side_rows(struct figures *to, const struct watched *w, enum track_side which,
                      const struct measure_room *room)
{
    const struct measure_side *s = &w->measure.side[which];
    char n[HUMAN_TEXT], bytes[HUMAN_TEXT], rate[HUMAN_TEXT], text[TEXT] = "", more[TEXT] = "";
    char min[HUMAN_TEXT], median[HUMAN_TEXT], p95[HUMAN_TEXT];
    const double goodput = measure_goodput(s);

    snprintf(text, sizeof text, "%s segment%s, %s", human_count(s->segments, n),
             s->segments == 1 ? "" : "s", human_bytes(s->bytes, bytes));
    if (goodput >= 1)
        snprintf(text + strlen(text), sizeof text - strlen(text), " at %s/s",
                 human_bytes((uint64_t)goodput, rate));
    again(s, text, sizeof text);
    figures_row(to, flow_side_name(which), "%s", text);
    remarks(s, w->measure.last, more, sizeof more);
    if (more[0])
        figures_row(to, "", "%s", more);
    if (s->rtt.count)
        figures_row(to, "",
                    "its segments are acknowledged in %s at least, %s as a median, %s for 95 %%",
                    human_duration(measure_rtt(&s->rtt, room, 0), min),
                    human_duration(measure_rtt(&s->rtt, room, 50), median),
                    human_duration(measure_rtt(&s->rtt, room, 95), p95));
}

void flow_rows(struct figures *to, const struct watched *w, const struct flow_verdict *v,
               const struct measure_room *room)
{
    const char *state = zeek_state(&w->zeek);
    char lasted[HUMAN_TEXT];

    figures_row(to, "flow", "%s", v->text);
    figures_row(to, "lasted", "%s", human_duration(w->measure.last - w->measure.first, lasted));
    handshake_rows(to, &w->measure);
    side_rows(to, w, TRACK_A, room);
    side_rows(to, w, TRACK_B, room);
    for (unsigned i = 0; i < TRACK_SIDES; i++) {
        const struct track_view t = track_view_stranger(&w->track, i);
        figures_row(to, i ? "" : "states", "%s: %s%s%s", flow_side_name(i), state_name(t.state),
                    t.certainty == CERTAINTY_PROVED ? ", proved: "
                    : t.state == STATE_UNKNOWN      ? ": "
                                                    : ", assumed: ",
                    t.cause ? t.cause : "");
    }
    figures_row(to, "Zeek", "%s, history %s", state, w->zeek.history);
}

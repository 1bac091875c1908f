/*
 * Makes the words on an arrow. label_segment() adds pieces in the order in which they are read:
 * flags, what is remarkable, numbers, options, and with -v the header's own values.
 */
#include "lib/show/label.h"

#include <stdarg.h>
#include <string.h>

#define PIECE 14 /* columns of a long remark before it may be broken */

static void add(struct label *l, enum tone tone, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void add(struct label *l, enum tone tone, const char *format, ...)
{
    va_list ap;

    if (l->count == LABEL_PIECES)
        return;
    va_start(ap, format);
    vsnprintf(l->piece[l->count].text, sizeof l->piece[0].text, format, ap);
    va_end(ap);
    l->piece[l->count++].tone = tone;
}

/* Adds the flags in the order in which people say them: "SYN ACK", "PSH ACK", "FIN PSH ACK". */
static void flags(struct label *l, const struct report_segment *g, bool terse)
{
    static const struct {
        unsigned bit;
        const char *name;
    } names[] = {{SEG_SYN, "SYN"}, {SEG_FIN, "FIN"}, {SEG_RST, "RST"},
                 {SEG_PSH, "PSH"}, {SEG_ACK, "ACK"}, {SEG_URG, "URG"},
                 {SEG_ECE, "ECE"}, {SEG_CWR, "CWR"}, {SEG_AE, "AE"}};
    unsigned bits = g->packet->seg.flags;
    enum tone tone = bits & SEG_RST ? TONE_TROUBLE : g->out ? TONE_OURS : TONE_PEER;
    char text[64] = "";
    size_t used = 0;

    if (terse && (bits & SEG_PSH) && !(bits & SEG_FIN))
        bits &= ~(unsigned)SEG_ACK;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!(bits & names[i].bit))
            continue;
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", used ? " " : "",
                                 names[i].name);
    }
    add(l, tone, "%s", text[0] ? text : "no flags");
}

/* Adds what a rule did, in pieces that fit on any arrow. */
static void impaired(struct label *l, const struct impaired *i)
{
    const char *at = i->what, *next;

    add(l, TONE_TROUBLE, "impaired by rule %u:", i->rule);
    for (; *at; at = next)
        add(l, TONE_TROUBLE, "%.*s", (int)text_break(at, PIECE, &next), at);
}

static void remarks(struct label *l, const struct report_segment *g)
{
    static const struct {
        unsigned bit;
        const char *text;
    } notes[] = {{TRACK_PROBE, "probe"},
                 {TRACK_PROBE_ANSWER, "answers probe"},
                 {TRACK_WINDOW_PROBE, "window probe"},
                 {TRACK_CHALLENGE, "challenge"},
                 {TRACK_OUT_OF_ORDER, "out of order"},
                 {TRACK_DUPLICATE_ACK, "duplicate"},
                 {TRACK_OUT_OF_WINDOW, "out of window"},
                 {TRACK_ZERO_WINDOW, "zero window"}};

    /* A segment of the peer's that fills a gap is a retransmission as well, or was overtaken; the
     * copy before it was never captured, so it has no number. */
    if (g->retransmission && g->repeats)
        add(l, TONE_DOUBT, "retransmission of %u", g->repeats);
    else if (g->retransmission)
        add(l, TONE_DOUBT, g->out ? "retransmission" : "fills gap");
    for (size_t i = 0; i < sizeof notes / sizeof notes[0]; i++)
        if (g->notes & notes[i].bit)
            add(l, TONE_DOUBT, "%s", notes[i].text);
    if (g->fragments)
        add(l, TONE_DOUBT, "in %u fragments", g->fragments);
    if (g->half_closed)
        add(l, TONE_BOLD, "half-close");
    if (g->foreign)
        add(l, TONE_TROUBLE, "not ours: sent by this host's kernel");
    if (g->missed)
        add(l, TONE_DOUBT, "not captured");
    if (g->repair)
        add(l, TONE_DOUBT, "retransmission: our capture missed the first");
}

bool label_is_dsack(const struct seg *s)
{
    const struct sack_block *b = s->opt.sack;

    if (!(s->opt.has & OPT_SACK) || !s->opt.sacks)
        return false;
    return seq_leq(b[0].end, s->ack) ||
           (s->opt.sacks > 1 && seq_geq(b[0].first, b[1].first) && seq_leq(b[0].end, b[1].end));
}

static void options(struct label *l, const struct report_segment *g, bool verbose)
{
    const struct seg *s = &g->packet->seg;
    const struct opt *o = &s->opt;

    if (o->has & OPT_MSS)
        add(l, TONE_DIM, "mss %u", o->mss);
    if (o->has & OPT_WSCALE)
        add(l, TONE_DIM, "wscale %u", o->wscale);
    if (o->has & OPT_SACK_PERMITTED)
        add(l, TONE_DIM, "SACK");
    for (unsigned i = 0; (o->has & OPT_SACK) && i < o->sacks; i++) {
        /* SACK blocks are relative to the same ISN as the acknowledgement number. */
        uint32_t base = s->ack.v - g->rel_ack;
        add(l, TONE_DIM, "%s %u:%u", i == 0 && label_is_dsack(s) ? "D-SACK" : "sack",
            o->sack[i].first.v - base, o->sack[i].end.v - base);
    }
    if ((o->has & OPT_TIMESTAMP) && verbose)
        add(l, TONE_DIM, "TS %u:%u", o->tsval, o->tsecr);
    else if ((o->has & OPT_TIMESTAMP) && (s->flags & SEG_SYN))
        add(l, TONE_DIM, "TS");
    if (o->has & OPT_OTHER)
        add(l, TONE_DIM, "other options");
    if (o->has & OPT_MALFORMED)
        add(l, TONE_TROUBLE, "malformed options");
    if (o->has & OPT_CUT)
        add(l, TONE_DIM, "options cut short");
}

/* Adds the header's own values: numbers that people count with in decimal, and in hexadecimal those
 * that they compare with other tools. The checksum is as captured, so that of a segment whose host
 * leaves it to its network card may be incomplete. */
static void header_fields(struct label *l, const struct report_segment *g)
{
    const struct packet *p = g->packet;
    const struct seg *s = &p->seg;
    char text[SEG_FLAGS_TEXT];

    add(l, TONE_DIM, "[%s]", seg_flags_text(s->flags, text));
    add(l, TONE_DIM, "flags=0x%03x", s->flags);
    add(l, TONE_DIM, "seq=%u", s->seq.v);
    if (s->flags & SEG_ACK)
        add(l, TONE_DIM, "ack=%u", s->ack.v);
    add(l, TONE_DIM, "win=%u", s->wnd);
    if (p->l4 && p->l4_len >= SEG_HEADER)
        add(l, TONE_DIM, "cksum=0x%04x", p->l4[16] << 8 | p->l4[17]);
    add(l, TONE_DIM, "ttl=%u", p->ttl);
    if (!p->flow.v6 && !g->missed)
        add(l, TONE_DIM, "id=0x%04x", p->id);
}

void label_segment(struct label *l, const struct report_segment *g, bool terse, bool verbose)
{
    const struct seg *s = &g->packet->seg;

    l->count = 0;
    flags(l, g, terse);
    remarks(l, g);
    add(l, TONE_PLAIN, "seq %u", g->rel_seq);
    if (s->flags & SEG_ACK)
        add(l, TONE_PLAIN, "ack %u", g->rel_ack);
    if (s->len)
        add(l, TONE_BOLD, "len %u", s->len);
    /* The window of a RST means nothing, and one that has not changed is not repeated. */
    if (!(s->flags & SEG_RST) && (g->window_changed || !terse))
        add(l, TONE_PLAIN, "win %u", g->window);
    if (s->flags & SEG_URG)
        add(l, TONE_PLAIN, "urg %u", s->urp);
    l->options = l->count;
    options(l, g, verbose);
    if (verbose)
        header_fields(l, g);
    l->words = l->count;
    if (g->impaired)
        impaired(l, g->impaired);
}

void label_remark(struct label *l, enum tone tone, const char *text)
{
    if (l->count == LABEL_PIECES)
        return;
    memmove(l->piece + 2, l->piece + 1, (l->count - 1) * sizeof l->piece[0]);
    l->piece[1].tone = tone;
    snprintf(l->piece[1].text, sizeof l->piece[1].text, "%s", text);
    l->count++;
    l->options++;
    l->words++;
}

unsigned label_fit(const struct label *label, unsigned first, unsigned room, unsigned *width)
{
    unsigned i, used = 0, before = 0;
    const unsigned end = first < label->words ? label->words : label->count;

    for (i = first; i < end; i++) {
        unsigned more = (unsigned)strlen(label->piece[i].text) + (i > first);
        if (i == label->options)
            before = used;
        if (i > first && used + more > room)
            break;
        used += more;
    }
    if (i < end && first < label->options && i > label->options) {
        i = label->options;
        used = before;
    }
    if (width)
        *width = used;
    return i;
}

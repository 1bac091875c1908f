/*
 * Counts what answered, and reports it: as figures and a message for the verdict, and as one line
 * for each answer, each segment without one, and, with -v, each segment of ours.
 */
#include "cmd/send_report.h"

#include <inttypes.h>
#include <string.h>

#include "lib/core/addr.h"
#include "lib/core/text.h"
#include "lib/report/human.h"

/*
 * Counting
 */

void tally_answer(struct tally *t, const struct match_result *a, const struct icmp *error)
{
    if (a->stray) {
        t->strays++;
        return;
    }
    t->late += a->late;
    t->out_of_order += a->out_of_order;
    if (error) {
        t->has_icmp = true;
        t->icmp = *error;
    }
    if (a->duplicate) {
        t->duplicates++;
        return;
    }
    t->first[a->kind]++;
    if (a->rtt == WAVE_NEVER)
        return;
    histogram_add(&t->rtt, a->rtt);
    double off = (double)a->rtt - t->mean;
    t->mean += off / (double)t->rtt.count;
    t->m2 += off * ((double)a->rtt - t->mean);
}

void tally_unanswered(struct tally *t, uint64_t i)
{
    unsigned last = t->ranges - 1; /* used only if there is a range */

    if (t->ranges && !t->more && t->unanswered[last].last == i) {
        t->unanswered[last].last = i + 1;
    } else if (t->ranges < TALLY_RANGES) {
        t->unanswered[t->ranges].first = t->unanswered[t->ranges].last = i + 1;
        t->ranges++;
    } else {
        t->more++;
    }
}

enum verdict tally_verdict(const struct tally *t)
{
    if (t->first[ANSWER_SYN_ACK] || t->first[ANSWER_ACK] || t->first[ANSWER_OTHER])
        return VERDICT_OPEN;
    if (t->first[ANSWER_RST] > t->odd_rst)
        return VERDICT_REFUSED;
    return t->first[ANSWER_ICMP] ? VERDICT_REJECTED : VERDICT_DROPPED;
}

static const char *plural(uint64_t n)
{
    return n == 1 ? "" : "s";
}

void tally_message(const struct tally *t, uint64_t sent, uint64_t answered, const char *peer,
                   char text[TALLY_MESSAGE])
{
    char from[ADDR_TEXT], n[HUMAN_TEXT], of[HUMAN_TEXT], icmp[HUMAN_ICMP];
    bool v6 = t->icmp.flow.v6;

    human_count(answered, n);
    human_count(sent, of);
    switch (tally_verdict(t)) {
    case VERDICT_REFUSED:
        snprintf(text, TALLY_MESSAGE, "%s refused: RST answered %s of %s segment%s", peer,
                 human_count(t->first[ANSWER_RST] - t->odd_rst, n), of, plural(sent));
        break;
    case VERDICT_REJECTED:
        snprintf(text, TALLY_MESSAGE, "%s was rejected by %s: %s", peer,
                 addr_text(v6, &t->icmp.from, from),
                 human_icmp(v6, t->icmp.type, t->icmp.code, icmp));
        break;
    case VERDICT_DROPPED:
        if (t->elsewhere && !t->came)
            snprintf(text, TALLY_MESSAGE,
                     "%s itself did not answer %s segment%s: what came for our port had other "
                     "addresses",
                     peer, of, plural(sent));
        else
            snprintf(text, TALLY_MESSAGE,
                     t->came ? "no acceptable answer came to %s segment%s to %s"
                             : "nothing answered %s segment%s to %s",
                     of, plural(sent), peer);
        break;
    default:
        snprintf(text, TALLY_MESSAGE, "%s answered %s of %s segment%s", peer, n, of, plural(sent));
        break;
    }
}

/* Returns the square root by Heron's method, so that the mathematics library is not needed: the
 * iteration begins above the root and falls until it has reached it. */
static double root(double square)
{
    double next = square > 1 ? square : 1, x;

    do {
        x = next;
        next = (x + square / x) / 2;
    } while (next < x);
    return x;
}

static void end_figures(struct figures *f, const char *name, const char *addr, uint16_t port)
{
    figures_group(f, name);
    figures_text(f, "addr", addr);
    figures_count(f, "port", port);
    figures_end(f);
}

static void answer_figures(const struct tally *t, struct figures *f)
{
    figures_list(f, "unanswered");
    for (unsigned i = 0; i < t->ranges; i++)
        figures_range(f, t->unanswered[i].first, t->unanswered[i].last);
    figures_end(f);
    figures_count(f, "unanswered_more", t->more);
    figures_group(f, "answers");
    figures_count(f, "syn_ack", t->first[ANSWER_SYN_ACK]);
    figures_count(f, "rst", t->first[ANSWER_RST]);
    figures_count(f, "ack", t->first[ANSWER_ACK]);
    figures_count(f, "other", t->first[ANSWER_OTHER]);
    figures_count(f, "icmp", t->first[ANSWER_ICMP]);
    figures_end(f);
    figures_count(f, "duplicates", t->duplicates);
    figures_count(f, "late", t->late);
    figures_count(f, "out_of_order", t->out_of_order);
    figures_count(f, "strays", t->strays);
    figures_count(f, "malformed", t->malformed);
}

static void members(const struct tally *t, const struct tally_run *r, wave_time stddev,
                    const struct histogram_summary *rtt, struct figures *f)
{
    end_figures(f, "local", r->local, r->flow->lport);
    end_figures(f, "peer", r->remote, r->flow->rport);
    figures_group(f, "send");
    figures_count(f, "sent", r->sent);
    figures_count(f, "answered", r->answered);
    answer_figures(t, f);
    figures_count(f, "ports", r->ports);
    figures_histogram(f, "rtt", rtt);
    figures_seconds(f, "rtt_stddev", stddev);
    if (r->rate > 0)
        figures_real(f, "rate", r->rate);
    else
        figures_unknown(f, "rate");
    if (r->sent > 1)
        figures_real(f, "rate_reached", r->reached);
    else
        figures_unknown(f, "rate_reached");
    figures_end(f);
}

static void unanswered_row(const struct tally *t, struct figures *f)
{
    char text[360] = "", more[HUMAN_TEXT];
    size_t used = 0;

    for (unsigned i = 0; i < t->ranges; i++) {
        const struct tally_range *g = &t->unanswered[i];
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%" PRIu64, i ? ", " : "",
                                 g->first);
        if (g->last != g->first)
            used += (size_t)snprintf(text + used, sizeof text - used, "-%" PRIu64, g->last);
    }
    if (t->ranges && t->more)
        figures_row(f, "unanswered", "%s and %s more", text, human_count(t->more, more));
    else if (t->ranges)
        figures_row(f, "unanswered", "%s", text);
}

static void answer_rows(const struct tally *t, struct figures *f)
{
    char text[160] = "";

    human_add(text, sizeof text, t->first[ANSWER_SYN_ACK], "SYN-ACK");
    human_add(text, sizeof text, t->first[ANSWER_RST], "RST");
    human_add(text, sizeof text, t->first[ANSWER_ACK], "ACK");
    human_add(text, sizeof text, t->first[ANSWER_OTHER], "other");
    human_add(text, sizeof text, t->first[ANSWER_ICMP], "ICMP");
    if (text[0])
        figures_row(f, "answers", "%s", text);
    text[0] = '\0';
    human_add(text, sizeof text, t->duplicates, "duplicate");
    human_add(text, sizeof text, t->late, "late");
    human_add(text, sizeof text, t->out_of_order, "out of order");
    human_add(text, sizeof text, t->malformed, "malformed");
    human_add(text, sizeof text, t->strays, "stray");
    if (text[0])
        figures_row(f, "of note", "%s", text);
    unanswered_row(t, f);
}

void tally_figures(const struct tally *t, struct tally_run *r, struct figures *f)
{
    const struct histogram_summary rtt = histogram_summary(&t->rtt);
    const wave_time stddev = rtt.count ? (wave_time)root(t->m2 / (double)t->rtt.count) : WAVE_NEVER;
    char sent[HUMAN_TEXT], answered[HUMAN_TEXT], a[5][HUMAN_TEXT];

    addr_text(r->flow->v6, &r->flow->local, r->local);
    addr_text(r->flow->v6, &r->flow->remote, r->remote);
    members(t, r, stddev, &rtt, f);
    figures_row(f, "segments", "%s sent, %s answered, %.1f %% loss", human_count(r->sent, sent),
                human_count(r->answered, answered),
                r->sent ? 100.0 * (double)(r->sent - r->answered) / (double)r->sent : 0.0);
    answer_rows(t, f);
    if (rtt.count)
        figures_row(f, "round trip", "min %s, median %s, p95 %s, max %s, stddev %s",
                    human_duration(rtt.min, a[0]), human_duration(rtt.median, a[1]),
                    human_duration(rtt.p95, a[2]), human_duration(rtt.max, a[3]),
                    human_duration(stddev, a[4]));
    if (r->sent > 1 && r->rate > 0)
        figures_row(f, "rate", "%.6g segments/s, of %.6g/s asked", r->reached, r->rate);
    else if (r->sent > 1)
        figures_row(f, "rate", "%s segments/s", human_count((uint64_t)r->reached, sent));
}

/*
 * Lines
 */

/* Adds the options as tcpdump writes them, in their order and with padding: "mss 1460,nop,wscale
 * 7". */
static void add_options(struct line *l, const struct opt *o)
{
    const uint8_t *at = o->raw, *end = o->raw + o->raw_len;
    const char *comma = "";

    line_text(l, TONE_DIM, ", options [");
    while (at && at < end) {
        unsigned kind = at[0], len = kind <= OPT_KIND_NOP ? 1 : at + 1 < end ? at[1] : 0;
        struct opt one;

        if (!len || (kind > OPT_KIND_NOP && len < 2) || at + len > end) {
            line_printf(l, TONE_TROUBLE, "%smalformed %u", comma, kind);
            break;
        }
        opt_parse(at, len, &one);
        if (kind == OPT_KIND_EOL)
            line_printf(l, TONE_DIM, "%seol", comma);
        else if (kind == OPT_KIND_NOP)
            line_printf(l, TONE_DIM, "%snop", comma);
        else if (one.has & OPT_MSS)
            line_printf(l, TONE_DIM, "%smss %u", comma, one.mss);
        else if (one.has & OPT_WSCALE)
            line_printf(l, TONE_DIM, "%swscale %u", comma, one.wscale);
        else if (one.has & OPT_SACK_PERMITTED)
            line_printf(l, TONE_DIM, "%ssackOK", comma);
        else if (one.has & OPT_TIMESTAMP)
            line_printf(l, TONE_DIM, "%sTS val %u ecr %u", comma, one.tsval, one.tsecr);
        else if (one.has & OPT_SACK)
            line_printf(l, TONE_DIM, "%ssack %u {", comma, one.sacks);
        else
            line_printf(l, TONE_DIM, "%sopt-%u:", comma, kind);
        for (unsigned i = 0; (one.has & OPT_SACK) && i < one.sacks; i++)
            line_printf(l, TONE_DIM, "%s%u:%u%s", i ? "," : "", one.sack[i].first.v,
                        one.sack[i].end.v, i + 1 == one.sacks ? "}" : "");
        for (unsigned i = 2; (one.has & (OPT_OTHER | OPT_MALFORMED)) && i < len; i++)
            line_printf(l, TONE_DIM, "%02x", at[i]);
        comma = ",";
        if (kind == OPT_KIND_EOL)
            break; /* what follows is padding */
        at += len;
    }
    line_text(l, TONE_DIM, "]");
}

/* Adds the round trip of an answer, and what is remarkable about it. `rst`: it is a RST. */
static void add_remarks(struct line *l, const struct report_answer *a, bool rst)
{
    const struct {
        bool is;
        const char *text;
    } remarks[] = {
        {a->bad_checksum, "wrong checksum"},
        {a->stray && !a->bad_checksum, "stray: answers none of our segments"},
        {!a->stray && a->duplicate, "duplicate"},
        {!a->stray && a->late, "late"},
        {!a->stray && a->out_of_order, "out of order"},
        {!a->stray && a->unexpected, rst ? "unexpected number: it does not follow from ours"
                                         : "unexpected numbers: those of a connection"}};
    char rtt[HUMAN_TEXT];

    if (!a->stray && a->rtt != WAVE_NEVER)
        line_printf(l, TONE_BOLD, ", rtt %s", human_duration(a->rtt, rtt));
    for (size_t i = 0; i < sizeof remarks / sizeof remarks[0]; i++)
        if (remarks[i].is)
            line_printf(l, TONE_DOUBT, " (%s)", remarks[i].text);
}

/* Adds "3: ", or "-: " if the number is not known. */
static void add_number(struct line *l, bool known, uint64_t number)
{
    if (known)
        line_printf(l, TONE_DIM, "%" PRIu64 ": ", number);
    else
        line_text(l, TONE_DIM, "-: ");
}

/* With -v, the fields that people compare in hexadecimal. The checksum is ours alone: that of a
 * segment of this host's kernel may not have been filled in when it is captured. */
static void add_header_fields(struct line *l, const struct report_segment *g)
{
    const struct packet *p = g->packet;

    if (g->out && !g->foreign && p->l4_len >= SEG_HEADER)
        line_printf(l, TONE_DIM, ", cksum 0x%04x", p->l4[16] << 8 | p->l4[17]);
    line_printf(l, TONE_DIM, ", tos 0x%02x", p->tos);
    if (!p->flow.v6)
        line_printf(l, TONE_DIM, ", id 0x%04x", p->id);
    else if (p->flow_label)
        line_printf(l, TONE_DIM, ", flow label 0x%05x", p->flow_label);
}

static void segment_line(struct line *l, const struct report_segment *g, bool verbose)
{
    const struct packet *p = g->packet;
    const struct seg *s = &p->seg;
    char from[ADDR_PORT_TEXT], to[ADDR_PORT_TEXT], flags[SEG_FLAGS_TEXT];
    enum tone tone = s->flags & SEG_RST ? TONE_TROUBLE : g->out ? TONE_OURS : TONE_PEER;

    if (g->out)
        add_number(l, !g->foreign, g->number);
    else
        add_number(l, !g->answer->stray, g->answer->to);
    line_printf(l, TONE_PLAIN,
                "%s > %s: ", addr_port_text(p->flow.v6, &p->flow.local, p->flow.lport, from),
                addr_port_text(p->flow.v6, &p->flow.remote, p->flow.rport, to));
    line_printf(l, tone, "Flags [%s]", seg_flags_text(s->flags, flags));
    if (verbose)
        line_printf(l, TONE_DIM, " (0x%03x)", s->flags);
    if (s->len)
        line_printf(l, TONE_PLAIN, ", seq %u:%u", s->seq.v, s->seq.v + s->len);
    else
        line_printf(l, TONE_PLAIN, ", seq %u", s->seq.v);
    if (s->flags & SEG_ACK)
        line_printf(l, TONE_PLAIN, ", ack %u", s->ack.v);
    if (verbose)
        line_printf(l, TONE_DIM, ", win %u", s->wnd);
    if (s->flags & SEG_URG)
        line_printf(l, TONE_PLAIN, ", urg %u", s->urp);
    if (verbose && s->opt.raw_len)
        add_options(l, &s->opt);
    else if (s->opt.has & OPT_MALFORMED)
        line_text(l, TONE_TROUBLE, ", malformed options");
    line_printf(l, TONE_PLAIN, ", length %u, ttl %u", s->len, p->ttl);
    if (verbose)
        add_header_fields(l, g);
    if (g->foreign)
        line_text(l, TONE_TROUBLE, " (not ours: sent by this host's kernel)");
    if (!g->out)
        add_remarks(l, g->answer, s->flags & SEG_RST);
}

static void icmp_line(struct line *l, const struct report_icmp *i)
{
    const struct icmp *e = &i->error;
    char from[ADDR_TEXT];

    add_number(l, !i->answer->stray, i->answer->to);
    line_printf(l, TONE_TROUBLE, "ICMP%s from %s: %s (type %u code %u)", e->flow.v6 ? "v6" : "",
                addr_text(e->flow.v6, &e->from, from), icmp_text(e->flow.v6, e->type, e->code),
                e->type, e->code);
    if (e->meaning == ICMP_TOO_BIG)
        line_printf(l, TONE_PLAIN, ", next hop's MTU %u", e->mtu);
    add_remarks(l, i->answer, false);
}

void send_line(void *self, const struct report_event *e)
{
    const struct send_lines *s = self;
    char waited[TEXT_DURATION];
    struct line l;

    line_start(&l, s->term);
    switch (e->kind) {
    case REPORT_SEGMENT:
        if (e->u.segment.out && !e->u.segment.foreign && !s->verbose)
            return;
        segment_line(&l, &e->u.segment, s->verbose);
        break;
    case REPORT_ICMP:
        icmp_line(&l, &e->u.icmp);
        break;
    case REPORT_UNANSWERED:
        add_number(&l, true, e->u.unanswered.number);
        line_printf(&l, TONE_DOUBT, "no answer within %s",
                    text_duration_format(e->u.unanswered.waited, waited));
        break;
    case REPORT_NOTE:
        line_text(&l, e->u.note.trouble ? TONE_TROUBLE : TONE_DIM, e->u.note.text);
        break;
    default:
        return;
    }
    line_end(&l);
}

#include "cmd/send_report.h"

#include <inttypes.h>
#include <string.h>

#include "lib/core/addr.h"
#include "lib/core/text.h"
#include "lib/report/human.h"

/*
 * Counting.
 */

void tally_answer(struct tally *t, const struct answer *a, const struct icmp *error)
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
    spread_add(&t->rtt, a->rtt);
    double off = (double)a->rtt - t->mean;
    t->mean += off / (double)t->rtt.count;
    t->m2 += off * ((double)a->rtt - t->mean);
}

void tally_unanswered(struct tally *t, uint64_t i)
{
    struct report_send *s = &t->told;
    unsigned last = s->ranges - 1; /* when there is one */

    if (s->ranges && !s->more && s->unanswered[last].last == i) {
        s->unanswered[last].last = i + 1;
    } else if (s->ranges < REPORT_RANGES) {
        s->unanswered[s->ranges].first = s->unanswered[s->ranges].last = i + 1;
        s->ranges++;
    } else {
        s->more++;
    }
}

enum verdict tally_verdict(const struct tally *t)
{
    if (t->first[ANSWER_SYN_ACK] || t->first[ANSWER_ACK] || t->first[ANSWER_OTHER])
        return VERDICT_OPEN;
    if (t->first[ANSWER_RST])
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
    char from[ADDR_TEXT], n[HUMAN_TEXT], of[HUMAN_TEXT];
    bool v6 = t->icmp.flow.v6;

    human_count(answered, n);
    human_count(sent, of);
    switch (tally_verdict(t)) {
    case VERDICT_REFUSED:
        snprintf(text, TALLY_MESSAGE, "%s refused: RST answered %s of %s segment%s", peer,
                 human_count(t->first[ANSWER_RST], n), of, plural(sent));
        break;
    case VERDICT_REJECTED:
        snprintf(text, TALLY_MESSAGE, "%s was rejected by %s: %s (ICMP%s type %u code %u)", peer,
                 addr_text(v6, &t->icmp.from, from), icmp_text(v6, t->icmp.type, t->icmp.code),
                 v6 ? "v6" : "", t->icmp.type, t->icmp.code);
        break;
    case VERDICT_DROPPED:
        snprintf(text, TALLY_MESSAGE, "nothing answered %s segment%s to %s", of, plural(sent),
                 peer);
        break;
    default:
        snprintf(text, TALLY_MESSAGE, "%s answered %s of %s segment%s", peer, n, of, plural(sent));
        break;
    }
}

/* Heron's method, which spares the mathematics library: from above it falls to the root. */
static double root(double square)
{
    double next = square > 1 ? square : 1, x;

    do {
        x = next;
        next = (x + square / x) / 2;
    } while (next < x);
    return x;
}

void tally_report(const struct tally *t, struct report_send *out)
{
    *out = t->told;
    out->syn_ack = t->first[ANSWER_SYN_ACK];
    out->rst = t->first[ANSWER_RST];
    out->ack = t->first[ANSWER_ACK];
    out->other = t->first[ANSWER_OTHER];
    out->icmp = t->first[ANSWER_ICMP];
    out->duplicates = t->duplicates;
    out->late = t->late;
    out->out_of_order = t->out_of_order;
    out->strays = t->strays;
    out->malformed = t->malformed;
    out->rtt = spread_figures(&t->rtt);
    if (t->rtt.count)
        out->rtt_stddev = (wave_time)root(t->m2 / (double)t->rtt.count);
}

/*
 * Lines.
 */

/* The options as tcpdump writes them, in their order, padding included: "mss 1460,nop,wscale 7". */
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

static void add_remarks(struct line *l, const struct report_answer *a, bool rst)
{
    const struct {
        bool is;
        const char *text;
    } remarks[] = {{a->bad_checksum, "wrong checksum"},
                   {a->stray && !a->bad_checksum, "answers no segment of ours"},
                   {!a->stray && a->duplicate, "again"},
                   {!a->stray && a->late, "late"},
                   {!a->stray && a->out_of_order, "out of order"},
                   {!a->stray && a->unexpected,
                    rst ? "an odd number: it does not follow from ours" : "numbers of its own"}};
    char rtt[HUMAN_TEXT];

    if (!a->stray && a->rtt != WAVE_NEVER)
        line_printf(l, TONE_BOLD, ", rtt %s", human_duration(a->rtt, rtt));
    for (size_t i = 0; i < sizeof remarks / sizeof remarks[0]; i++)
        if (remarks[i].is)
            line_printf(l, TONE_DOUBT, " (%s)", remarks[i].text);
}

/* "3: ", or as much room. */
static void add_number(struct line *l, bool known, uint64_t number)
{
    if (known)
        line_printf(l, TONE_DIM, "%" PRIu64 ": ", number);
    else
        line_text(l, TONE_DIM, "-: ");
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
    if (verbose && !p->flow.v6)
        line_printf(l, TONE_DIM, ", id %u", p->id);
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

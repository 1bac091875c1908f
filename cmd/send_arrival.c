/*
 * What the capture shows of a run of `tcpwave send`: answers are matched to our segments, counted
 * and reported.
 */
#include "cmd/send.h"

#include <stdio.h>

#include "lib/core/addr.h"

void send_report_ours(struct send *s, uint64_t i, wave_time stamp, const struct packet *p)
{
    struct report_event e = {.kind = REPORT_SEGMENT};

    e.u.segment = (struct report_segment){.out = true,
                                          .number = (uint32_t)(i + 1),
                                          .rel_seq = p->seg.seq.v - s->plan.seq,
                                          .rel_ack = p->seg.ack.v - s->plan.ack,
                                          .window = p->seg.wnd,
                                          .packet = p};
    report_tell(&s->report, stamp, &e);
}

/* Converts the result of matching for the report, in which segments count from 1. */
static struct report_answer to_report_answer(const struct match_result *a)
{
    return (struct report_answer){.stray = a->stray,
                                  .to = a->to + 1,
                                  .rtt = a->rtt,
                                  .duplicate = a->duplicate,
                                  .late = a->late,
                                  .out_of_order = a->out_of_order,
                                  .unexpected = a->unexpected};
}

static void handle_icmp(struct send *s, const struct wire_packet *p)
{
    const struct icmp *error = &p->packet.icmp;
    struct match_result a =
        match_icmp(s->match, error->flow.lport, error->has_seq ? &error->seq.v : NULL, p->stamp);
    struct report_answer answer = to_report_answer(&a);
    struct report_event e = {.kind = REPORT_ICMP};

    tally_answer(&s->tally, &a, error);
    send_seen_icmp(&s->seen, s->port, error);
    e.u.icmp = (struct report_icmp){.error = *error, .answer = &answer};
    report_tell(&s->report, p->stamp, &e);
}

/* Reports a RST from our port that we did not send. It comes from this host's kernel, which happens
 * if there is no guard. */
static void report_foreign(struct send *s, const struct wire_packet *p)
{
    struct report_event e = {.kind = REPORT_SEGMENT};

    if (!(p->packet.seg.flags & SEG_RST) || (s->plan.flags & SEG_RST))
        return;
    e.u.segment = (struct report_segment){.out = true,
                                          .foreign = true,
                                          .number = (uint32_t)match_count(s->match),
                                          .rel_seq = p->packet.seg.seq.v - s->plan.seq,
                                          .window = p->packet.seg.wnd,
                                          .packet = &p->packet};
    report_tell(&s->report, p->stamp, &e);
}

static void handle_own(struct send *s, const struct wire_packet *p)
{
    uint64_t i;

    if (!match_seen(s->match, p->packet.flow.lport, p->packet.seg.seq.v, p->stamp, &i))
        report_foreign(s, p);
    else if (s->captured_too)
        send_report_ours(s, i, p->stamp, &p->packet);
}

/* Reports a segment whose header cannot be parsed: only its source and destination are known. */
static void handle_malformed(struct send *s, const struct wire_packet *p)
{
    char from[ADDR_PORT_TEXT], text[160];
    const struct flow *f = &p->packet.flow;
    struct report_event e = {.kind = REPORT_NOTE};

    snprintf(text, sizeof text, "a malformed segment came from %s to port %u, in %u bytes",
             addr_port_text(f->v6, &f->local, f->lport, from), f->rport, p->ip_len);
    s->tally.malformed++;
    s->tally.came = true;
    e.u.note = (struct report_note){true, text};
    report_tell(&s->report, p->stamp, &e);
}

static void handle_answer(struct send *s, const struct wire_packet *p)
{
    const struct seg *seg = &p->packet.seg;
    struct report_answer answer = {.stray = true, .rtt = WAVE_NEVER, .bad_checksum = true};
    struct report_event e = {.kind = REPORT_SEGMENT};

    s->tally.came = true;
    if (p->broken) {
        s->tally.malformed++; /* its numbers cannot be trusted, so it is not matched */
        send_seen_segment(&s->seen, &s->plan, s->arrived + 1, NULL);
    } else {
        struct match_result a = match_answer(s->match, p->packet.flow.rport, seg, p->stamp);
        tally_answer(&s->tally, &a, NULL);
        /* A RST without ACK names nothing; outside any connection it is taken for an answer, which
         * one that acknowledges something else is not. */
        if (send_seen_segment(&s->seen, &s->plan, s->arrived + 1, &a) && (seg->flags & SEG_ACK))
            s->tally.odd_rst += !a.duplicate;
        s->tally.malformed += (seg->opt.has & OPT_MALFORMED) != 0;
        answer = to_report_answer(&a);
    }
    e.u.segment =
        (struct report_segment){.number = ++s->arrived,
                                .rel_seq = s->plan.flags & SEG_ACK ? seg->seq.v - s->plan.ack : 0,
                                .rel_ack = seg->flags & SEG_ACK ? seg->ack.v - s->plan.seq : 0,
                                .window = seg->wnd,
                                .packet = &p->packet,
                                .ip = p->ip,
                                .ip_len = p->ip_len,
                                .fragments = p->fragments,
                                .answer = &answer};
    report_tell(&s->report, p->stamp, &e);
}

static void save_packet(struct send *s, const struct wire_packet *p)
{
    struct diag d;

    if (view_save_packet(&s->view, p, NULL, &d) != 0)
        send_fail(s, &d);
}

bool send_take_packet(void *self, const struct wire_packet *p)
{
    struct send *s = self;

    if (p->packet.kind == PACKET_ICMP)
        handle_icmp(s, p);
    else if (p->outgoing)
        handle_own(s, p);
    else if (p->broken == WAVE_EMALFORMED)
        handle_malformed(s, p);
    else
        handle_answer(s, p);
    save_packet(s, p);
    return false;
}

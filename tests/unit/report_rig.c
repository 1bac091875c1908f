/* Feeds a scripted exchange into the stream of events. See report_rig.h. */
#include "tests/unit/report_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "cmd/how_to.h"

const struct flow script_v4 = {
    .local = {{192, 0, 2, 1}}, .remote = {{192, 0, 2, 2}}, .lport = 40000, .rport = 80};

void script_start(struct script *t, const struct flow *flow)
{
    memset(t, 0, sizeof *t);
    report_init(&t->report);
    t->report.how_to = &command_words;
    report_flow_init(&t->flow, flow, 0);
    t->at = ORIGIN;
    t->to = open_memstream(&t->text, &t->size);
    assert_non_null(t->to);
}

void script_finish(struct script *t)
{
    fclose(t->to);
    free(t->text);
}

void script_say(struct script *t, const struct step *s)
{
    static const uint8_t zeros[65536];
    struct packet p = {.kind = PACKET_TCP,
                       .ttl = s->ttl ? s->ttl : 64,
                       .df = true,
                       .id = s->id,
                       .l4 = s->tcp,
                       .l4_len = s->tcp ? SEG_HEADER : 0,
                       .flow = t->flow.flow};
    struct report_seen seen = {.out = s->out,
                               .sent_before = s->retransmission,
                               .probe = s->probe,
                               .gap = s->gap,
                               .missed = s->missed,
                               .passed = s->passed,
                               .foreign = s->foreign,
                               .local = s->local,
                               .packet = &p,
                               .ip = zeros,
                               .ip_len = 40,
                               .fragments = s->fragments,
                               .mac = s->mac,
                               .impaired = s->impaired};

    if (!s->out)
        p.flow = flow_reverse(&p.flow);
    p.seg = (struct seg){.seq = seq_of((s->out ? OUR_ISN : THEIR_ISN) + s->seq),
                         .flags = (uint16_t)s->flags,
                         .wnd = s->wnd,
                         .ecn = s->ecn,
                         .len = s->len,
                         .data = s->len ? zeros : NULL,
                         .opt = s->opt};
    if (s->flags & SEG_ACK)
        p.seg.ack = seq_of((s->out ? THEIR_ISN : OUR_ISN) + s->ack);
    seen.stamp = t->at;
    report_segment(&t->report, &t->flow, &seen);
    t->at += 100 * WAVE_US;
}

void script_moved(struct script *t, enum state from, enum state to, uint32_t evidence)
{
    struct report_change c = {from, to, "a cause"};
    report_local(&t->report, &t->flow, t->at, &c, evidence);
}

const struct opt script_syn = {.has = OPT_MSS | OPT_WSCALE | OPT_SACK_PERMITTED | OPT_TIMESTAMP,
                               .mss = 1460,
                               .wscale = 7,
                               .tsval = 5};

void script_handshake(struct script *t)
{
    struct opt answer = script_syn;
    answer.tsval = 9;
    answer.tsecr = 5;
    script_moved(t, STATE_CLOSED, STATE_SYN_SENT, 0);
    script_say(t, &(struct step){.out = true,
                                 .flags = SEG_SYN,
                                 .wnd = 64240,
                                 .local = STATE_SYN_SENT,
                                 .opt = script_syn});
    script_say(t, &(struct step){.flags = SEG_SYN | SEG_ACK,
                                 .ack = 1,
                                 .wnd = 65160,
                                 .local = STATE_ESTABLISHED,
                                 .opt = answer});
    script_moved(t, STATE_SYN_SENT, STATE_ESTABLISHED, 2);
    script_say(t, &(struct step){.out = true,
                                 .flags = SEG_ACK,
                                 .seq = 1,
                                 .ack = 1,
                                 .wnd = 502,
                                 .local = STATE_ESTABLISHED});
}

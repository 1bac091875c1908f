/* Draws the findings of `tcpwave load`. */
#include "cmd/load_findings.h"

#include <stdio.h>

#include "cmd/how_to.h"
#include "cmd/load.h"
#include "lib/core/diag.h"
#include "lib/report/human.h"
#include "lib/run/host_facts.h"
#include "lib/run/neighbour.h"

#define SOON (150 * WAVE_MS)             /* from our data to its answer */
#define FEW 2                            /* retransmissions that were not taken */
#define PART 100                         /* of the connections, one in so many: losses hit some */

/* What was discarded in SYN-SENT acknowledges no SYN of ours. Once ports are used a second time, it
 * may be for the connection before. */
static void note_astray(struct load *l, const struct conn *c, const struct seg *s)
{
    const enum sign_kind kind = s->flags & SEG_RST   ? SIGN_RST_ASTRAY
                                : s->flags & SEG_SYN ? SIGN_SYN_ACK_ASTRAY
                                                     : SIGN_ACK_ASTRAY;

    /* With rules, the segment may be one that they changed or made. */
    if (!l->impair && conn_state(c) == STATE_SYN_SENT && l->opened <= l->tuples.ports &&
        (s->flags & (SEG_RST | SEG_ACK)))
        signs_note(&l->seen.flow.signs, kind, 0);
}

/* Returns whether the peer has acknowledged our SYN and none of our data. */
static bool is_untaken(const struct load *l, const struct conn *c)
{
    return l->options->data.len && conn_only_syn_acked(c);
}

/* A SYN-ACK that is repeated after our acknowledgement, while our data is not taken though it was
 * repeated twice. A path that loses one segment in ten loses all of these of one connection in ten
 * thousand. */
static void note_syn_ack(struct load *l, const struct conn *c, struct load_conn *x)
{
    if (conn_state(c) == STATE_SYN_SENT || !is_untaken(l, c) || x->shut_out)
        return;
    if (conn_backoff(c) < FEW)
        return;
    x->shut_out = true;
    l->seen.queue_full++;
}

void load_seen_discarded(struct load *l, const struct conn *c, struct load_conn *x)
{
    const struct seg *s = l->seen.segment;

    if (!s)
        return;
    note_astray(l, c, s);
    if ((s->flags & (SEG_SYN | SEG_ACK | SEG_RST)) == (SEG_SYN | SEG_ACK))
        note_syn_ack(l, c, x);
}

static bool is_target(const struct load *l, const struct flow *flow)
{
    for (uint32_t i = 0; i < l->plan.pairs; i++) {
        const struct load_pair *p = &l->plan.pair[i];
        if (p->rport == flow->rport && addr_eq(&p->remote, &flow->remote))
            return true;
    }
    return false;
}

void load_seen_stray(struct load *l, const struct flow *flow)
{
    if (l->impair || is_target(l, flow) ||
        (l->seen.segment->flags & (SEG_SYN | SEG_ACK | SEG_RST)) != (SEG_SYN | SEG_ACK))
        return;
    l->seen.elsewhere++;
    l->seen.answerer = flow->remote;
    l->seen.answerer_port = flow->rport;
}

void load_seen_icmp(struct load *l, const struct event *e)
{
    if (l->impair || (e->u.icmp.meaning != ICMP_SOFT && e->u.icmp.meaning != ICMP_HARD))
        return;
    l->seen.icmps++;
    l->seen.icmp =
        (struct icmp){.from = e->u.icmp.from, .type = e->u.icmp.type, .code = e->u.icmp.code};
}

/* With SYN cookies a host repeats no SYN-ACK. While its accept queue is full it ignores our ACK and
 * our data, and later it answers as one that knows no such connection: with a RST without ACK (RFC
 * 9293, 3.10.7.1). At once a firewall may do that as well. */
void load_seen_ended(struct load *l, const struct conn *c, struct load_conn *x)
{
    const struct seg *s = l->seen.segment;
    const bool at_once =
        course_step(&x->course) == COURSE_ANSWER && l->loop.now - course_since(&x->course) < SOON;

    if (conn_end(c) != END_RESET || !s || (s->flags & (SEG_RST | SEG_ACK)) != SEG_RST || at_once ||
        !is_untaken(l, c) || x->shut_out)
        return;
    x->shut_out = true;
    l->seen.queue_full++;
}

/* Returns whether the next hop of every pair is silent; *hop is that of the first one. */
static bool none_answers(struct load *l, struct wire_neighbour *hop)
{
    struct wire_neighbour one;

    for (uint32_t i = 0; i < l->plan.pairs; i++) {
        const struct load_pair *p = &l->plan.pair[i];
        if (!l->port->ops->unreachable_from(l->port, &p->local, &p->remote, i ? &one : hop))
            return false;
    }
    return true;
}

wave_time load_look_at_neighbours(struct load *l)
{
    struct load_seen *s = &l->seen;
    struct wire_neighbour hop = {.gateway = false};
    struct diag d;

    if (s->captured || l->stopping || !l->port->ops->unreachable_from)
        return WAVE_NEVER;
    if (!s->look_at)
        s->look_at = l->began + NEIGHBOUR_AFTER;
    if (l->loop.now < s->look_at)
        return s->look_at;
    s->look_at = l->loop.now + WAVE_S;
    if (!none_answers(l, &hop))
        return s->look_at;
    s->is_gateway = hop.gateway;
    addr_text(l->plan.v6, &hop.addr, s->unreachable);
    neighbour_silent(&d, l->port, l->plan.v6, hop.gateway, s->unreachable);
    load_fail(l, &d);
    return WAVE_NEVER;
}

/* Returns a target's port on this host that lies among our local ports, and was left out; or 0. */
static uint16_t kept_clear(const struct load *l)
{
    const uint16_t first = l->port->info->lport;
    uint16_t last = first;

    for (uint32_t i = 0; i < port_lports(l->port); i++)
        if (port_lport(l->port, i) > last)
            last = port_lport(l->port, i);
    for (uint32_t i = 0; i < l->plan.avoids; i++)
        if (l->plan.avoid[i] >= first && l->plan.avoid[i] <= last)
            return l->plan.avoid[i];
    return l->plan.avoids && l->options->source_port == l->plan.avoid[0] ? l->plan.avoid[0] : 0;
}

/* Returns on how many connections the accept queue was full, where that is not the path's doing. */
static uint32_t queue_full(const struct load *l)
{
    const uint32_t n = l->seen.queue_full;

    return l->counts[VERDICT_OPEN] && (uint64_t)n * PART >= l->opened ? n : 0;
}

/* Writes what the last ICMP error says. */
static const char *icmp_words(const struct load *l, char *text, size_t room)
{
    const struct icmp *i = &l->seen.icmp;
    const bool v6 = l->plan.v6;
    char from[ADDR_TEXT], words[HUMAN_ICMP];

    snprintf(text, room, "%s: %s",
             addr_eq(&i->from, &l->port->info->local) ? "this host itself"
                                                      : addr_text(v6, &i->from, from),
             human_icmp(v6, i->type, i->code, words));
    return text;
}

/* Returns how many packets could not be put together. */
static uint64_t fragments_lost(const struct facts_host *h)
{
    return h->incomplete + h->nameless + h->overlapping;
}

void load_diagnose(struct load *l, const struct impairments *rules, struct outcome *o,
                   struct findings *list)
{
    const struct load_seen *s = &l->seen;
    const uint32_t failed = l->opened - l->counts[VERDICT_OPEN];
    char icmp[160], answerer[ADDR_PORT_TEXT];
    struct host_texts texts;
    struct wire_stats stats;
    struct facts_host host;
    const struct facts k = {.flow = &s->flow,
                            .host = &host,
                            .impairments = rules,
                            .how_to = &command_words,
                            .over = true,
                            .verdict = o->verdict};

    host_facts(&host, &texts, &stats, l->port,
               &(struct host_asks){.captured = s->captured,
                                   .left_unknown = true,
                                   .many = true,
                                   .v6 = l->plan.v6,
                                   .interface_named = l->options->where.interface != NULL});
    if (o->verdict == VERDICT_OPEN) /* the figures have it; it explains only what went wrong */
        host.lost = 0;
    host.unreachable = s->unreachable[0] ? s->unreachable : NULL;
    host.is_gateway = s->is_gateway;
    host.kept_clear = kept_clear(l);
    host.failed = failed;
    host.queue_full = queue_full(l);
    host.addresses = l->counts[VERDICT_OPEN] ? 0 : l->plan.others;
    host.address = l->plan.other;
    if (failed && s->elsewhere >= failed && !stats.translated) {
        addr_port_text(l->plan.v6, &s->answerer, s->answerer_port, answerer);
        host.answered_elsewhere = host.presumed = true;
        host.answerer = answerer;
    }
    host.unrepaired = failed && fragments_lost(&host) >= failed;
    host.icmps = s->icmps >= failed ? s->icmps : 0;
    host.icmp = icmp_words(l, icmp, sizeof icmp);
    diagnose(&k, list);
    if (o->verdict != VERDICT_LOCAL)
        diagnose_outcome(list, o);
}

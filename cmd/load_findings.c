/* Draws the findings of `tcpwave load`. */
#include "cmd/load_findings.h"

#include <stdio.h>

#include "cmd/how_to.h"
#include "cmd/load.h"
#include "lib/core/diag.h"
#include "lib/report/human.h"
#include "lib/run/host_facts.h"
#include "lib/run/neighbour.h"

#define LARGE 1000                       /* bytes: smaller packets are no problem for any path */
#define PART 100                         /* of the connections, one in so many: losses hit some */

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

/* Completes what was counted. That segments became smaller because large ones were not acknowledged
 * tells something only where those of most connections were not: else the path was down for a
 * while. */
static void count_all(struct load *l, uint32_t failed)
{
    struct facts_many *m = &l->seen.many;

    m->connections = l->opened;
    m->failed = failed;
    if (m->count[MANY_CUT] <= l->seen.passed)
        m->count[MANY_CUT] = 0;
    if (l->seen.largest >= LARGE)
        m->count[MANY_GAP] = 0;
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
                            .many = &s->many,
                            .impairments = rules,
                            .how_to = &command_words,
                            .over = true,
                            .verdict = o->verdict};

    count_all(l, failed);
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
    host.unsent = s->unsent;
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

/* Draws the findings of `tcpwave send`. */
#include "cmd/send_findings.h"

#include <stdio.h>
#include <string.h>

#include "cmd/how_to.h"
#include "lib/core/diag.h"
#include "lib/run/host_facts.h"
#include "lib/run/neighbour.h"

#define NEIGHBOUR_EVERY (100 * WAVE_MS)
#define CAPTURED_BY                                                                                \
    (100 * WAVE_MS) /* the capture has shown by then what has left, on a busy host */

static bool sends_syn(const struct match_plan *plan)
{
    return (plan->flags & (SEG_SYN | SEG_ACK | SEG_RST)) == SEG_SYN;
}

bool send_seen_segment(struct send_seen *s, const struct match_plan *plan, uint32_t number,
                       const struct match_result *a)
{
    bool odd;

    if (!a) {
        s->bad_checksums++;
        return false;
    }
    s->captured++;
    odd = sends_syn(plan) && a->kind == ANSWER_RST && !a->stray && a->unexpected;
    if (odd)
        signs_note(&s->flow.signs, SIGN_RST_ASTRAY, number);
    return odd;
}

void send_seen_icmp(struct send_seen *s, const struct port *port, const struct icmp *error)
{
    if (addr_eq(&error->from, &port->info->local))
        s->own_error = true;
    else
        s->errors++;
}

wave_time send_look_at_neighbour(struct send_seen *s, struct port *port, bool v6, wave_time now,
                                 wave_time first, bool pending)
{
    const wave_time by = first + NEIGHBOUR_AFTER;
    struct wire_neighbour hop;

    s->waited = now - first;
    if (!port->ops->unreachable || s->captured || s->bad_checksums || s->errors)
        return WAVE_NEVER;
    if (now < by && !pending && !s->own_error)
        return by;
    if (now < s->look_at)
        return s->look_at;
    s->look_at = now + NEIGHBOUR_EVERY;
    if (!port->ops->unreachable(port, &hop))
        return pending ? WAVE_NEVER : s->look_at;
    if (now < by && !s->own_error)
        return s->look_at;
    s->unreachable = true;
    s->is_gateway = hop.gateway;
    addr_text(v6, &hop.addr, s->neighbour);
    return WAVE_NEVER;
}

void send_unreachable_text(const struct send_seen *s, const struct port *port, bool v6,
                           struct diag *d)
{
    neighbour_silent(d, port, v6, s->is_gateway, s->neighbour);
}

/* Returns whether a SYN-ACK with that acknowledgement answers one of our SYNs. */
static bool answers_ours(const struct match_plan *plan, struct seq ack)
{
    const uint32_t from = ack.v - plan->seq - plan->len;

    if (!sends_syn(plan))
        return false;
    return plan->step ? from % plan->step == 0 && from / plan->step < plan->count : from == 0;
}

/* Returns how many segments were sent, of which the capture has shown none as it left, although
 * there was time enough. */
static uint64_t kept_here(const struct send_seen *s, const struct send_run *r)
{
    return r->own && !match_left(r->own) && s->waited >= CAPTURED_BY ? match_count(r->own) : 0;
}

void send_diagnose(const struct send_seen *s, const struct send_run *r, struct outcome *o,
                   struct findings *list)
{
    const struct target_list *names = r->names;
    char next[ADDR_TEXT] = "";
    struct host_texts texts;
    struct wire_stats stats;
    struct facts_host host;
    const struct facts k = {.flow = &s->flow,
                            .host = &host,
                            .how_to = &command_words,
                            .over = true,
                            .verdict = o->verdict};

    host_facts(&host, &texts, &stats, r->port,
               &(struct host_asks){.captured = s->captured,
                                   .kept = kept_here(s, r),
                                   .many = true,
                                   .v6 = r->v6,
                                   .interface_named = r->interface_named});
    host.bad_checksums = s->bad_checksums;
    host.answered_elsewhere = stats.stray.flags && answers_ours(r->plan, stats.stray.ack);
    host.unreachable = s->unreachable ? s->neighbour : NULL;
    host.is_gateway = s->is_gateway;
    host.addresses = names->count - 1 + names->more;
    host.address = next;
    if (names->count > 1)
        addr_text(names->at[1].v6, &names->at[1].addr, next);
    diagnose(&k, list);
    if (o->verdict != VERDICT_LOCAL)
        diagnose_outcome(list, o);
}

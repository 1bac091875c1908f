/*
 * Collects the facts from which the findings of a run are made (lib/report/facts.h), beside the
 * segments: what the engine knows, what the port counts, and what the kernel says about the next
 * hop.
 */
#include <stdio.h>
#include <string.h>

#include "lib/core/addr.h"
#include "lib/core/diag.h"
#include "lib/report/diagnose.h"
#include "lib/run/host_facts.h"
#include "lib/run/neighbour.h"
#include "lib/run/session_priv.h"

#define NEIGHBOUR_EVERY WAVE_S

/* Returns whether a packet that was not put together has what `e`, which may be NULL, still lacks.
 */
static bool unrepaired(const struct ip_reassembly_counts *n, const struct conn *e)
{
    return n->has_seq && e && seq_geq(n->seq, conn_rcv_nxt(e));
}

/* Returns how many segments were sent, of which the capture has shown none as it left. Those before
 * the last one would have been captured by now. */
static uint64_t kept_here(const struct session *s)
{
    uint64_t sent;

    if (!s->shows || s->left)
        return 0;
    sent = s->port->ops->stats(s->port).sent;
    return sent >= 2 ? sent : 0;
}

/* Takes note of a next hop that does not answer. Returns whether there is one. */
static bool note_neighbour(struct session *s)
{
    struct wire_neighbour hop;

    if (!s->port->ops->unreachable || !s->port->ops->unreachable(s->port, &hop))
        return false;
    addr_text(s->config.v6, &hop.addr, s->unreachable);
    s->unreachable_gateway = hop.gateway;
    return true;
}

/* Takes note of where the route leads now. Returns whether it led elsewhere when it was last looked
 * up. */
static bool note_route(struct session *s)
{
    char interface[sizeof s->route] = "";

    if (!s->port->ops->rerouted(s->port, interface) || strcmp(interface, s->route) == 0)
        return false;
    memcpy(s->route, interface, sizeof interface);
    return true;
}

/* Fills in the facts about this host. `fell_silent`: the peer did, so that its neighbour may have
 * done so. */
static void session_facts(struct session *s, const struct session_conn *c, bool fell_silent,
                          struct host_texts *t, struct facts_host *h)
{
    const struct conn *e = c ? session_engine(s, c) : NULL;
    struct wire_stats stats;

    host_facts(h, t, &stats, s->port,
               &(struct host_asks){.captured = s->arrived,
                                   .kept = kept_here(s),
                                   .left_unknown = !s->shows,
                                   .many = s->many,
                                   .v6 = s->config.v6,
                                   .interface_named = s->config.interface_named});
    if (s->many) {
        h->sent = stats.sent;
        h->passed_over = s->passed_over;
    }
    h->first_stopped = s->first_stopped;
    h->unrepaired = unrepaired(&stats.fragmented, e);
    if (fell_silent && !s->unreachable[0])
        note_neighbour(s);
    if (fell_silent)
        note_route(s);
    h->unreachable = s->unreachable[0] ? s->unreachable : NULL;
    h->is_gateway = s->unreachable_gateway;
    h->listens = s->ops->opened != NULL;
    h->rerouted = s->route[0] ? s->route : NULL;
    h->addresses = s->config.addresses;
    h->address = s->config.address;
    h->answered_elsewhere =
        e && stats.stray.flags && seq_eq(stats.stray.ack, seq_add(conn_iss(e), 1));
}

const struct impairments *session_impairments(struct session *s)
{
    if (!s->config.impairments)
        return NULL;
    s->impairments.count = 0;
    s->config.impairments(s->config.rules, &s->impairments);
    return &s->impairments;
}

bool session_impaired(struct session *s, const struct session_conn *c)
{
    if (c && c->record && c->record->flow.signs.impaired)
        return true;
    return !s->many && impairments_matched(session_impairments(s));
}

void session_diagnose(struct session *s, const struct session_conn *c, struct outcome *outcome,
                      struct findings *list)
{
    static const struct report_flow none;
    const struct conn *e = c ? session_engine(s, c) : NULL;
    struct facts_host host;
    struct host_texts texts;
    struct facts k = {.flow = c && c->record ? &c->record->flow : &none,
                      .preset = s->config.preset,
                      .preset_does = s->config.preset_does,
                      .how_to = s->report.how_to,
                      .now = session_stamp(s),
                      .over = true,
                      .verdict = outcome->verdict,
                      .end = e ? conn_end(e) : END_NONE,
                      .probed_fast = s->config.engine.keepalive_interval < WAVE_S / 2,
                      .outstanding = c && (c->outstanding || (e && conn_outstanding(e)))};

    k.missing = c ? session_missing(s, c) : 0;
    if (c && c->record && c->record->syn_acks)
        k.silent_for =
            s->config.engine.no_third_ack ? c->record->cut_off_at - c->record->syn_acked_at : 0;
    if (!s->many || !c) {
        session_facts(s, c, outcome->verdict == VERDICT_LOST, &texts, &host);
        k.host = &host;
        k.impairments = session_impairments(s);
    }
    diagnose(&k, list);
    if (outcome->verdict != VERDICT_LOCAL)
        diagnose_outcome(list, outcome);
}

/* Returns whether no segment has come from the peer and the handshake is not complete. */
static bool unheard(const struct session *s)
{
    const struct session_conn *c = session_last(s);

    return c && !s->many && !s->arrived && c->state == STATE_SYN_SENT;
}

void session_look_at_route(struct session *s, wave_time now)
{
    char text[200];

    if (!s->repeats || now < s->route_at)
        return;
    s->repeats = false;
    s->route_at = now + WAVE_S;
    if (!note_route(s))
        return;
    if (s->port->info->anywhere)
        snprintf(text, sizeof text,
                 "the route has changed: it leads through %s now, and no longer "
                 "through %s",
                 s->route, s->port->info->interface);
    else
        snprintf(text, sizeof text,
                 "the route has changed: it leads through %s now, and answers that come in there "
                 "are not seen, since %s is what is captured; if it stays so, start another run",
                 s->route, s->port->info->interface);
    report_note(&s->report, NULL, session_stamp(s), true, text);
}

wave_time session_look_at_neighbour(struct session *s, wave_time now)
{
    struct diag d;

    if (!s->port->ops->unreachable || !unheard(s))
        return WAVE_NEVER;
    if (!s->neighbour_at)
        s->neighbour_at = now + NEIGHBOUR_AFTER;
    if (now < s->neighbour_at)
        return s->neighbour_at;
    s->neighbour_at = now + NEIGHBOUR_EVERY;
    if (!note_neighbour(s))
        return s->neighbour_at;
    neighbour_silent(&d, s->port, s->config.v6, s->unreachable_gateway, s->unreachable);
    session_fail(s, &d);
    return now;
}

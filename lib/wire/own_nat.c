/* Keeps the flows that this host's address translation rewrites, and the SYNs that are to show it.
 */
#include "lib/wire/own_nat.h"

#include <stdlib.h>
#include <string.h>

#define ROOM 64 /* entries of a table to begin with */

/* The states of a pair. One whose SYN was not seen to leave in time counts as one that is not
 * rewritten. */
enum { PAIR_ASKED = 1, PAIR_PLAIN, PAIR_TRANSLATED };

/* FNV-1a. Both ends are chosen by this host and its rules, and not by a peer. */
static uint32_t hash(const struct flow *key)
{
    const uint8_t *byte = (const uint8_t *)key;
    uint32_t h = 2166136261u;

    for (size_t i = 0; i < sizeof *key; i++)
        h = (h ^ byte[i]) * 16777619u;
    return h ^ h >> 15;
}

/* Returns the entry of that key, or the empty one where it belongs, of a table that has room. */
static struct own_nat_entry *slot(const struct own_nat_table *t, const struct flow *key)
{
    for (uint32_t i = hash(key) & (t->room - 1);; i = (i + 1) & (t->room - 1))
        if (!t->entry[i].state || flow_eq(&t->entry[i].key, key))
            return &t->entry[i];
}

static struct own_nat_entry *find(const struct own_nat_table *t, const struct flow *key)
{
    struct own_nat_entry *e = t->room ? slot(t, key) : NULL;

    return e && e->state ? e : NULL;
}

/* Doubles the table. */
static bool grow(struct own_nat_table *t)
{
    struct own_nat_table larger = {.room = t->room ? 2 * t->room : ROOM, .used = t->used};

    larger.entry = calloc(larger.room, sizeof *larger.entry);
    if (!larger.entry)
        return false;
    for (uint32_t i = 0; i < t->room; i++)
        if (t->entry[i].state)
            *slot(&larger, &t->entry[i].key) = t->entry[i];
    free(t->entry);
    *t = larger;
    return true;
}

/* Returns the entry of that key, a new one if need be, which has the state 0; or NULL. A table that
 * is full is begun once more. */
static struct own_nat_entry *find_or_add(struct own_nat_table *t, const struct flow *key)
{
    struct own_nat_entry *e = find(t, key);

    if (e)
        return e;
    if (t->used >= OWN_NAT_MAX) {
        memset(t->entry, 0, t->room * sizeof *t->entry);
        t->used = 0;
    }
    if (t->used >= t->room / 4 * 3 && !grow(t))
        return NULL;
    e = slot(t, key);
    *e = (struct own_nat_entry){.key = *key};
    t->used++;
    return e;
}

void own_nat_free(struct own_nat *n)
{
    free(n->flows.entry);
    free(n->pairs.entry);
    free(n->pending);
    *n = (struct own_nat){.waiting = 0};
}

void own_nat_add(struct own_nat *n, const struct flow *seen, const struct addr *named,
                 uint16_t port)
{
    struct own_nat_entry *e = find_or_add(&n->flows, seen);

    if (!e)
        return;
    e->state = PAIR_TRANSLATED;
    e->named = *named;
    e->port = port;
}

bool own_nat_restore(const struct own_nat *n, struct flow *flow)
{
    const struct own_nat_entry *e = find(&n->flows, flow);

    if (!e)
        return false;
    flow->remote = e->named;
    flow->rport = e->port;
    return true;
}

static struct flow pair_of(const struct flow *flow)
{
    struct flow pair = *flow;

    pair.lport = 0;
    return pair;
}

/* Waits for a SYN to be seen leaving. */
static void await(struct own_nat *n, const struct flow *flow, struct seq seq, wave_time now)
{
    uint32_t at = n->waiting;

    n->one_number |= seq_eq(n->last.seq, seq) && n->last.flow.lport != flow->lport;
    n->last = (struct own_nat_syn){*flow, seq};
    if (!n->pending)
        n->pending = calloc(OWN_NAT_PENDING, sizeof *n->pending);
    if (!n->pending)
        return;
    if (n->waiting == OWN_NAT_PENDING)
        at = n->oldest++ % OWN_NAT_PENDING;
    else
        n->waiting++;
    n->pending[at] = (struct own_nat_syn){*flow, seq};
    n->until = now + OWN_NAT_PATIENCE;
}

bool own_nat_sending(struct own_nat *n, const struct flow *flow, uint16_t flags, struct seq seq,
                     wave_time now)
{
    const bool syn = (flags & (SEG_SYN | SEG_ACK)) == SEG_SYN;
    struct own_nat_entry *e;
    struct flow pair;

    if (!syn && !n->translates)
        return false;
    pair = pair_of(flow);
    e = syn ? find_or_add(&n->pairs, &pair) : find(&n->pairs, &pair);
    if (!e)
        return false;
    if (!e->state) {
        e->state = PAIR_ASKED;
        e->since = now;
    } else if (e->state == PAIR_ASKED && now > e->since + OWN_NAT_PATIENCE) {
        e->state = PAIR_PLAIN;
    }
    if (e->state == PAIR_PLAIN)
        return false;
    if (syn)
        await(n, flow, seq, now);
    return syn || e->state == PAIR_TRANSLATED;
}

bool own_nat_watches(const struct own_nat *n, wave_time now)
{
    return n->waiting && (n->translates || now < n->until);
}

/* Returns the SYN that was seen to leave, in the pending, or NULL. Over another local port it is
 * the one with that number: numbers are random, except where the user chose one. */
static struct own_nat_syn *find_pending(struct own_nat *n, uint16_t lport, struct seq seq)
{
    struct own_nat_syn *same = NULL;

    for (uint32_t i = 0; i < n->waiting; i++) {
        if (!seq_eq(n->pending[i].seq, seq))
            continue;
        if (n->pending[i].flow.lport == lport)
            return &n->pending[i];
        same = &n->pending[i];
    }
    return n->one_number ? NULL : same;
}

/* Returns whether the source was rewritten since another connection of ours goes from that port to
 * the same place: one that was rewritten, or else this one's target was, and its port alone. */
static bool clashes(const struct own_nat *n, const struct flow *sent, const struct flow *seen)
{
    struct flow wire = *seen;

    if (!addr_eq(&seen->local, &sent->local))
        return false;
    wire.lport = sent->lport;
    return find(&n->flows, &wire) || seen->rport != sent->rport ||
           !addr_eq(&seen->remote, &sent->remote);
}

enum own_nat_done own_nat_left(struct own_nat *n, const struct flow *seen, struct seq seq)
{
    struct own_nat_syn *syn = find_pending(n, seen->lport, seq);
    struct own_nat_entry *e;
    struct flow sent, pair;
    bool same_target;

    if (!syn)
        return OWN_NAT_STRANGE;
    sent = syn->flow;
    *syn = n->pending[--n->waiting];
    pair = pair_of(&sent);
    e = find(&n->pairs, &pair);
    if (!e)
        return OWN_NAT_STRANGE;
    same_target = addr_eq(&seen->remote, &sent.remote) && seen->rport == sent.rport;
    if (seen->lport != sent.lport || !addr_eq(&seen->local, &sent.local)) {
        if (e->state == PAIR_ASKED)
            e->state = PAIR_PLAIN;
        return clashes(n, &sent, seen) ? OWN_NAT_CLASH : OWN_NAT_SOURCE;
    }
    if (same_target) {
        if (e->state == PAIR_ASKED)
            e->state = PAIR_PLAIN;
        return OWN_NAT_UNCHANGED;
    }
    e->state = PAIR_TRANSLATED;
    n->translates = true;
    own_nat_add(n, seen, &sent.remote, sent.rport);
    return OWN_NAT_TARGET;
}

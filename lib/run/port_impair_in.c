/* Receives: gives captured segments of ours together with what was done to them, in the order in
 * which they were sent, and applies the rules to those of the peer. */
#include <stdlib.h>
#include <string.h>

#include "lib/core/diag.h"
#include "lib/run/port_impair_priv.h"

int port_impair_later(struct port_impair *x, const struct wire_packet *p,
                      const struct impaired *about, const struct later *when, struct diag *d)
{
    const uint32_t len = about->engine.len;
    struct arrival *a = malloc(sizeof *a + p->ip_len + len), **at = &x->in;

    if (!a)
        return port_impair_no_memory(d);
    *a = (struct arrival){.due = when->due,
                          .waits = when->waits,
                          .held_by = when->held_by,
                          .flow = p->packet.flow,
                          .about = *about,
                          .fragments = p->fragments,
                          .ip_len = p->ip_len};
    a->about.taken = true;
    a->about.engine = port_impair_bare(&about->engine);
    memcpy(a->bytes, p->ip, p->ip_len);
    if (len) {
        memcpy(a->bytes + p->ip_len, about->engine.data, len);
        a->about.engine.data = a->bytes + p->ip_len;
    }
    while (*at && (*at)->due <= when->due)
        at = &(*at)->next;
    a->next = *at;
    *at = a;
    impair_held(x->rules, a->held_by, true);
    return 0;
}

/* Makes one segment due that waits for another one of this flow. Returns false if none does. */
static bool let_one_in(struct port_impair *x, const struct flow *flow, wave_time now)
{
    struct arrival **at = &x->in, *a;

    while ((a = *at) && !(a->waits && flow_eq(&a->flow, flow)))
        at = &a->next;
    if (!a)
        return false;
    *at = a->next;
    a->waits = false;
    a->due = now;
    for (at = &x->in; *at && (*at)->due <= now; at = &(*at)->next)
        ;
    a->next = *at;
    *at = a;
    return true;
}

/* A segment of this flow has been taken in: what waited for it is taken in now. */
static void let_in(struct port_impair *x, const struct flow *flow, wave_time now)
{
    while (let_one_in(x, flow, now))
        ;
}

/* Sends the RST that a rule makes for the peer. If that fails, the RST is one more lost segment. */
static void answer_peer(struct port_impair *x, const struct packet *p,
                        const struct impair_verdict *v, wave_time now)
{
    struct parcel rst = {.due = now,
                         .flow = flow_reverse(&p->flow),
                         .seg = impair_reset(&p->seg),
                         .about = {.acts = IMPAIRED_INVENTED,
                                   .rule = v->about.rule,
                                   .words = v->about.words,
                                   .on_wire = true,
                                   .shown = true,
                                   .what = "a RST that this rule made for the peer"}};

    rst.about.engine = rst.seg;
    (void)port_impair_dispatch(x, &rst, now, NULL);
}

/* Applies the rules to an arrived segment. Afterwards p->impaired says what to do with it. */
static int arrive(struct port_impair *x, struct wire_packet *p, struct diag *d)
{
    const struct packet *packet = &p->packet;
    const wave_time now = port_now(x->behind);
    struct impair_verdict v;
    struct later when;
    int error = 0;

    if (packet->kind != PACKET_TCP || p->broken)
        return 0;
    if (!impair_segment(x->rules, IMPAIR_IN, &packet->flow, &packet->seg, now, &v)) {
        let_in(x, &packet->flow, now);
        return 0;
    }
    x->about = v.about;
    x->about.engine = v.seg;
    x->about.on_wire = true;
    when =
        (struct later){time_add(now, v.hold && !v.wait ? IMPAIR_HELD : v.wait), v.hold, v.held_by};
    if (!v.drop && !v.spoil) {
        x->about.taken = when.due == now;
        if (when.due > now)
            error = port_impair_later(x, p, &x->about, &when, d);
        when.held_by = 0; /* the copy is counted with the segment of which it is one */
        if (!error && v.twice)
            error = port_impair_later(x, p, &x->about, &when, d);
    }
    if (v.answer)
        answer_peer(x, packet, &v, now);
    if (x->about.taken)
        let_in(x, &packet->flow, now);
    x->about.shown = true;
    p->impaired = &x->about;
    return error;
}

/* Returns whether this is what was sent. */
static bool is(const struct sent *e, const struct packet *p)
{
    const struct seg *a = &e->seg, *b = &p->seg;

    return !e->own && flow_eq(&e->flow, &p->flow) && seq_eq(a->seq, b->seq) && a->len == b->len &&
           a->flags == b->flags && a->wnd == b->wnd &&
           (!(a->flags & SEG_ACK) || seq_eq(a->ack, b->ack));
}

/* Removes the entry `e` and those before it that did not come, which the capture has lost. What is
 * only shown stays. Returns how many such entries were before it. */
static unsigned sent_found(struct port_impair *x, const struct sent *e)
{
    struct sent **at = &x->sent;
    unsigned own = 0;

    for (bool last = false; !last;) {
        struct sent *one = *at;

        last = one == e;
        if (one->own) {
            own++;
            at = &one->next;
            continue;
        }
        *at = one->next;
        if (!*at)
            x->sent_end = at;
        x->sent_count--;
        free(one);
    }
    return own;
}

/* Recognises a captured segment of ours, and says in *p what was done to it. It is then pending:
 * what is only shown and was sent before it comes first. */
static void recognise(struct port_impair *x, struct wire_packet *p)
{
    const struct sent *e = x->sent;

    while (e && !is(e, &p->packet))
        e = e->next;
    if (e && e->about.acts) {
        x->about = e->about;
        p->impaired = &x->about;
    }
    x->own_first = e ? sent_found(x, e) : 0;
    x->pending = *p;
    x->has_pending = true;
}

/* Fills in *out from what is on no wire. Returns false if it cannot be read. */
static bool give_own(struct port_impair *x, struct wire_packet *out)
{
    struct sent *e = x->given_sent = port_impair_sent_take(x);
    struct wire_packet p = {.stamp = e->stamp,
                            .outgoing = e->outgoing,
                            .ip = e->ip,
                            .ip_len = e->ip_len,
                            .impaired = &e->about};

    if (ip_parse(e->ip, e->ip_len, &p.packet) != 0)
        return false;
    *out = p;
    return true;
}

/* Fills in *out from what the engine takes in now. */
static bool give_arrival(struct port_impair *x, wave_time now, struct wire_packet *out)
{
    struct arrival *a = x->given_arrival = x->in;
    struct wire_packet p = {.stamp = port_stamp(x->behind),
                            .ip = a->bytes,
                            .ip_len = a->ip_len,
                            .fragments = a->fragments,
                            .impaired = &a->about};

    x->in = a->next;
    impair_held(x->rules, a->held_by, false);
    let_in(x, &a->flow, now);
    if (ip_parse(a->bytes, a->ip_len, &p.packet) != 0)
        return false;
    p.packet.flow = a->flow; /* where this host rewrites addresses, the packet has others */
    *out = p;
    return true;
}

/* Gives up on what does not come out of the capture and stands before what is only shown. Returns
 * whether the latter can be given now. */
static bool lose_patience(struct port_impair *x)
{
    const struct sent *own = x->sent;

    while (own && !own->own)
        own = own->next;
    if (!own || port_now(x->behind) < time_add(own->since, PORT_IMPAIR_PATIENCE))
        return false;
    while (!x->sent->own)
        free(port_impair_sent_take(x));
    return true;
}

void port_impair_forget(struct port_impair *x)
{
    free(x->given_sent);
    free(x->given_arrival);
    x->given_sent = NULL;
    x->given_arrival = NULL;
}

/* Gives what was kept here, if it is its turn. */
static bool give_kept(struct port_impair *x, struct wire_packet *out)
{
    const wave_time now = x->in ? port_now(x->behind) : 0;

    while (x->sent && x->sent->own && !(x->has_pending && !x->own_first)) {
        x->own_first -= x->has_pending;
        if (give_own(x, out))
            return true;
        port_impair_forget(x);
    }
    if (x->has_pending) {
        x->has_pending = false;
        *out = x->pending;
        return true;
    }
    while (x->in && x->in->due <= now) {
        if (give_arrival(x, now, out))
            return true;
        port_impair_forget(x);
    }
    return false;
}

int port_impair_next(struct port *p, struct wire_packet *out, struct diag *d)
{
    struct port_impair *x = impair_of(p);
    struct wire_packet packet;
    int n;

    port_impair_forget(x);
    for (;;) {
        if (give_kept(x, out))
            return 1;
        n = x->behind->ops->next(x->behind, &packet, d);
        if (n < 0)
            return n;
        if (!n && !(x->own_count && lose_patience(x)))
            return 0;
        if (n && packet.outgoing && packet.packet.kind == PACKET_TCP && !x->quiet) {
            recognise(x, &packet);
            continue;
        }
        if (!n)
            continue;
        n = packet.outgoing ? 0 : arrive(x, &packet, d);
        if (n < 0)
            return n;
        *out = packet;
        return 1;
    }
}

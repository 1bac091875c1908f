/* Sends: applies the rules to a segment of ours, holds back what has to wait, and keeps in mind
 * what was sent, so that next() can say what was done to it. */
#include <stdlib.h>
#include <string.h>

#include "lib/core/checksum.h"
#include "lib/core/diag.h"
#include "lib/core/ip_build.h"
#include "lib/run/port_impair_priv.h"

#define TTL 64
#define SENT_MAX 8192 /* entries; when there are more, the oldest is forgotten */

int port_impair_no_memory(struct diag *d)
{
    return diag_fail(d, WAVE_ESYS, "no memory for a segment that is to be impaired");
}

/*
 * What was sent
 */

struct sent *port_impair_sent_take(struct port_impair *x)
{
    struct sent *e = x->sent;

    x->sent = e->next;
    if (!x->sent)
        x->sent_end = &x->sent;
    x->sent_count--;
    x->own_count -= e->own;
    return e;
}

static void sent_add(struct port_impair *x, struct sent *e)
{
    if (x->sent_count == SENT_MAX)
        free(port_impair_sent_take(x));
    e->next = NULL;
    *x->sent_end = e;
    x->sent_end = &e->next;
    x->sent_count++;
    x->own_count += e->own;
}

struct seg port_impair_bare(const struct seg *s)
{
    struct seg copy = *s;

    copy.data = NULL;
    copy.opt.raw = NULL;
    copy.opt.raw_len = 0;
    return copy;
}

/* Notes that this was sent. If there is no memory, it will not be recognised in the capture. */
static void remember(struct port_impair *x, const struct parcel *p)
{
    struct sent *e = x->quiet ? NULL : malloc(sizeof *e);

    if (!e)
        return;
    *e = (struct sent){.flow = p->flow,
                       .seg = port_impair_bare(&p->seg),
                       .about = p->about,
                       .outgoing = true,
                       .since = port_now(x->behind)};
    sent_add(x, e);
}

/* Builds the IP packet of a segment. Returns its length, or 0 if it is too large. */
static uint32_t build(struct port_impair *x, const struct flow *flow, const struct seg *s,
                      const struct wire_ip *ip)
{
    const uint32_t header = (uint32_t)ip_build_size(flow->v6);
    const struct ip_fields f = {.ttl = ip->ttl ? ip->ttl : TTL,
                                .tos = (uint8_t)((ip->tos & ~3) | (s->ecn & 3)),
                                .df = !ip->no_df,
                                .id = ip->id};
    const int len = seg_build(flow, s, x->packet + header, sizeof x->packet - header);

    if (len < 0)
        return 0;
    ip_build(flow, CHECKSUM_TCP, &f, (uint32_t)len, x->packet);
    return header + (uint32_t)len;
}

/* Has next() show a packet that is on no wire. */
static int show_own(struct port_impair *x, const struct flow *flow, const struct seg *s,
                    const struct wire_ip *ip, bool outgoing, const struct impaired *about,
                    struct diag *d)
{
    const uint32_t len = build(x, flow, s, ip);
    struct sent *e = malloc(sizeof *e + len);

    if (!e)
        return port_impair_no_memory(d);
    *e = (struct sent){.flow = *flow,
                       .seg = port_impair_bare(s),
                       .about = *about,
                       .own = true,
                       .outgoing = outgoing,
                       .since = port_now(x->behind),
                       .stamp = port_stamp(x->behind),
                       .ip_len = len};
    memcpy(e->ip, x->packet, len);
    sent_add(x, e);
    return 0;
}

/*
 * Sending
 */

/* Gives a segment to the port behind. Returns what its send() or queue() does. */
static int transmit(struct port_impair *x, const struct parcel *p, struct diag *d)
{
    const struct port_ops *ops = x->behind->ops;
    uint32_t len;
    int error;

    if (p->spoil) {
        len = build(x, &p->flow, &p->seg, &p->ip);
        if (!len)
            return diag_fail(d, WAVE_ETRUNC, "%u bytes of data do not fit into an IP packet",
                             p->seg.len);
        const uint32_t header = (uint32_t)ip_build_size(p->flow.v6);
        impair_spoil(x->packet + header, len - header, p->bit);
        error = ops->queue(x->behind, &p->flow, p->seg.seq, x->packet, len);
    } else {
        error = ops->send(x->behind, &p->flow, &p->seg, &p->ip, d);
    }
    if (error == 0)
        remember(x, p);
    return error;
}

/* Puts a copy of the segment into `out`, behind all that are to be sent no later. */
static int hold(struct port_impair *x, const struct parcel *p, struct diag *d)
{
    struct parcel *copy = malloc(sizeof *copy + p->seg.len), **at = &x->out;

    if (!copy)
        return port_impair_no_memory(d);
    *copy = *p;
    copy->seg = port_impair_bare(&p->seg);
    if (p->seg.len) {
        memcpy(copy->data, p->seg.data, p->seg.len);
        copy->seg.data = copy->data;
    }
    while (*at && (*at)->due <= p->due)
        at = &(*at)->next;
    copy->next = *at;
    *at = copy;
    impair_held(x->rules, copy->held_by, true);
    return 0;
}

/* Makes one segment due that waits for another one of this flow. Returns false if none does. */
static bool let_one_out(struct port_impair *x, const struct flow *flow, wave_time now)
{
    struct parcel **at = &x->out, *p;

    while ((p = *at) && !(p->waits && flow_eq(&p->flow, flow)))
        at = &p->next;
    if (!p)
        return false;
    *at = p->next;
    p->waits = false;
    p->due = now;
    for (at = &x->out; *at && (*at)->due <= now; at = &(*at)->next)
        ;
    p->next = *at;
    *at = p;
    return true;
}

/* A segment of this flow has passed: what waited for it is sent now. */
static void let_out(struct port_impair *x, const struct flow *flow, wave_time now)
{
    while (let_one_out(x, flow, now))
        ;
}

int port_impair_dispatch(struct port_impair *x, const struct parcel *p, wave_time now,
                         struct diag *d)
{
    int error;

    if (p->due > now || (x->out && x->out->due <= now))
        return hold(x, p, d);
    error = transmit(x, p, d);
    if (error == WAVE_EAGAIN)
        return hold(x, p, d);
    if (error == 0)
        let_out(x, &p->flow, now);
    return error;
}

/* Sends what is due. Returns 0 once nothing is; WAVE_EAGAIN when the port behind has no room; or
 * another error about one segment, which *unsent names. *any: something was sent. */
static int send_due(struct port_impair *x, bool *any, struct wire_unsent *unsent, struct diag *d)
{
    const wave_time now = x->out ? port_now(x->behind) : 0;
    int error = 0;

    while (!error && x->out && x->out->due <= now) {
        struct parcel *p = x->out;

        error = transmit(x, p, d);
        if (error == WAVE_EAGAIN)
            break;
        *any = true;
        x->out = p->next;
        impair_held(x->rules, p->held_by, false);
        if (error)
            *unsent = (struct wire_unsent){p->flow, p->seg.seq};
        else
            let_out(x, &p->flow, now);
        free(p);
    }
    return error;
}

int port_impair_flush(struct port *p, struct wire_unsent *unsent, struct diag *d)
{
    struct port_impair *x = impair_of(p);
    int error, sent;
    bool any;

    x->stuck = false;
    do {
        any = false;
        error = x->behind->ops->flush(x->behind, unsent, d);
        if (error)
            break;
        sent = send_due(x, &any, unsent, d);
        error = any && sent == WAVE_EAGAIN ? 0 : sent;
    } while (!error && any);
    x->stuck = error == WAVE_EAGAIN;
    return error;
}

/* The RST that a rule makes for our engine in answer to a segment of ours. */
static int answer_us(struct port_impair *x, const struct flow *flow, const struct seg *s,
                     const struct impair_verdict *v, struct diag *d)
{
    static const struct wire_ip plain;
    const struct flow back = flow_reverse(flow);
    struct impaired about = {.acts = IMPAIRED_INVENTED,
                             .rule = v->about.rule,
                             .words = v->about.words,
                             .shown = true,
                             .taken = true,
                             .engine = impair_reset(s),
                             .what = "a RST that this rule made for our own TCP"};
    struct wire_packet p = {.stamp = port_stamp(x->behind)};

    if (!x->quiet)
        return show_own(x, &back, &about.engine, &plain, false, &about, d);
    p.ip = x->packet;
    p.ip_len = build(x, &back, &about.engine, &plain);
    if (ip_parse(p.ip, p.ip_len, &p.packet) != 0)
        return 0;
    return port_impair_later(x, &p, &about, &(struct later){.due = port_now(x->behind)}, d);
}

/* Handles a segment of ours that goes no further. `s` is the engine's, v->seg as the rules left
 * it. */
static int drop(struct port_impair *x, const struct flow *flow, const struct seg *s,
                const struct wire_ip *ip, const struct impair_verdict *v, struct diag *d)
{
    struct impaired about = v->about;
    int error = 0;

    about.shown = true;
    about.engine = port_impair_bare(s);
    if (!x->quiet)
        error = show_own(x, flow, &v->seg, ip, true, &about, d);
    if (!error && v->answer)
        error = answer_us(x, flow, s, v, d);
    return error;
}

int port_impair_send(struct port *p, const struct flow *flow, const struct seg *s,
                     const struct wire_ip *ip, struct diag *d)
{
    struct port_impair *x = impair_of(p);
    const wave_time now = port_now(x->behind);
    struct parcel parcel = {.due = now, .flow = *flow, .seg = *s};
    struct impair_verdict v;
    int error;

    if (ip)
        parcel.ip = *ip;
    if (!impair_segment(x->rules, IMPAIR_OUT, flow, s, now, &v))
        return port_impair_dispatch(x, &parcel, now, d);
    if (v.ttl)
        parcel.ip.ttl = v.ttl;
    if (v.drop)
        return drop(x, flow, s, &parcel.ip, &v, d);
    parcel.seg = v.seg;
    parcel.spoil = v.spoil;
    parcel.bit = v.bit;
    parcel.waits = v.hold;
    parcel.held_by = v.held_by;
    parcel.due = time_add(now, v.hold && !v.wait ? IMPAIR_HELD : v.wait);
    parcel.about = v.about;
    parcel.about.on_wire = parcel.about.shown = true;
    parcel.about.engine = port_impair_bare(s);
    error = port_impair_dispatch(x, &parcel, now, d);
    if (!error && v.twice) {
        parcel.about.copy = true;
        parcel.held_by = 0;
        error = port_impair_dispatch(x, &parcel, now, d);
    }
    return error;
}

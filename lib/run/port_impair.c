/*
 * Three lists hold what cannot be passed on immediately.
 *
 *     out    segments of ours that wait: because a rule delays them, or because the port behind had
 *            no room. They are in the order in which they are to be sent.
 *     sent   what was sent and has not come out of the capture, in order, and among it what only
 *            next() can show: segments of ours that were dropped, and RSTs that a rule made for our
 *            engine.
 *     in     arrived segments that the engine takes in later.
 *
 * Rules are applied once to a segment, so send() never returns WAVE_EAGAIN: it would be called once
 * more with the same segment. What finds no room goes into `out`, and flush() sends it.
 */
#include "lib/run/port_impair.h"

#include <stdlib.h>
#include <string.h>

#include "lib/core/checksum.h"
#include "lib/core/diag.h"
#include "lib/core/ip_build.h"

#define TTL 64
#define SENT_MAX 8192 /* entries; when there are more, the oldest is forgotten */
#define PACKET_MAX 65535

/* A segment of ours on its way out. */
struct parcel {
    struct parcel *next;
    wave_time due;
    bool waits; /* for another one of its flow to pass, until `due` at the latest */
    struct flow flow;
    struct seg seg; /* as it goes onto the wire */
    struct wire_ip ip;
    bool spoil; /* its checksum has to be wrong: by changing `bit` */
    uint32_t bit;
    struct impaired about; /* acts 0: nothing was done to it */
    uint8_t data[];
};

/* What was sent, or what only next() can show. */
struct sent {
    struct sent *next;
    struct flow flow; /* as the sender sees it */
    struct seg seg;   /* without its data and option bytes */
    struct impaired about;
    bool own;        /* it comes from no capture: */
    bool outgoing;   /* it is one of ours */
    wave_time since; /* the engine's clock */
    wave_time stamp;
    uint32_t ip_len;
    uint8_t ip[];
};

/* An arrived segment that the engine takes in later. */
struct arrival {
    struct arrival *next;
    wave_time due;
    bool waits;
    struct flow flow; /* as the sender sees it */
    struct impaired about;
    uint32_t fragments, ip_len;
    uint8_t bytes[]; /* the IP packet, then the data that the engine takes in */
};

struct port_impair {
    struct port port;
    struct port_ops ops;
    struct port *behind;
    struct impair *rules;
    bool quiet;
    struct parcel *out;
    bool stuck; /* the port behind had no room when flush() was called last */
    struct sent *sent, **sent_end;
    unsigned sent_count, own_count;
    struct arrival *in;

    /* What next() has returned last, and what it returns next; valid until the call after that. */
    struct sent *given_sent;
    struct arrival *given_arrival;
    struct impaired about;
    struct wire_packet pending; /* of the port behind, which comes after `own` entries */
    bool has_pending;

    uint8_t packet[PACKET_MAX];
};

static struct port_impair *impair_of(const struct port *p)
{
    return (struct port_impair *)(void *)(uintptr_t)p;
}

static int no_memory(struct diag *d)
{
    return diag_fail(d, WAVE_ESYS, "no memory for a segment that is to be impaired");
}

/*
 * What was sent
 */

/* Removes the oldest entry and returns it. */
static struct sent *sent_take(struct port_impair *x)
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
        free(sent_take(x));
    e->next = NULL;
    *x->sent_end = e;
    x->sent_end = &e->next;
    x->sent_count++;
    x->own_count += e->own;
}

/* Returns the segment without what points into memory of others. */
static struct seg bare(const struct seg *s)
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
                       .seg = bare(&p->seg),
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
        return no_memory(d);
    *e = (struct sent){.flow = *flow,
                       .seg = bare(s),
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
        return no_memory(d);
    *copy = *p;
    copy->seg = bare(&p->seg);
    if (p->seg.len) {
        memcpy(copy->data, p->seg.data, p->seg.len);
        copy->seg.data = copy->data;
    }
    while (*at && (*at)->due <= p->due)
        at = &(*at)->next;
    copy->next = *at;
    *at = copy;
    return 0;
}

/* A segment of this flow has passed: those that waited for it are sent now. */
static void let_out(struct port_impair *x, const struct flow *flow, wave_time now)
{
    struct parcel **at = &x->out, *p;

    while ((p = *at) && !(p->waits && flow_eq(&p->flow, flow)))
        at = &p->next;
    if (!p)
        return;
    *at = p->next;
    p->waits = false;
    p->due = now;
    for (at = &x->out; *at && (*at)->due <= now; at = &(*at)->next)
        ;
    p->next = *at;
    *at = p;
}

/* Sends the segment, or holds it if it is not its turn. */
static int dispatch(struct port_impair *x, const struct parcel *p, wave_time now, struct diag *d)
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
        if (error)
            *unsent = (struct wire_unsent){p->flow, p->seg.seq};
        else
            let_out(x, &p->flow, now);
        free(p);
    }
    return error;
}

static int port_impair_flush(struct port *p, struct wire_unsent *unsent, struct diag *d)
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

static int arrive_later(struct port_impair *x, const struct wire_packet *p,
                        const struct impaired *about, wave_time due, bool waits, struct diag *d);

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
    return arrive_later(x, &p, &about, port_now(x->behind), false, d);
}

/* Handles a segment of ours that goes no further. `s` is the engine's, v->seg as the rules left
 * it. */
static int drop(struct port_impair *x, const struct flow *flow, const struct seg *s,
                const struct wire_ip *ip, const struct impair_verdict *v, struct diag *d)
{
    struct impaired about = v->about;
    int error = 0;

    about.shown = true;
    about.engine = bare(s);
    if (!x->quiet)
        error = show_own(x, flow, &v->seg, ip, true, &about, d);
    if (!error && v->answer)
        error = answer_us(x, flow, s, v, d);
    return error;
}

static int port_impair_send(struct port *p, const struct flow *flow, const struct seg *s,
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
        return dispatch(x, &parcel, now, d);
    if (v.ttl)
        parcel.ip.ttl = v.ttl;
    if (v.drop)
        return drop(x, flow, s, &parcel.ip, &v, d);
    parcel.seg = v.seg;
    parcel.spoil = v.spoil;
    parcel.bit = v.bit;
    parcel.waits = v.hold;
    parcel.due = time_add(now, v.hold && !v.wait ? IMPAIR_HELD : v.wait);
    parcel.about = v.about;
    parcel.about.on_wire = parcel.about.shown = true;
    parcel.about.engine = bare(s);
    error = dispatch(x, &parcel, now, d);
    if (!error && v.twice) {
        parcel.about.copy = true;
        error = dispatch(x, &parcel, now, d);
    }
    return error;
}

/* A packet that was built elsewhere belongs to no connection of ours: no rule is about it. */
static int port_impair_queue(struct port *p, const struct flow *flow, struct seq seq,
                             const uint8_t *ip, uint32_t len)
{
    struct port_impair *x = impair_of(p);

    return x->behind->ops->queue(x->behind, flow, seq, ip, len);
}

/*
 * Receiving
 */

/* Puts a copy of an arrived segment into `in`. */
static int arrive_later(struct port_impair *x, const struct wire_packet *p,
                        const struct impaired *about, wave_time due, bool waits, struct diag *d)
{
    const uint32_t len = about->engine.len;
    struct arrival *a = malloc(sizeof *a + p->ip_len + len), **at = &x->in;

    if (!a)
        return no_memory(d);
    *a = (struct arrival){.due = due,
                          .waits = waits,
                          .flow = p->packet.flow,
                          .about = *about,
                          .fragments = p->fragments,
                          .ip_len = p->ip_len};
    a->about.taken = true;
    a->about.engine = bare(&about->engine);
    memcpy(a->bytes, p->ip, p->ip_len);
    if (len) {
        memcpy(a->bytes + p->ip_len, about->engine.data, len);
        a->about.engine.data = a->bytes + p->ip_len;
    }
    while (*at && (*at)->due <= due)
        at = &(*at)->next;
    a->next = *at;
    *at = a;
    return 0;
}

/* A segment of this flow has been taken in: the one that waited for it is taken in now. */
static void let_in(struct port_impair *x, const struct flow *flow, wave_time now)
{
    struct arrival **at = &x->in, *a;

    while ((a = *at) && !(a->waits && flow_eq(&a->flow, flow)))
        at = &a->next;
    if (!a)
        return;
    *at = a->next;
    a->waits = false;
    a->due = now;
    for (at = &x->in; *at && (*at)->due <= now; at = &(*at)->next)
        ;
    a->next = *at;
    *at = a;
}

/* Sends the RST that a rule makes for the peer. */
static int answer_peer(struct port_impair *x, const struct packet *p,
                       const struct impair_verdict *v, wave_time now, struct diag *d)
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
    return dispatch(x, &rst, now, d);
}

/* Applies the rules to an arrived segment. Afterwards p->impaired says what to do with it. */
static int arrive(struct port_impair *x, struct wire_packet *p, struct diag *d)
{
    const struct packet *packet = &p->packet;
    const wave_time now = port_now(x->behind);
    struct impair_verdict v;
    wave_time due;
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
    due = time_add(now, v.hold && !v.wait ? IMPAIR_HELD : v.wait);
    if (!v.drop && !v.spoil) {
        x->about.taken = due == now;
        if (due > now)
            error = arrive_later(x, p, &x->about, due, v.hold, d);
        if (!error && v.twice)
            error = arrive_later(x, p, &x->about, due, v.hold, d);
    }
    if (!error && v.answer)
        error = answer_peer(x, packet, &v, now, d);
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

/* Recognises a captured segment of ours. What was sent before it and did not come is lost to the
 * capture; what is only shown comes first, and then *p, which is pending. */
static void recognise(struct port_impair *x, struct wire_packet *p)
{
    struct sent *e = x->sent, **at;

    while (e && !is(e, &p->packet))
        e = e->next;
    x->has_pending = true;
    x->about.acts = 0;
    if (e) {
        x->about = e->about;
        for (at = &x->sent; *at;) {
            struct sent *one = *at;
            if (one->own && one != e) {
                at = &one->next;
                continue;
            }
            *at = one->next;
            if (!*at)
                x->sent_end = at;
            x->sent_count--;
            free(one);
            if (one == e)
                break;
        }
    }
    x->pending = *p;
    if (e && x->about.acts)
        x->pending.impaired = &x->about;
}

/* Fills in *out from what is on no wire. Returns false if it cannot be read. */
static bool give_own(struct port_impair *x, struct wire_packet *out)
{
    struct sent *e = x->given_sent = sent_take(x);
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
    let_in(x, &a->flow, now);
    if (ip_parse(a->bytes, a->ip_len, &p.packet) != 0)
        return false;
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
        free(sent_take(x));
    return true;
}

/* Frees what the last call has returned. */
static void forget_given(struct port_impair *x)
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

    while (x->sent && x->sent->own) {
        if (give_own(x, out))
            return true;
        forget_given(x);
    }
    if (x->has_pending) {
        x->has_pending = false;
        *out = x->pending;
        return true;
    }
    while (x->in && x->in->due <= now) {
        if (give_arrival(x, now, out))
            return true;
        forget_given(x);
    }
    return false;
}

static int port_impair_next(struct port *p, struct wire_packet *out, struct diag *d)
{
    struct port_impair *x = impair_of(p);
    struct wire_packet packet;
    int n;

    forget_given(x);
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

/*
 * Time
 */

static wave_time port_impair_now(struct port *p)
{
    return port_now(impair_of(p)->behind);
}

static wave_time port_impair_stamp(struct port *p)
{
    return port_stamp(impair_of(p)->behind);
}

/* Returns when next() or flush() has something to do without the port behind; 0: now. */
static wave_time due(const struct port_impair *x)
{
    wave_time at = WAVE_NEVER;
    const struct sent *own = x->own_count ? x->sent : NULL;

    if (x->has_pending || (own && own->own))
        return 0;
    while (own && !own->own)
        own = own->next;
    if (own)
        at = time_add(own->since, PORT_IMPAIR_PATIENCE);
    if (x->in)
        at = time_min(at, x->in->due);
    if (x->out && !x->stuck) /* otherwise the loop knows when to try once more */
        at = time_min(at, x->out->due);
    return at;
}

static bool port_impair_wait(struct port *p, wave_time until, struct pollfd *fds, unsigned n)
{
    struct port_impair *x = impair_of(p);
    const wave_time at = due(x);
    bool ready = x->behind->ops->wait(x->behind, time_min(at, until), fds, n);

    return ready || at == 0 || (at < until && port_now(x->behind) >= at);
}

/*
 * What is only passed on
 */

static struct wire_stats port_impair_stats(struct port *p)
{
    struct port *behind = impair_of(p)->behind;

    return behind->ops->stats(behind);
}

static bool port_impair_rerouted(struct port *p, char interface[16])
{
    struct port *behind = impair_of(p)->behind;

    return behind->ops->rerouted(behind, interface);
}

static bool port_impair_unreachable(struct port *p, struct wire_neighbour *out)
{
    struct port *behind = impair_of(p)->behind;

    return behind->ops->unreachable(behind, out);
}

static bool port_impair_unreachable_from(struct port *p, const struct addr *local,
                                         const struct addr *remote, struct wire_neighbour *out)
{
    struct port *behind = impair_of(p)->behind;

    return behind->ops->unreachable_from(behind, local, remote, out);
}

static uint16_t port_impair_lport(const struct port *p, uint32_t i)
{
    return port_lport(impair_of(p)->behind, i);
}

static uint32_t port_impair_lports(const struct port *p)
{
    return port_lports(impair_of(p)->behind);
}

static uint32_t port_impair_window(const struct port *p, uint32_t mss)
{
    return port_window(impair_of(p)->behind, mss);
}

static void port_impair_close(struct port *p)
{
    struct port_impair *x = impair_of(p);
    struct parcel *parcel;
    struct arrival *a;

    forget_given(x);
    while (x->sent)
        free(sent_take(x));
    while ((parcel = x->out)) {
        x->out = parcel->next;
        free(parcel);
    }
    while ((a = x->in)) {
        x->in = a->next;
        free(a);
    }
    port_close(x->behind);
    free(x);
}

static const struct port_ops all = {.send = port_impair_send,
                                    /* no room(): what is sent need not be what the engine wrote */
                                    .queue = port_impair_queue,
                                    .flush = port_impair_flush,
                                    .next = port_impair_next,
                                    .now = port_impair_now,
                                    .stamp = port_impair_stamp,
                                    .wait = port_impair_wait,
                                    .stats = port_impair_stats,
                                    .rerouted = port_impair_rerouted,
                                    .unreachable = port_impair_unreachable,
                                    .unreachable_from = port_impair_unreachable_from,
                                    .lport = port_impair_lport,
                                    .lports = port_impair_lports,
                                    .window = port_impair_window,
                                    .close = port_impair_close};

int port_impair_open(struct port **out, struct port *behind, struct impair *rules, bool quiet,
                     struct diag *d)
{
    struct port_impair *x = calloc(1, sizeof *x);

    if (!x) {
        port_close(behind);
        return diag_fail(d, WAVE_ENOMEM, "no memory for the rules of --impair");
    }
    x->ops = all;
    if (!behind->ops->unreachable) /* what it cannot tell, this port cannot tell either */
        x->ops.unreachable = NULL;
    if (!behind->ops->unreachable_from)
        x->ops.unreachable_from = NULL;
    x->behind = behind;
    x->rules = rules;
    x->quiet = quiet;
    x->sent_end = &x->sent;
    x->port =
        (struct port){.ops = &x->ops, .info = behind->info, .virtual_time = behind->virtual_time};
    *out = &x->port;
    return 0;
}

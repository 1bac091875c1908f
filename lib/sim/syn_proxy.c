/*
 * A connection is known from the client's acknowledgement of the cookie on. Until the server has
 * answered, each further segment of the client's repeats the SYN, as there are no timers here: a
 * client whose window is shut probes it.
 */
#include "lib/sim/syn_proxy.h"

#include <stdlib.h>

#include "lib/core/cookie.h"
#include "lib/core/err.h"

#define MSS_DEFAULT 536 /* RFC 9293, 3.7.1 */

int syn_proxy_init(struct syn_proxy *p, uint16_t mss, uint64_t seed)
{
    *p = (struct syn_proxy){.key = {{seed, seed ^ UINT64_MAX / 3}}, .mss = mss};
    p->conn = calloc(FLOW_MAP_MAX, sizeof *p->conn);
    if (p->conn && flow_map_init(&p->map, seed) == 0)
        return 0;
    syn_proxy_free(p);
    return WAVE_ENOMEM;
}

void syn_proxy_free(struct syn_proxy *p)
{
    free(p->conn);
    p->conn = NULL;
    flow_map_free(&p->map);
}

/* Answers a SYN, and keeps nothing of it. */
static void answer_syn(const struct syn_proxy *p, wave_time now, const struct flow *flow,
                       const struct seg *s, struct syn_proxy_sends *out)
{
    const uint16_t mss = s->opt.has & OPT_MSS ? s->opt.mss : MSS_DEFAULT;

    out->to_client = true;
    out->client = (struct seg){.seq = cookie_make(&p->key, now, flow, s->seq, mss),
                               .ack = seq_add(s->seq, 1),
                               .flags = SEG_SYN | SEG_ACK,
                               .opt = {.has = OPT_MSS, .mss = p->mss}};
}

/* Opens the connection to the server in the client's name. */
static void send_syn(const struct syn_proxy_conn *c, struct syn_proxy_sends *out)
{
    out->to_server = true;
    out->server = (struct seg){.seq = c->client,
                               .flags = SEG_SYN,
                               .wnd = c->window,
                               .opt = {.has = OPT_MSS, .mss = c->mss}};
}

/* Takes a segment of a flow that is not known: it may be the acknowledgement of a cookie. */
static void admit(struct syn_proxy *p, wave_time now, const struct flow *flow, const struct seg *s,
                  struct syn_proxy_sends *out)
{
    const struct seq client = seq_sub(s->seq, 1), proxy = seq_sub(s->ack, 1);
    uint16_t mss;
    bool fresh;
    struct syn_proxy_conn *c;

    if ((s->flags & (SEG_ACK | SEG_RST)) != SEG_ACK ||
        !(mss = cookie_check(&p->key, now, flow, client, proxy)))
        return;
    c = &p->conn[flow_map_use(&p->map, flow, &fresh)];
    *c = (struct syn_proxy_conn){.client = client, .proxy = proxy, .mss = mss, .window = s->wnd};
    send_syn(c, out);
}

/* Takes a segment of a connection that is known: hands it on, or asks the server once more. */
static void pass_to_server(const struct syn_proxy_conn *c, const struct seg *s,
                           struct syn_proxy_sends *out)
{
    if (c->open) {
        out->to_server = true;
        out->server = *s;
        out->server.ack = seq_sub(s->ack, c->shift);
    } else if (!(s->flags & SEG_RST)) {
        send_syn(c, out);
    }
}

void syn_proxy_from_client(struct syn_proxy *p, wave_time now, const struct flow *flow,
                           const struct seg *s, struct syn_proxy_sends *out)
{
    const uint32_t number = flow_map_find(&p->map, flow);
    const bool known = number != FLOW_MAP_NONE, opens = s->flags & SEG_SYN;

    *out = (struct syn_proxy_sends){.to_client = false};
    if (opens)
        answer_syn(p, now, flow, s, out);
    else if (known)
        pass_to_server(&p->conn[number], s, out);
    else
        admit(p, now, flow, s, out);
    /* A SYN opens a new connection over the same ports: the former one is over. */
    if (known && (opens || s->flags & SEG_RST))
        flow_map_remove(&p->map, number);
}

/* The server has answered the SYN: the handshake with it is completed, and the client learns its
 * window. */
static void opened(struct syn_proxy_conn *c, const struct seg *s, struct syn_proxy_sends *out)
{
    c->shift = c->proxy.v - s->seq.v;
    c->open = true;
    out->to_server = out->to_client = true;
    out->server = (struct seg){.seq = seq_add(c->client, 1),
                               .ack = seq_add(s->seq, 1),
                               .flags = SEG_ACK,
                               .wnd = c->window};
    out->client = (struct seg){
        .seq = seq_add(c->proxy, 1), .ack = seq_add(c->client, 1), .flags = SEG_ACK, .wnd = s->wnd};
}

void syn_proxy_from_server(struct syn_proxy *p, const struct flow *flow, const struct seg *s,
                           struct syn_proxy_sends *out)
{
    const uint32_t number = flow_map_find(&p->map, flow);
    struct syn_proxy_conn *c;

    *out = (struct syn_proxy_sends){.to_client = false};
    if (number == FLOW_MAP_NONE)
        return;
    c = &p->conn[number];
    if ((s->flags & (SEG_SYN | SEG_ACK)) == (SEG_SYN | SEG_ACK)) {
        opened(c, s, out);
        return;
    }
    out->to_client = true;
    out->client = *s;
    if (c->open)
        out->client.seq = seq_add(s->seq, c->shift);
    else if (s->flags & SEG_RST) /* the server refuses what its proxy has accepted */
        out->client = (struct seg){.seq = seq_add(c->proxy, 1),
                                   .ack = seq_add(c->client, 1),
                                   .flags = SEG_RST | SEG_ACK};
    if (s->flags & SEG_RST)
        flow_map_remove(&p->map, number);
}

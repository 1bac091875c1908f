/*
 * Takes over a connection that another TCP, or nothing but single crafted segments, has brought to
 * ESTABLISHED. What both sides have said is in the numbers of their segments, so that an observer
 * who saw the handshake can hand the connection to an engine.
 */
#include "lib/core/cc.h"
#include "lib/core/conn_priv.h"
#include "lib/core/err.h"

/* Returns the peer's SYN as far as our own SYN let its options count. */
static struct seg agreed_syn(const struct conn_numbers *n)
{
    struct seg syn = {.seq = n->irs, .flags = SEG_SYN, .opt = n->theirs};

    syn.opt.has &= n->ours.has | OPT_MSS;
    return syn;
}

/* Sets what the SYNs agreed on, whatever env->config would offer now: the peer goes by what it was
 * offered then. */
static void agree(struct conn *c, wave_time now, const struct conn_numbers *n)
{
    struct seg syn = agreed_syn(n);

    conn_take_syn(c, now, &syn);
    c->flags &= ~(uint32_t)(CONN_WSCALE | CONN_TIMESTAMPS | CONN_SACK | CONN_ECN);
    c->snd_shift = c->rcv_shift = 0;
    if (syn.opt.has & OPT_WSCALE) {
        c->flags |= CONN_WSCALE;
        c->snd_shift = syn.opt.wscale > 14 ? 14 : syn.opt.wscale & 15;
        c->rcv_shift = n->ours.wscale > 14 ? 14 : n->ours.wscale & 15;
    }
    if (syn.opt.has & OPT_SACK_PERMITTED)
        c->flags |= CONN_SACK;
    if (syn.opt.has & OPT_TIMESTAMP) {
        c->flags |= CONN_TIMESTAMPS;
        c->ts_recent = n->ts_recent;
        c->ts_offset = n->tsval - conn_ms(now); /* our clock does not go back: RFC 7323, 5.4 */
    }
}

int conn_adopt(struct conn *c, wave_time now, const struct conn_numbers *n)
{
    if (c->state != STATE_CLOSED || c->end != END_NONE)
        return WAVE_ESTATE;
    if (!seq_lt(n->iss, n->snd_nxt) || !seq_lt(n->irs, n->rcv_nxt) ||
        !seq_leq(n->rcv_nxt, n->rcv_edge))
        return WAVE_EINVAL;
    agree(c, now, n);
    c->snd.iss = n->iss;
    c->snd.una = c->snd.nxt = c->snd.wl2 = n->snd_nxt;
    c->snd.wl1 = seq_sub(n->rcv_nxt, 1);
    c->snd.wnd = c->snd.max_wnd = n->snd_wnd;
    c->rcv.nxt = c->rcv.acked = n->rcv_nxt;
    c->rcv.adv = n->rcv_edge;
    c->flags |= CONN_SYN_ACKED | (n->passive ? CONN_PASSIVE : 0);
    c->syn_sent = 1;
    c->state = STATE_ESTABLISHED;
    c->since = conn_ms(now);
    cc_established(c);
    keepalive_start(c);
    return 0;
}

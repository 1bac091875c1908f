/*
 * ICMP errors about our segments. Soft errors are reported and change nothing, and hard errors end
 * the connection only during the handshake (RFC 5461). Errors that do not quote something in flight
 * are taken for forged and ignored (RFC 5927). A smaller path MTU lowers the segment size (RFC
 * 1191, RFC 8201).
 */
#include "lib/core/conn_priv.h"
#include "lib/core/queue.h"

/* Returns the next smaller MTU that is common on links (RFC 1191, section 7.1), for routers that do
 * not say theirs. */
static uint32_t plateau_below(uint32_t mtu)
{
    static const uint32_t plateau[] = {32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296, 68};

    for (unsigned i = 0; i < sizeof plateau / sizeof plateau[0]; i++)
        if (plateau[i] < mtu)
            return plateau[i];
    return 68;
}

/* Applies a smaller path MTU: segments in flight that are too big for it are marked lost, so that
 * they are cut and retransmitted immediately. */
static void take_mtu(struct conn *c, wave_time now, uint32_t mtu)
{
    const uint32_t fixed = c->flow.v6 ? 60 : 40;
    struct event e = {.kind = EVENT_MSS};
    uint32_t mss;

    if (mtu == 0)
        mtu = plateau_below(c->mss + fixed);
    /* RFC 8201, section 4: never below IPv6's minimum; RFC 1191, section 3: never below 68. */
    if (mtu < (c->flow.v6 ? 1280u : 68u))
        mtu = c->flow.v6 ? 1280 : 68;
    mss = mtu - fixed;
    if (mss < CONN_MSS_MIN) /* more likely forged than a router's value */
        mss = CONN_MSS_MIN;
    if (mss >= c->mss)
        return;
    c->mss = (uint16_t)mss;
    e.u.bytes = mss;
    conn_emit(c, now, &e);
    for (uint32_t i = 0; c->queue && i < c->queue->sents; i++)
        if (queue_at(c->queue, i)->len > conn_segment_size(c))
            queue_mark_lost(c->queue, i);
}

void conn_icmp(struct conn *c, wave_time now, const struct icmp *icmp)
{
    struct event e = {.kind = EVENT_ICMP};

    if (c->state == STATE_CLOSED || c->state == STATE_LISTEN || icmp->meaning == ICMP_NO_ERROR)
        return;
    /* RFC 5927, 4.1: SND.UNA =< quoted number < SND.NXT. */
    if (!icmp->has_seq || !seq_within(icmp->seq, c->snd.una, conn_flight(c)))
        return;
    e.u.icmp.type = icmp->type;
    e.u.icmp.code = icmp->code;
    e.u.icmp.v6 = icmp->flow.v6;
    e.u.icmp.meaning = icmp->meaning;
    e.u.icmp.from = icmp->from;
    e.u.icmp.fatal = icmp->meaning == ICMP_HARD && conn_syn_unacked(c);
    conn_emit(c, now, &e);
    /* RFC 5927, 7.2: a SYN fits every path, so it cannot have caused an error that says "too
     * big". */
    if (icmp->meaning == ICMP_TOO_BIG && !conn_syn_unacked(c))
        take_mtu(c, now, icmp->mtu);
    else if (e.u.icmp.fatal) /* RFC 5461, 4.1: hard errors are treated as soft once synchronized */
        conn_finish(c, now, END_ICMP, "ICMP error answered our SYN");
}

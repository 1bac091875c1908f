/*
 * What differs in a session over a port that impairs segments on purpose (port_impair.h): how
 * captured segments of ours are found in the sent log. The log has them as the engine made them, in
 * the order in which it did; the wire has them in another form and order, or not at all.
 */
#include "lib/run/session_priv.h"

bool session_may_miss(const struct session *s)
{
    return !s->config.impaired || s->gaps;
}

const struct sent_entry *session_missed_before(struct session *s, const struct wire_packet *p)
{
    return s->config.impaired ? NULL : sent_log_missed_before(&s->sent_log, &p->packet.seg);
}

const struct sent_entry *session_sent(struct session *s, const struct wire_packet *p)
{
    const struct impaired *i = p->impaired;

    if (!s->config.impaired)
        return sent_log_take(&s->sent_log, &p->packet.seg);
    if (i && (i->copy || (i->acts & IMPAIRED_INVENTED)))
        return NULL;
    return sent_log_pick(&s->sent_log, i ? &i->engine : &p->packet.seg);
}

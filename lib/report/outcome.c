/*
 * Makes the verdict. outcome_moved() and outcome_sent() record how our side went through the
 * states; outcome_of() decides from the end of the connection and from the reason why the run
 * stopped, and writes one sentence for each case.
 */
#include "lib/report/outcome.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/core/addr.h"
#include "lib/core/text.h"
#include "lib/report/human.h"

void outcome_moved(struct outcome_path *p, enum state from, enum state to, uint32_t segment)
{
    bool first = !p->local_first && !p->peer_first;

    if (to == STATE_ESTABLISHED)
        p->established = true;
    if (to == STATE_FIN_WAIT_1 && first)
        p->local_first = true;
    if (to == STATE_CLOSE_WAIT) {
        p->established = true; /* the FIN may come with the ACK that ends the handshake */
        if (first)
            p->peer_first = true;
    }
    if (to == STATE_CLOSING)
        p->simultaneous = true;
    if (to == STATE_FIN_WAIT_2)
        p->acked_by = segment;
    if (from == STATE_FIN_WAIT_2 && to == STATE_TIME_WAIT)
        p->separate = segment != p->acked_by;
}

void outcome_sent(struct outcome_path *p, enum state state, unsigned flags)
{
    if (state == STATE_CLOSE_WAIT && !(flags & (SEG_FIN | SEG_RST)))
        p->separate = true;
    if (flags & SEG_RST)
        p->reset_sent = true;
}

static void set(const struct outcome_facts *f, struct outcome *o, enum verdict verdict,
                const char *by, const char *kind, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

static void set(const struct outcome_facts *f, struct outcome *o, enum verdict verdict,
                const char *by, const char *kind, const char *format, ...)
{
    va_list ap;

    o->verdict = verdict;
    o->exit = (int)verdict;
    o->by = by;
    o->kind = kind;
    o->message[0] = '\0';
    if (f->unread)
        return;
    va_start(ap, format);
    vsnprintf(o->message, sizeof o->message, format, ap);
    va_end(ap);
}

/* Returns how we left a connection before its end. CLOSING and LAST_ACK are left without a RST (RFC
 * 9293, 3.10.5), and so is a connection that has sent no more than a SYN. */
static const char *how_left(const struct outcome_facts *f)
{
    return f->path.reset_sent ? "reset" : "abandoned";
}

static const char *plural(uint32_t n)
{
    return n == 1 ? "" : "s";
}

static void rejected(const struct outcome_facts *f, struct outcome *o)
{
    const struct icmp *e = f->icmp;
    char from[ADDR_TEXT], text[HUMAN_ICMP];

    set(f, o, VERDICT_REJECTED, "none", NULL, "%s was rejected by %s: %s", f->peer,
        addr_text(e->flow.v6, &e->from, from), human_icmp(e->flow.v6, e->type, e->code, text));
}

/* There was no handshake: nothing came but silence, a router's error, or segments that RFC 9293,
 * 3.10.7.3 makes us discard. */
static void unanswered(const struct outcome_facts *f, struct outcome *o)
{
    if (f->icmp)
        rejected(f, o);
    else if (f->impaired)
        set(f, o, VERDICT_DROPPED, "none", NULL,
            "the handshake with %s did not come about: we made %u SYN%s, and no answer to %s was "
            "taken in",
            f->peer, f->syn_sent, plural(f->syn_sent), f->syn_sent == 1 ? "it" : "them");
    else if (f->arrived)
        set(f, o, VERDICT_DROPPED, "none", NULL,
            "%s gave no acceptable answer to %u SYN%s: none of the %" PRIu64 " segment%s that came "
            "acknowledged our SYN as a SYN-ACK or RST must",
            f->peer, f->syn_sent, plural(f->syn_sent), f->arrived, f->arrived == 1 ? "" : "s");
    else if (f->elsewhere)
        set(f, o, VERDICT_DROPPED, "none", NULL,
            "%s itself did not answer %u SYN%s: what came for our port had other addresses",
            f->peer, f->syn_sent, plural(f->syn_sent));
    else if (f->odd_icmp)
        set(f, o, VERDICT_DROPPED, "none", NULL,
            "%s gave no acceptable answer to %u SYN%s: the ICMP error that came is one that a host "
            "ignores",
            f->peer, f->syn_sent, plural(f->syn_sent));
    else
        set(f, o, VERDICT_DROPPED, "none", NULL, "nothing answered %u SYN%s to %s", f->syn_sent,
            plural(f->syn_sent), f->peer);
}

static void closed(const struct outcome_facts *f, struct outcome *o)
{
    const char *kind = f->path.simultaneous ? "simultaneous"
                       : f->path.separate   ? "four-way"
                                            : "three-way";

    if (f->path.simultaneous)
        set(f, o, VERDICT_OPEN, "both", kind, "connected to %s; both sides closed at the same time",
            f->peer);
    else if (f->path.peer_first && f->made_fin)
        set(f, o, VERDICT_OPEN, "local", kind,
            "connected to %s; closed by both sides, after a FIN that a rule made", f->peer);
    else if (f->path.peer_first)
        set(f, o, VERDICT_OPEN, "peer", kind,
            "connected to %s; closed by both sides, the peer first", f->peer);
    else
        set(f, o, VERDICT_OPEN, "local", kind, "connected to %s; closed by both sides, we first",
            f->peer);
}

/* The same where rules kept segments from either side: what the peer did is not known from here. */
static void lost_on_purpose(const struct outcome_facts *f, struct outcome *o)
{
    const bool reset = f->path.reset_sent;

    if (f->end == END_KEEPALIVE)
        set(f, o, VERDICT_LOST, reset ? "local" : "none", reset ? "reset" : NULL,
            "connected to %s until %u keepalive probe%s had no answer that was taken in", f->peer,
            f->probes, plural(f->probes));
    else
        set(f, o, f->answers ? VERDICT_FAILED : VERDICT_LOST, "none", NULL,
            "connected to %s until we gave up: no acknowledgement of what we sent was taken in, "
            "although it was retransmitted",
            f->peer);
}

static void lost(const struct outcome_facts *f, struct outcome *o)
{
    if (f->hindered)
        set(f, o, VERDICT_LOCAL, "none", NULL,
            "connected to %s until this host could not go on: %s", f->peer, f->hindered);
    else if (f->impaired)
        lost_on_purpose(f, o);
    else if (f->end == END_KEEPALIVE && f->answers)
        set(f, o, VERDICT_FAILED, f->path.reset_sent ? "local" : "none",
            f->path.reset_sent ? "reset" : NULL,
            "connected to %s, which still sends and gave no acceptable answer to %u keepalive "
            "probe%s: its segments do not fit the connection",
            f->peer, f->probes, plural(f->probes));
    else if (f->end == END_KEEPALIVE) /* RFC 9293, 3.8.4: a dead connection is reset */
        set(f, o, VERDICT_LOST, f->path.reset_sent ? "local" : "none",
            f->path.reset_sent ? "reset" : NULL,
            "%s stopped answering: %u keepalive probe%s went unanswered", f->peer, f->probes,
            plural(f->probes));
    else if (f->answers)
        set(f, o, VERDICT_FAILED, "none", NULL,
            "connected to %s, which answers and does not take what we sent: it was never "
            "acknowledged, although it was retransmitted",
            f->peer);
    else
        set(f, o, VERDICT_LOST, "none", NULL,
            "%s stopped answering: what we sent was never acknowledged, although it was "
            "retransmitted",
            f->peer);
}

/* The verdict of --no-ack. */
static void not_acknowledged(const struct outcome_facts *f, struct outcome *o)
{
    char silent[HUMAN_TEXT];

    if (!f->syn_acks)
        unanswered(f, o);
    else
        set(f, o, VERDICT_OPEN, "none", "abandoned",
            "%s answered our SYN, and sent its SYN-ACK %u time%s in all while we kept silent for "
            "%s",
            f->peer, f->syn_acks, plural(f->syn_acks), human_duration(f->kept_silent, silent));
}

/* The verdict after --timeout, which depends on what had been reached by then. */
static void timed_out(const struct outcome_facts *f, struct outcome *o)
{
    char waited[TEXT_DURATION];

    text_duration_format(f->waited, waited);
    if (f->syn_acks && !f->path.established)
        not_acknowledged(f, o);
    else if (!f->path.established)
        unanswered(f, o);
    else if (f->hindered)
        set(f, o, VERDICT_LOCAL, "local", how_left(f),
            "connected to %s until this host could not go on, and the timeout of %s ran out: %s",
            f->peer, waited, f->hindered);
    else if (f->outstanding && f->impaired)
        set(f, o, f->answers ? VERDICT_FAILED : VERDICT_LOST, "local", how_left(f),
            "connected to %s, but no acknowledgement of all that we sent was taken in within the "
            "timeout of %s, although it was retransmitted",
            f->peer, waited);
    else if (f->outstanding && f->answers)
        set(f, o, VERDICT_FAILED, "local", how_left(f),
            "connected to %s, which answered and did not take all that we sent within the timeout "
            "of %s: it was not acknowledged, although it was retransmitted",
            f->peer, waited);
    else if (f->outstanding)
        set(f, o, VERDICT_LOST, "local", how_left(f),
            "%s did not acknowledge what we sent, although it was retransmitted, within the "
            "timeout of %s",
            f->peer, waited);
    else
        set(f, o, VERDICT_FAILED, "local", how_left(f),
            "connected to %s, but the timeout of %s ran out while waiting for %s", f->peer, waited,
            f->awaited ? f->awaited : "the end");
}

static void lingered(const struct outcome_facts *f, struct outcome *o)
{
    char waited[TEXT_DURATION], missing[HUMAN_TEXT];

    if (f->missing && f->hindered) {
        set(f, o, VERDICT_LOCAL, "local", "abandoned",
            "connected to %s until this host could not go on: %s", f->peer, f->hindered);
        return;
    }
    if (f->impaired) {
        set(f, o, f->missing ? VERDICT_FAILED : VERDICT_OPEN, "local", "abandoned",
            "connected to %s, which acknowledged our FIN; no FIN of its was taken in%s%s%s, and we "
            "left with RST after %s of silence",
            f->peer, f->missing ? ", and " : "", f->missing ? human_bytes(f->missing, missing) : "",
            f->missing ? " before it are missing" : "", text_duration_format(f->waited, waited));
        return;
    }
    if (f->missing) {
        set(f, o, VERDICT_FAILED, "local", "abandoned",
            "connected to %s, which acknowledged our FIN; %s of what it sent never arrived, and we "
            "left with RST after %s of silence",
            f->peer, human_bytes(f->missing, missing), text_duration_format(f->waited, waited));
        return;
    }
    set(f, o, VERDICT_OPEN, "local", "abandoned",
        "connected to %s; it acknowledged our FIN and holds its own side open (CLOSE_WAIT): we "
        "left with RST after %s of silence",
        f->peer, text_duration_format(f->waited, waited));
}

/* The run was stopped before the connection's own end. */
static void stopped(const struct outcome_facts *f, struct outcome *o)
{
    switch (f->stop) {
    case STOP_ASKED:
        if (f->end == END_VANISHED)
            set(f, o, VERDICT_OPEN, "none", "abandoned",
                "connected to %s; vanished without closing, as asked", f->peer);
        else
            set(f, o, VERDICT_OPEN, "local", how_left(f),
                "connected to %s; ended with RST, as asked", f->peer);
        break;
    case STOP_LINGER:
        lingered(f, o);
        break;
    case STOP_TIMEOUT:
        timed_out(f, o);
        break;
    case STOP_NO_ACK:
        not_acknowledged(f, o);
        break;
    case STOP_SIGNAL:
        set(f, o, VERDICT_FAILED, f->path.established ? "local" : "none",
            f->path.established ? how_left(f) : NULL,
            "interrupted by a signal while waiting for %s", f->awaited ? f->awaited : "the end");
        o->exit = 128 + f->signal;
        break;
    case STOP_LOCAL: /* see failed_here() */
    case STOP_END:
        set(f, o, VERDICT_FAILED, "none", NULL, "the run ended before the connection did");
        break;
    }
}

/* This host failed, which is more important than what became of the connection. `by` and `kind`
 * still say how that ended. The exit status of a signal stays. */
static void failed_here(const struct outcome_facts *f, struct outcome *o)
{
    bool over = f->end == END_CLOSED || (f->local == STATE_TIME_WAIT && f->end == END_ABORTED);
    bool theirs = f->end == END_RESET || f->end == END_REFUSED;

    if (over)
        closed(f, o);
    set(f, o, VERDICT_LOCAL,
        over                  ? o->by
        : theirs              ? (f->made_rst ? "local" : "peer")
        : f->path.established ? "local"
                              : "none",
        over                  ? o->kind
        : theirs              ? "reset"
        : f->path.established ? how_left(f)
                              : NULL,
        "%s", f->error ? f->error : "this host failed");
    if (f->signal)
        o->exit = 128 + f->signal;
}

/* RST answered our SYN. Where rules did something, the peer may have answered that. */
static void was_refused(const struct outcome_facts *f, struct outcome *o)
{
    if (f->made_rst)
        set(f, o, VERDICT_REFUSED, "local", "reset",
            "the handshake with %s did not come about: a RST that a rule made answered our SYN",
            f->peer);
    else if (f->impaired)
        set(f, o, VERDICT_REFUSED, "peer", "reset", "RST answered our SYN to %s", f->peer);
    else
        set(f, o, VERDICT_REFUSED, "peer", "reset",
            "%s refused the connection: RST answered our SYN", f->peer);
}

/* RST came later. */
static void was_reset(const struct outcome_facts *f, struct outcome *o)
{
    if (f->made_rst)
        set(f, o, VERDICT_RESET, "local", "reset",
            "connected to %s until a RST that a rule made ended it while we were in %s", f->peer,
            state_name(f->local));
    else if (f->impaired)
        set(f, o, VERDICT_RESET, "peer", "reset",
            "connected to %s until its RST came while we were in %s", f->peer,
            state_name(f->local));
    else
        set(f, o, VERDICT_RESET, "peer", "reset",
            "%s reset the connection: RST while we were in %s", f->peer, state_name(f->local));
}

/* Returns whether the connection was closed by both sides when the run was stopped. In TIME_WAIT
 * only the waiting remains. In LAST_ACK the peer's last ACK may have been captured already, without
 * the engine having had its turn. */
static bool nothing_remains(const struct outcome_facts *f)
{
    return f->local == STATE_TIME_WAIT || (f->local == STATE_LAST_ACK && f->all_acked);
}

void outcome_of(const struct outcome_facts *f, struct outcome *o)
{
    if (f->stop == STOP_LOCAL) {
        failed_here(f, o);
        return;
    }
    if (f->end == END_ABORTED && nothing_remains(f)) {
        closed(f, o);
        if (f->stop == STOP_SIGNAL)
            o->exit = 128 + f->signal;
        return;
    }
    /* What the peer did to the connection says more than why we would have stopped. */
    switch (f->end) {
    case END_REFUSED:
        was_refused(f, o);
        return;
    case END_RESET:
        was_reset(f, o);
        return;
    case END_TIMEOUT_SYN:
        unanswered(f, o);
        return;
    case END_ICMP:
        if (f->icmp)
            rejected(f, o);
        else
            set(f, o, VERDICT_REJECTED, "none", NULL, "%s was rejected by an ICMP error", f->peer);
        return;
    case END_TIMEOUT:
    case END_KEEPALIVE:
        lost(f, o);
        return;
    case END_CLOSED:
        if (f->stop == STOP_END || f->stop == STOP_ASKED) {
            closed(f, o);
            return;
        }
        break;
    case END_NONE:
    case END_ABORTED:
    case END_VANISHED:
        break;
    }
    stopped(f, o);
}

/*
 * Findings about the peer: its TCP, its application, and what it does with our segments.
 */
#include "lib/report/find.h"

#include <stdio.h>

#include "lib/report/human.h"

#define FEW 2  /* one alone may be an accident of the network */
#define SOME 3 /* two may be one as well */

/* Returns whether the connection was established nevertheless. */
static bool opened(const struct facts *k)
{
    return k->flow->signs.opened != 0;
}

/* Returns whether our capture has seen every segment, so that what it has not seen was not sent. */
static bool saw_all(const struct facts *k)
{
    return !k->flow->track.gaps;
}

/* Returns the severity of an answer to our SYN that must be ignored. It explains a failure; if
 * there was none, it may come from an earlier connection. Of many connections, fewer such answers
 * than failures do not explain these. */
static enum finding_severity astray(const struct facts *k, enum sign_kind kind)
{
    const bool few = k->host && count(k, kind) < k->host->failed;

    return opened(k) || few ? FINDING_INFO : k->over ? FINDING_PROBLEM : FINDING_WARNING;
}

/* Returns whether what we sent or wait for did not get through, which silence or loss would
 * explain; where we lost some of it on purpose, that explains it. */
static bool starved(const struct facts *k)
{
    const bool short_of = k->missing || k->outstanding || !k->flow->received_bytes;

    return k->over && !impaired(k) &&
           (k->verdict == VERDICT_DROPPED || k->verdict == VERDICT_LOST ||
            (k->verdict == VERDICT_FAILED && short_of));
}

/* RFC 5961, 3.2: a RST outside of the window ends nothing. One alone may be late, or a stranger's.
 */
static bool rst_outside(const struct facts *k, struct finding *f)
{
    const uint32_t times = count(k, SIGN_RST_OUTSIDE);
    const bool stuck =
        k->verdict == VERDICT_LOST || (k->verdict == VERDICT_FAILED && k->outstanding);
    char n[HUMAN_TEXT];

    if (!k->over || times < FEW || !(stuck || k->verdict == VERDICT_FAILED))
        return false;
    f->certainty = FINDING_PROVED;
    f->severity = stuck ? FINDING_PROBLEM : FINDING_WARNING;
    cite(k, SIGN_RST_OUTSIDE, f);
    finding_say(f,
                "%s RSTs came whose sequence numbers are outside of our window, so that a host "
                "ignores them",
                human_count(times, n));
    finding_advise(f, "their sender means that the connection is over, and does not follow it: a "
                      "device on the way that has lost it, or a very simple TCP; "
                      "a capture at the peer tells which");
    return true;
}

/* RFC 9293, 3.10.7.3, first and second: a RST counts in SYN-SENT if it acknowledges our SYN. */
static bool rst_unacceptable(const struct facts *k, struct finding *f)
{
    if (!count(k, SIGN_RST_ASTRAY))
        return rst_outside(k, f);
    f->certainty = FINDING_PROVED;
    f->severity =
        k->over && k->verdict == VERDICT_REFUSED ? FINDING_WARNING : astray(k, SIGN_RST_ASTRAY);
    cite(k, SIGN_RST_ASTRAY, f);
    finding_say(f, "a RST answered our SYN without acknowledging it, so that a host ignores it");
    finding_advise(f, "if no one else can have sent it, the port is closed: a firewall or a very "
                      "simple TCP answers like this; a capture at the peer tells which");
    return true;
}

/* RFC 9293, 3.5.1: a half-open connection answers a SYN with an ACK of its own numbers; one in
 * TIME_WAIT does so, too. Our RST ends both, so that one such answer is no trouble yet. */
static bool ack_to_syn(const struct facts *k, struct finding *f)
{
    if (!count(k, SIGN_ACK_ASTRAY) || k->flow->asks_older) /* that is no news to its command */
        return false;
    if (!k->over && !opened(k) && count(k, SIGN_ACK_ASTRAY) < FEW)
        return false;
    f->severity = k->over && k->verdict == VERDICT_OPEN ? FINDING_INFO : astray(k, SIGN_ACK_ASTRAY);
    cite(k, SIGN_ACK_ASTRAY, f);
    if (opened(k))
        finding_say(f, "the peer first answered our SYN with an ACK of something else: it still "
                       "held an older connection over these ports, until our RST ended that");
    else
        finding_say(f, "the peer answers our SYN with an ACK of something else: it still holds an "
                       "older connection over these ports");
    if (opened(k))
        finding_advise(f,
                       "nothing need be done: that one was closed a short time ago, or its other "
                       "side went away without closing it");
    else if (impaired(k))
        finding_advise(f, "our RST should have ended that one, unless a rule stopped it");
    else
        finding_advise(f,
                       "our RST should have ended that one; if it goes on, the RST is lost on the "
                       "way: use another source port (%s), or wait until the peer forgets it",
                       ask(k, HOW_TO_NAME_PORT));
    return true;
}

static bool syn_ack_unacceptable(const struct facts *k, struct finding *f)
{
    if (!count(k, SIGN_SYN_ACK_ASTRAY))
        return false;
    f->certainty = FINDING_PROVED;
    f->severity = astray(k, SIGN_SYN_ACK_ASTRAY);
    cite(k, SIGN_SYN_ACK_ASTRAY, f);
    finding_say(f, "a SYN-ACK came that acknowledges another SYN than ours");
    finding_advise(f,
                   "a device on the way may rewrite sequence numbers, or the peer answers an older "
                   "SYN from these ports: try another source port (%s)",
                   ask(k, HOW_TO_NAME_PORT));
    return true;
}

static bool bad_checksum(const struct facts *k, struct finding *f)
{
    const uint64_t bad = k->host ? k->host->bad_checksums : 0;
    const uint64_t headers = k->host ? k->host->bad_headers : 0;
    char n[HUMAN_TEXT];

    if (!bad)
        return false;
    f->certainty = FINDING_PROVED;
    f->severity = starved(k) ? FINDING_PROBLEM : FINDING_WARNING;
    finding_say(f, "%s segment%s arrived with a wrong %s checksum and %s thrown away",
                human_count(bad, n), bad == 1 ? "" : "s",
                !headers        ? "TCP"
                : headers < bad ? "TCP or IP header"
                                : "IP header",
                bad == 1 ? "was" : "were");
    finding_advise(f, "the peer, its network card's offload or a device that rewrites headers "
                      "computes it wrongly (switch off checksum offload there: ethtool -K), or "
                      "something on the way damages packets");
    return true;
}

/* None of our SYNs with timestamps was answered: neither those before the first SYN without, nor
 * the one that was sent after it was answered (lib/core/conn_priv.h). Chance loses all of these as
 * well, though seldom. */
static bool old_timestamp_dropped(const struct facts *k, struct finding *f)
{
    const struct signs *s = &k->flow->signs;
    const uint32_t with = count(k, SIGN_STAMPED_SYN), many = on_many(k, MANY_UNSTAMPED_SYN);
    char some[ON_SOME];

    finding_advise(f,
                   "a usual client does not get through: look for a firewall that drops TCP "
                   "options, or for a host that takes timestamps of several clients behind one "
                   "address for old ones; %s connects at once",
                   ask(k, HOW_TO_OMIT_TIMESTAMPS));
    if (many) {
        finding_say(f,
                    "%sno SYN with timestamps was answered, and each without them was: the peer "
                    "or a device before it drops SYNs for their timestamps",
                    on_some(k, many, some));
        return true;
    }
    if (s->stamped_heard || count(k, SIGN_UNSTAMPED_HEARD) < FEW || with < SOME + 1)
        return false;
    cite(k, SIGN_STAMPED_SYN, f);
    finding_say(f,
                "%u SYNs with timestamps got no answer, and each of %u without them did: the peer "
                "or a device before it drops SYNs for their timestamps",
                with, count(k, SIGN_UNSTAMPED_HEARD));
    return true;
}

/* RFC 7323, 3.2: once negotiated, every segment but a RST carries timestamps. */
static bool timestamps_missing(const struct facts *k, struct finding *f)
{
    char n[HUMAN_TEXT], some[ON_SOME];
    const uint32_t missing = count(k, SIGN_UNSTAMPED), many = on_many(k, MANY_UNSTAMPED);

    if (!missing && !many)
        return false;
    f->certainty = FINDING_PROVED;
    cite(k, SIGN_UNSTAMPED, f);
    if (many)
        finding_say(f,
                    "%ssegments of the peer's came without the timestamps that both sides had "
                    "agreed on; they were taken all the same",
                    on_some(k, many, some));
    else
        finding_say(f,
                    "%s segment%s of the peer's came without the timestamps that both sides had "
                    "agreed on; %s taken all the same",
                    human_count(missing, n), missing == 1 ? "" : "s",
                    missing == 1 ? "it was" : "they were");
    finding_advise(f,
                   "some hosts drop such segments (RFC 7323, 3.2): a device on the way strips the "
                   "option, or the peer's TCP is at fault; %s avoids it",
                   ask(k, HOW_TO_OMIT_TIMESTAMPS));
    return true;
}

/* RFC 7323, 5.3, R1. What a delay on the way explains is no sign. */
static bool timestamps_backwards(const struct facts *k, struct finding *f)
{
    const struct signs *s = &k->flow->signs;
    const uint32_t old = count(k, SIGN_OLD_TIMESTAMP), many = on_many(k, MANY_OLD_TIMESTAMP);
    char some[ON_SOME], all[HUMAN_TEXT + 16] = "";

    if (old < FEW && !many)
        return false;
    f->severity = many_failed(k, many) || (!many && k->over && k->verdict != VERDICT_OPEN)
                      ? FINDING_PROBLEM
                      : FINDING_WARNING;
    cite(k, SIGN_OLD_TIMESTAMP, f);
    if (!many)
        snprintf(all, sizeof all, ": %u in all", s->refused[CHECK_PAWS]);
    finding_say(f,
                "%sthe timestamps of the peer's new segments go backwards, so that they are "
                "dropped as old (PAWS)%s",
                on_some(k, many, some), all);
    finding_advise(
        f,
        "two clocks share the connection: a proxy answered the SYN and a server goes on; "
        "try %s, or switch them off at the proxy",
        ask(k, HOW_TO_OMIT_TIMESTAMPS));
    return true;
}

static bool timestamp_echo_wrong(const struct facts *k, struct finding *f)
{
    const uint32_t many = on_many(k, MANY_ECHO_ASTRAY);
    char some[ON_SOME];

    if (!count(k, SIGN_ECHO_ASTRAY) && !many)
        return false;
    f->certainty = FINDING_PROVED;
    cite(k, SIGN_ECHO_ASTRAY, f);
    finding_say(f, "%sthe peer echoes timestamps that we never sent", on_some(k, many, some));
    finding_advise(f, "round trips that are measured by them are wrong: a device on the way "
                      "rewrites timestamps one way only, or the peer's TCP is at fault");
    return true;
}

/* The same with a window that hardly any data fits into (RFC 9293, 3.8.6.2.2), where it is not only
 * read with too small a scale. */
static bool window_narrow(const struct facts *k, struct finding *f)
{
    const struct signs *s = &k->flow->signs;
    const wave_time since = s->narrow_since;
    char text[HUMAN_TEXT], size[HUMAN_TEXT];

    if (!k->over || !since || k->now < since + WAVE_S || k->verdict == VERDICT_OPEN ||
        !s->narrow_full || scale_rewritten(k))
        return false;
    f->certainty = FINDING_PROVED;
    f->severity = FINDING_PROBLEM;
    finding_say(f, "the peer's receive window has been %s or less for %s, so that our data waits",
                human_bytes(s->narrow, size), human_duration(k->now - since, text));
    finding_advise(f, "look at the application on the peer: it reads little at a time, or has a "
                      "very small buffer (ss there shows Recv-Q)");
    return true;
}

/* The peer answered window probes, and then nothing of it came any more: that ended the run, and
 * the window is of no importance. */
static bool window_before_silence(const struct facts *k, struct finding *f)
{
    const struct signs *s = &k->flow->signs;
    const wave_time shut = signs_shut_for(s, s->shut_told);
    char text[HUMAN_TEXT];

    if (shut < WAVE_S)
        return false;
    f->certainty = FINDING_PROVED;
    cite(k, SIGN_WINDOW_SHUT, f);
    finding_say(f,
                "the peer's receive window had been shut for %s when it was heard last; since then "
                "it has answered no window probe either",
                human_duration(shut, text));
    finding_advise(f, "see first whether the peer is still there: its host was reachable, and its "
                      "application did not read, until then");
    return true;
}

/* The advice where the peer's application does not read. */
static void advise_reader(struct finding *f)
{
    finding_advise(f, "look at the application on the peer: it is stopped, busy, or waits for "
                      "something else (ss there shows a full Recv-Q)");
}

/* Of many connections, those on which three window probes of ours or more met a shut window, and
 * were answered. */
static bool window_closed_on_many(const struct facts *k, struct finding *f)
{
    const uint32_t many = on_many(k, MANY_WINDOW_SHUT);
    char some[ON_SOME];

    if (!many)
        return false;
    f->certainty = FINDING_PROVED;
    f->severity = many_failed(k, many) ? FINDING_PROBLEM : FINDING_WARNING;
    finding_say(f,
                "%sthe peer's receive window was shut while our data waited, and it answered our "
                "window probes: its host lives, and does not take what we send",
                on_some(k, many, some));
    advise_reader(f);
    return true;
}

/* RFC 9293, 3.8.6.1. While nothing of ours waits for it, a shut window harms no one: a probe of
 * ours that was not taken shows that something does. */
static bool window_closed(const struct facts *k, struct finding *f)
{
    const struct signs *s = &k->flow->signs;
    const wave_time shut = signs_shut_for(s, k->now);
    char text[HUMAN_TEXT];

    if (window_closed_on_many(k, f))
        return true;
    if (!count(k, SIGN_WINDOW_SHUT) || shut < WAVE_S ||
        (!count(k, SIGN_SHUT_ANSWER) && count(k, SIGN_WINDOW_PROBED) < FEW))
        return window_narrow(k, f);
    if (k->over && s->shut && k->verdict == VERDICT_LOST && count(k, SIGN_SHUT_ANSWER))
        return window_before_silence(k, f);
    f->certainty = FINDING_PROVED;
    f->severity =
        k->over && s->shut && k->verdict != VERDICT_OPEN ? FINDING_PROBLEM : FINDING_WARNING;
    cite(k, SIGN_WINDOW_SHUT, f);
    finding_say(f, "the peer's receive window %s shut for %s%s", s->shut ? "has been" : "was",
                human_duration(shut, text),
                count(k, SIGN_SHUT_ANSWER) ? ", and it answered our window probes: its host lives, "
                                             "and does not take what we send"
                                           : "");
    advise_reader(f);
    return true;
}

static bool window_overrun(const struct facts *k, struct finding *f)
{
    if (!count(k, SIGN_OVERRUN))
        return false;
    f->certainty = FINDING_PROVED;
    if (k->over && k->verdict == VERDICT_FAILED && k->outstanding &&
        k->flow->signs.refused[CHECK_SEQUENCE])
        f->severity = FINDING_PROBLEM; /* with its segments, their ACKs were dropped */
    cite(k, SIGN_OVERRUN, f);
    finding_say(f, "the peer sent data beyond the window that we had offered");
    finding_advise(f, "a host drops what lies beyond its window: the peer's TCP ignores it, or a "
                      "device on the way rewrites windows or the window scale");
    return true;
}

/* Returns whether the peer went on repeating its SYN-ACK while we repeated our FIN, which a host
 * with deferred accept takes as it takes data. */
static bool fin_before_accept(const struct facts *k)
{
    const struct signs *s = &k->flow->signs;

    return k->over && !s->spoke && s->fin_sent && !k->flow->fin_acked[0] &&
           count(k, SIGN_SYN_ACK_AGAIN) >= FEW && s->fin_at[2] > s->fin_at[0] &&
           s->syn_acked > s->fin_at[0];
}

/* With a full accept queue a host ignores the third segment and retransmits its SYN-ACK; it ignores
 * our data as well. With deferred accept it waits for data, and accepts it. If our segments are
 * lost on the way it looks the same, unless the SYN-ACK echoes a timestamp of theirs. */
static bool accept_queue_full(const struct facts *k, struct finding *f)
{
    const bool heard = count(k, SIGN_SYN_ACK_HEARD);
    char n[HUMAN_TEXT];

    if (k->host && k->host->queue_full >= FEW && !impaired(k)) {
        f->severity = k->verdict == VERDICT_OPEN ? FINDING_WARNING : FINDING_PROBLEM;
        finding_say(f,
                    "on %s connections the peer sent its SYN-ACK and then took neither our ACK nor "
                    "our data: its accept queue was full",
                    human_count(k->host->queue_full, n));
        finding_advise(f,
                       "its application accepts too slowly or its backlog is too small (ss -ltn "
                       "there: Recv-Q beyond Send-Q); ask for fewer at a time (%s)",
                       ask(k, HOW_TO_LIMIT_NUMBER));
        return true;
    }
    /* A host whose queue is full is silent; RSTs mean that our numbers do not fit there. */
    if ((count(k, SIGN_DATA_UNTAKEN) < FEW && !fin_before_accept(k)) ||
        count(k, SIGN_CHALLENGED) >= FEW)
        return false;
    if (k->flow->signs.spoke)
        f->severity = FINDING_WARNING;
    cite(k, count(k, SIGN_DATA_UNTAKEN) ? SIGN_DATA_UNTAKEN : SIGN_SYN_ACK_AGAIN, f);
    finding_say(f, "the peer repeated its SYN-ACK and took neither our ACK nor our %s: %s",
                count(k, SIGN_DATA_UNTAKEN) ? "data" : "FIN",
                heard ? "it echoes their timestamps, so that they came to it, and its accept queue "
                        "is full"
                      : "its accept queue is full, or what we send is lost on the way");
    finding_advise(f,
                   "its application accepts too slowly or its backlog is too small (ss -ltn "
                   "there: Recv-Q beyond Send-Q)%s",
                   heard ? "" : "; if not, look for a firewall that passes only one direction");
    return true;
}

/* The same without data of ours: the peer may just wait for data. One retransmission happens if our
 * ACK was lost; a peer that waits for nothing then accepts the next ACK silently. */
static bool deferred_accept(const struct facts *k, struct finding *f)
{
    const uint32_t again = count(k, SIGN_SYN_ACK_AGAIN);

    if (!k->over || k->flow->signs.spoke || count(k, SIGN_DATA_UNTAKEN) || fin_before_accept(k) ||
        (again < FEW && !count(k, SIGN_SYN_ACK_HEARD)))
        return false;
    cite(k, SIGN_SYN_ACK_AGAIN, f);
    finding_say(f, "the peer repeats its SYN-ACK after our ACK: it waits for data before it "
                   "accepts (deferred accept), or its accept queue is full");
    finding_advise(f, "send something (%s): with deferred accept it is then taken",
                   ask(k, HOW_TO_SEND_DATA));
    return true;
}

/* RFC 4987, 3.6. Hosts retransmit a SYN-ACK after one second, or three. */
static bool syn_cookies(const struct facts *k, struct finding *f)
{
    char silent[HUMAN_TEXT];

    if (!k->over || k->silent_for < 4 * WAVE_S || count(k, SIGN_SYN_ACK) != 1 || !saw_all(k) ||
        impaired(k))
        return false;
    cite(k, SIGN_SYN_ACK, f);
    finding_say(f,
                "the peer did not repeat its SYN-ACK within %s: it keeps nothing of the handshake "
                "(SYN cookies), or a SYN proxy answers for it",
                human_duration(k->silent_for, silent));
    finding_advise(f, "it is under a SYN flood or thinks so, or has them always on");
    return true;
}

/* Returns whether this host itself made the peer end the connection: a RST of its own left, or its
 * rules rejected what came, with an ICMP error. */
static bool own_doing(const struct facts *k)
{
    return count(k, SIGN_FOREIGN_RST) ||
           (k->host && k->host->counts_reached && k->host->captured && !k->host->reached);
}

/* Whether the peer's end came within two round trips of the handshake, or 20 ms. */
static bool is_at_once(const struct report_flow *flow, const struct signs_end *e)
{
    const wave_time trip = flow->rtt == WAVE_NEVER ? 0 : flow->rtt;
    const wave_time max = 2 * trip > 20 * WAVE_MS ? 2 * trip : 20 * WAVE_MS;

    return e->stamp >= flow->signs.opened && e->stamp - flow->signs.opened <= max;
}

/* It had read what we sent, and may need no more. */
static bool closed_after_data(wave_time after, struct finding *f)
{
    char text[HUMAN_TEXT];

    f->severity = FINDING_INFO;
    finding_say(f,
                "the peer took what we sent, and closed %s after the handshake without a byte of "
                "its own",
                human_duration(after, text));
    finding_advise(f, "some servers only take; a proxy or load balancer whose backend is not there "
                      "looks like this, and so does a server that does not understand us");
    return true;
}

static void advise_behind(struct finding *f)
{
    finding_advise(f, "look behind it: at the backends of the proxy, at the server's list of "
                      "allowed clients, at its limit of connections");
}

static bool closed_at_once_on_many(const struct facts *k, struct finding *f)
{
    const uint32_t fins = on_many(k, MANY_FIN_AT_ONCE), rsts = on_many(k, MANY_RST_AT_ONCE);
    char some[ON_SOME], text[HUMAN_TEXT];

    if (!k->over || !(fins || rsts) || own_doing(k))
        return false;
    f->severity = many_failed(k, rsts) ? FINDING_PROBLEM : FINDING_WARNING;
    finding_say(f,
                "%sthe peer %s within %s of the handshake, before it sent any byte: a proxy or "
                "load balancer whose backend is not there looks like this",
                on_some(k, fins + rsts, some),
                !fins  ? "reset the connection"
                : rsts ? "closed or reset the connection"
                       : "closed",
                human_duration(k->many->at_once, text));
    advise_behind(f);
    return true;
}

/* The peer closed within two round trips, without having sent a byte. Only for a peer to which we
 * connected: one that connects to us and closes tests whether we are up. */
static bool closed_at_once(const struct facts *k, struct finding *f)
{
    const struct report_flow *flow = k->flow;
    const bool reset = !flow->signs.fin.segment;
    const struct signs_end *e = reset ? &flow->signs.rst : &flow->signs.fin;
    char text[HUMAN_TEXT];

    if (closed_at_once_on_many(k, f))
        return true;
    if (!k->over || !e->segment || !e->first || !e->bare || e->impaired || !opened(k) ||
        (flow->our_flags & SEG_ACK) || e->stamp < flow->signs.opened || own_doing(k) ||
        (reset && (signs_rst_elsewhere(&flow->signs) || e->other_mac)))
        return false;
    if (!is_at_once(flow, e))
        return false;
    finding_cite_segment(f, e->segment);
    if (!reset && e->after_data && !e->pending && k->verdict != VERDICT_RESET)
        return closed_after_data(e->stamp - flow->signs.opened, f);
    if (k->verdict == VERDICT_RESET)
        f->severity = FINDING_PROBLEM;
    finding_say(f,
                "the peer %s %s after the handshake, before it sent any byte: a proxy or load "
                "balancer whose backend is not there looks like this",
                reset ? "reset the connection" : "closed",
                human_duration(e->stamp - flow->signs.opened, text));
    advise_behind(f);
    return true;
}

/* RFC 1122, 4.2.2.13: a host whose application closes while something is unread resets the
 * connection, though its TCP has acknowledged all. */
static bool answered_unread(const struct facts *k, struct finding *f)
{
    const struct signs *s = &k->flow->signs;
    const struct signs_end *e = &s->rst;

    if (k->verdict != VERDICT_RESET || !e->segment || s->fin.segment || !e->first || e->pending ||
        e->bare || e->impaired || e->other_mac || e->quiet >= WAVE_S || !s->theirs || !s->data[0] ||
        (k->flow->our_flags & SEG_ACK) || signs_rst_elsewhere(s) || count(k, SIGN_OTHER_ISN) ||
        count(k, SIGN_CHALLENGED) || own_doing(k) || !saw_all(k))
        return false;
    finding_cite_segment(f, e->segment);
    finding_say(f, "the peer answered, and then reset the connection, though it had acknowledged "
                   "all that we sent: its application closed and had not read all of it");
    finding_advise(f, "read its answer: it usually says why it did not want the rest; a server "
                      "that is killed, or that closes with RST on purpose, looks the same");
    return true;
}

/* If the rest was acknowledged nevertheless, the two only crossed. */
static bool answered_early(const struct facts *k, struct finding *f)
{
    const struct signs *s = &k->flow->signs;
    const struct signs_end *e = s->fin.segment ? &s->fin : &s->rst;
    /* A client of ours closes its side when it has asked: what we send then is the answer. */
    const bool more = s->more_sent && !(k->flow->our_flags & SEG_ACK);

    const uint32_t many = on_many(k, MANY_EARLY);
    char some[ON_SOME];

    if (k->over && !many && answered_unread(k, f))
        return true;
    if (!many && (!k->over || !e->segment || !e->first || !(e->pending || more) || e->bare ||
                  !s->theirs || !s->data[0] || (s->impaired & IMPAIRED_OURS) || !saw_all(k)))
        return false;
    f->certainty = FINDING_PROVED;
    if (!many && seq_geq(s->their_ack, seq_sub(s->high, s->fin_sent)))
        f->severity = FINDING_INFO;
    finding_cite_segment(f, e->segment);
    finding_say(f, "%sthe peer answered and closed before it had all that we sent%s",
                on_some(k, many, some),
                f->severity == FINDING_INFO ? "" : ", and did not take the rest");
    finding_advise(f, "read its answer: it usually says why it did not want the rest");
    return true;
}

static void advise_idle(struct finding *f)
{
    finding_advise(f, "an idle timeout of the server, or of a proxy before it: probe or send more "
                      "often than that, or raise the timeout");
}

static bool when_idle_on_many(const struct facts *k, bool reset, struct finding *f)
{
    const uint32_t many = on_many(k, reset ? MANY_RST_IDLE : MANY_FIN_IDLE);
    char some[ON_SOME], text[HUMAN_TEXT];

    if (!many)
        return false;
    if (reset)
        weigh_many(k, many, f);
    finding_say(f, "%sthe peer's side %s after %s or more in which neither side sent anything",
                on_some(k, many, some), reset ? "reset the connection" : "closed",
                human_duration(k->many->idle, text));
    advise_idle(f);
    return true;
}

static bool when_idle(const struct facts *k, bool reset, struct finding *f)
{
    const struct signs_end *e = reset ? &k->flow->signs.rst : &k->flow->signs.fin;
    char text[HUMAN_TEXT];

    if (when_idle_on_many(k, reset, f))
        return true;
    if (!e->segment || !e->first || !opened(k) || e->pending || e->answers || e->impaired ||
        e->quiet < WAVE_S)
        return false;
    if (reset && k->flow->probed[1]) /* it had asked whether we are there, and we sent nothing */
        return false;
    f->certainty = saw_all(k) ? FINDING_PROVED : FINDING_LIKELY;
    finding_cite_segment(f, e->segment);
    finding_say(f, "the peer's side %s after %s in which neither side sent anything%s",
                reset ? "reset the connection" : "closed", human_duration(e->quiet, text),
                count(k, SIGN_PROBED) ? " but probes" : "");
    advise_idle(f);
    return true;
}

static bool reset_when_idle(const struct facts *k, struct finding *f)
{
    return when_idle(k, true, f);
}

static bool closed_when_idle(const struct facts *k, struct finding *f)
{
    return when_idle(k, false, f);
}

/* RFC 9293, 3.10.7.4, eighth: a FIN is acknowledged. */
static bool fin_ignored(const struct facts *k, struct finding *f)
{
    const uint32_t many = on_many(k, MANY_FIN_UNTAKEN);
    char some[ON_SOME];

    if (!many && (count(k, SIGN_FIN_UNTAKEN) < SOME || k->flow->fin_acked[0]))
        return false;
    f->certainty = FINDING_PROVED;
    weigh_many(k, many, f);
    cite(k, SIGN_FIN_UNTAKEN, f);
    finding_say(f, "%sthe peer answers and does not acknowledge our FIN, though we repeated it",
                on_some(k, many, some));
    finding_advise(f, "its TCP or a device on the way drops FINs: compare a capture on its side");
    return true;
}

/* RFC 9293, 3.6: a side that has sent its FIN still receives. Not of a client of ours: one that
 * closes without having read what we sent it sends a RST as well (3.10.4). */
static bool half_close_broken(const struct facts *k, struct finding *f)
{
    const struct signs_end *e = &k->flow->signs.rst;
    const uint32_t many = on_many(k, MANY_RST_TO_FIN);
    const bool shown = e->segment && e->answers_fin && !e->impaired && opened(k) &&
                       !(k->flow->our_flags & SEG_ACK) && !e->other_mac &&
                       !signs_rst_between(&k->flow->signs);
    char some[ON_SOME];

    if (many ? own_doing(k) : !shown)
        return false;
    weigh_many(k, many, f);
    finding_cite_segment(f, e->segment);
    finding_say(f,
                "%sthe peer answered our FIN with RST: it takes a connection that only we have "
                "closed for one that is over, and drops what it may still have to send%s",
                on_some(k, many, some),
                on_many(k, MANY_RST_BARE) || (shown && e->bare && is_at_once(k->flow, e))
                    ? "; or it resets each connection at once, as a proxy does whose backend is "
                      "not there"
                    : "");
    finding_advise(f,
                   "keep our side open until its answer has come (%s): that also shows whether it "
                   "resets without our FIN",
                   ask(k, HOW_TO_STAY_OPEN));
    return true;
}

/* Bytes of the peer's are missing although it must know that: it was asked several times, it goes
 * on sending, and segments large enough to hold what is missing get through. */
static bool never_retransmits(const struct facts *k, struct finding *f)
{
    const struct signs *s = &k->flow->signs;
    const wave_time since = s->gap_since > s->acked_at ? s->gap_since : s->acked_at;
    char missing[HUMAN_TEXT], length[HUMAN_TEXT];

    if (!k->over || !k->missing || impaired(k) || !s->gap_since || s->gap_acks < SOME ||
        s->gap_heard < since + 5 * WAVE_S || s->largest < k->missing || !saw_all(k) ||
        facts_incomplete(k->host))
        return false;
    cite(k, SIGN_BEYOND_GAP, f);
    finding_say(f,
                "the peer did not repeat %s that never came, though we asked for them and it went "
                "on speaking for %s",
                human_bytes(k->missing, missing), human_duration(s->gap_heard - since, length));
    finding_advise(f, "a capture on its side tells whether it repeats them and they are lost each "
                      "time, or its TCP does not retransmit");
    return true;
}

/* RFC 1122, 4.2.3.6: some hosts answer only a probe with a byte. */
static bool deaf_to_probes(const struct facts *k, struct finding *f)
{
    const uint32_t ignored = count(k, SIGN_PROBE_IGNORED);
    char n[HUMAN_TEXT];

    if (!k->over || !count(k, SIGN_BYTE_ANSWERED) || ignored < FEW ||
        k->flow->signs.bare_answered || k->probed_fast)
        return false;
    cite(k, SIGN_BYTE_ANSWERED, f);
    finding_say(
        f,
        "the peer answered none of %s keepalive probes without data, and answered those with "
        "a byte",
        human_count(ignored, n));
    finding_advise(f,
                   "it or a device before it drops probes without data: %s sends each with a byte; "
                   "a server that probes it in the usual way takes it for dead",
                   ask(k, HOW_TO_PROBE_WITH_DATA));
    return true;
}

static bool retransmits_needlessly(const struct facts *k, struct finding *f)
{
    char n[HUMAN_TEXT];
    const uint32_t times = count(k, SIGN_NEEDLESS);

    if (times < SOME)
        return false;
    cite(k, SIGN_NEEDLESS, f);
    finding_say(f, "the peer repeated %s segments long after we had acknowledged them",
                human_count(times, n));
    finding_advise(f, "our ACKs are lost on the way back, or its retransmission timer is too "
                      "short for this path");
    return true;
}

const struct diagnosis diagnoses_peer[] = {
    {"bad-checksum", FINDING_WARNING, FINDING_PEER, false, bad_checksum},
    {"rst-unacceptable", FINDING_PROBLEM, FINDING_PEER, true, rst_unacceptable},
    {"ack-to-syn", FINDING_PROBLEM, FINDING_PEER, true, ack_to_syn},
    {"syn-ack-unacceptable", FINDING_PROBLEM, FINDING_PEER, true, syn_ack_unacceptable},
    {"old-timestamp-dropped", FINDING_WARNING, FINDING_PEER, true, old_timestamp_dropped},
    {"timestamps-backwards", FINDING_WARNING, FINDING_PEER, true, timestamps_backwards},
    {"window-closed", FINDING_WARNING, FINDING_PEER, true, window_closed},
    {"accept-queue-full", FINDING_PROBLEM, FINDING_PEER, true, accept_queue_full},
    {"deferred-accept", FINDING_INFO, FINDING_PEER, false, deferred_accept},
    {"fin-ignored", FINDING_PROBLEM, FINDING_PEER, true, fin_ignored},
    {"half-close-broken", FINDING_PROBLEM, FINDING_PEER, false, half_close_broken},
    {"reset-when-idle", FINDING_PROBLEM, FINDING_PEER, true, reset_when_idle},
    {"never-retransmits", FINDING_PROBLEM, FINDING_PEER, false, never_retransmits},
    {"deaf-to-probes", FINDING_WARNING, FINDING_PEER, false, deaf_to_probes},
    {"closed-at-once", FINDING_WARNING, FINDING_PEER, false, closed_at_once},
    {"answered-early", FINDING_WARNING, FINDING_PEER, false, answered_early},
    {"window-overrun", FINDING_WARNING, FINDING_PEER, true, window_overrun},
    {"timestamps-missing", FINDING_WARNING, FINDING_PEER, true, timestamps_missing},
    {"timestamp-echo-wrong", FINDING_WARNING, FINDING_PEER, true, timestamp_echo_wrong},
    {"closed-when-idle", FINDING_INFO, FINDING_PEER, true, closed_when_idle},
    {"retransmits-needlessly", FINDING_INFO, FINDING_PEER, true, retransmits_needlessly},
    {"syn-cookies", FINDING_INFO, FINDING_PEER, false, syn_cookies},
    {0}};

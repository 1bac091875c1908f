/*
 * Findings about the path: routers, firewalls, proxies and translators between this host and the
 * peer. What is seen of them at one end is seldom proof, so most of these findings are likely.
 */
#include "lib/report/find.h"

#include <stdio.h>

#include "lib/core/addr.h"
#include "lib/core/icmp.h"
#include "lib/report/human.h"

#define ROUND 3    /* answers to our challenge ACKs within a second: there are no more of those */
#define LARGE 1000 /* bytes: smaller packets are no problem for any path */
#define TRANSFER (64 << 10) /* bytes that came: no talk of small messages */
#define V6_MIN_DATA                                                                                \
    600 /* after this little, 1,280 bytes of packet were tried and vanished as well */

/* Returns whether the RST came from further away than the SYN-ACK, and nothing else of the peer's
 * did come: a SYN proxy gave the SYN-ACK then, and the RST is the peer's. */
static bool behind_proxy(const struct signs *s)
{
    return signs_rst_elsewhere(s) && !signs_rst_between(s) && !s->ttl;
}

/* A TCP that has sent a RST sends no new data. */
static bool rst_not_its_own(const struct facts *k, struct finding *f)
{
    const struct signs *s = &k->flow->signs;

    if (!count(k, SIGN_AFTER_RST) || k->flow->track.gaps)
        return false;
    f->certainty = FINDING_PROVED;
    f->severity = k->over && k->verdict == VERDICT_RESET ? FINDING_PROBLEM : FINDING_WARNING;
    finding_cite_segment(f, s->rst.segment);
    cite(k, SIGN_AFTER_RST, f);
    finding_say(f, "the peer went on sending new data after a RST that came in its name: another "
                   "device sent that RST");
    finding_advise(f, "look at the firewalls and balancers on the way, not at the server");
    return true;
}

static bool rst_by_middlebox(const struct facts *k, struct finding *f)
{
    const struct signs *s = &k->flow->signs;
    const uint8_t usual = signs_ttl(s);

    if (rst_not_its_own(k, f))
        return true;
    if (!signs_rst_elsewhere(s) || behind_proxy(s))
        return false;
    if (k->over && (k->verdict == VERDICT_RESET || k->verdict == VERDICT_FAILED))
        f->severity = FINDING_PROBLEM;
    finding_cite_segment(f, s->rst.segment);
    finding_say(f, "the RST came with TTL %u and the peer's other segments with TTL %u: %s sent it",
                s->rst.ttl, usual, signs_rst_between(s) ? "a device on the way" : "another device");
    finding_advise(f, "look at the firewalls and balancers on the way, not at the server; a "
                      "capture at the peer shows whether it sent a RST");
    return true;
}

/* Of the peer itself only a RST came, or nothing. A SYN proxy does not know its window, and offers
 * none. */
static bool syn_proxy_alone(const struct facts *k, struct finding *f)
{
    const struct signs *s = &k->flow->signs;

    if (!k->over || (k->flow->our_flags & SEG_ACK))
        return false;
    if (behind_proxy(s)) {
        f->severity = k->verdict == VERDICT_RESET ? FINDING_PROBLEM : FINDING_WARNING;
        finding_cite_segment(f, s->opened_by);
        finding_cite_segment(f, s->rst.segment);
        finding_say(
            f,
            "the SYN-ACK came with TTL %u and the RST with TTL %u, from further away: another "
            "host answered the SYN in the peer's name (a SYN proxy), and the peer refused",
            s->syn_ttl, s->rst.ttl);
    } else if (s->opened && !s->spoke && k->flow->syn_window == 0 && k->verdict == VERDICT_LOST) {
        f->severity = FINDING_PROBLEM;
        finding_cite_segment(f, s->opened_by);
        finding_say(f, "the SYN-ACK offered a window of 0, and nothing came after it: a SYN proxy "
                       "answered the SYN in the peer's name, and does not reach the peer");
    } else {
        return false;
    }
    finding_advise(f, "a completed handshake does not show that the server is alive: look at the "
                      "server, and at the way from the proxy to it");
    return true;
}

/* Everything after the SYN-ACK comes from another place. A change of the route at this moment would
 * look the same, so one segment does not show it. */
static bool syn_proxy(const struct facts *k, struct finding *f)
{
    const struct signs *s = &k->flow->signs;

    if (syn_proxy_alone(k, f))
        return true;
    if (!k->over || count(k, SIGN_SYN_ACK_TTL) < 2 || s->ttl_varies ||
        signs_routers(s->syn_ttl) == signs_routers(s->ttl))
        return false;
    if (k->verdict != VERDICT_OPEN)
        f->severity = FINDING_WARNING;
    finding_cite_segment(f, s->opened_by);
    cite(k, SIGN_SYN_ACK_TTL, f);
    finding_say(f,
                "the SYN-ACK came with TTL %u and all that followed with TTL %u: another host "
                "answered the SYN in the peer's name (a SYN proxy)",
                s->syn_ttl, s->ttl);
    finding_advise(f, "a completed handshake does not show that the server is alive");
    return true;
}

static bool sack_rewritten(const struct facts *k, struct finding *f)
{
    if (!count(k, SIGN_SACK_ASTRAY))
        return false;
    cite(k, SIGN_SACK_ASTRAY, f);
    finding_say(f, "SACK blocks name bytes that we never sent: a device on the way rewrites "
                   "sequence numbers and leaves SACK blocks as they are");
    finding_advise(f,
                   "hosts drop such segments or repeat needlessly: switch off its sequence number "
                   "randomization, or try %s",
                   ask(k, HOW_TO_OMIT_SACK));
    return true;
}

/* RFC 5961, section 7: a few are normal; a loop does not end by itself. Our own limit ends it for
 * the rest of a second, so that it is told by its rounds: each of our answers draws the next. */
static bool challenge_storm(const struct facts *k, struct finding *f)
{
    const struct signs *s = &k->flow->signs;
    const bool failed = k->over && k->verdict != VERDICT_OPEN;
    char n[HUMAN_TEXT];

    if (!s->storms && s->echoes < (failed ? ROUND : 2 * ROUND))
        return false;
    cite(k, SIGN_CHALLENGED, f);
    finding_say(f,
                "%s RSTs, SYNs or ACKs that do not fit the connection came within seconds of each "
                "other: their sender does not follow the connection",
                human_count(count(k, SIGN_CHALLENGED), n));
    finding_advise(f, "a NAT that has forgotten the connection sends such RSTs: end it on both "
                      "sides, and raise the NAT's idle timeout; a second host with the peer's "
                      "address sends such ACKs");
    return true;
}

static bool duplicated(const struct facts *k, struct finding *f)
{
    char n[HUMAN_TEXT];
    const uint32_t copies = count(k, SIGN_COPY);

    if (!copies)
        return false;
    cite(k, SIGN_COPY, f);
    finding_say(f, "%s packet%s of the peer's arrived twice, not sent twice",
                human_count(copies, n), copies == 1 ? "" : "s");
    finding_advise(f, "the network copies packets: look for a loop, or two paths that both carry "
                      "them");
    return true;
}

static void advise_clamping(struct finding *f)
{
    finding_advise(f, "where a router's \"fragmentation needed\" is filtered, large packets "
                      "vanish: let ICMP through, or lower the MSS at the router (clamping)");
}

static bool black_hole_on_many(const struct facts *k, struct finding *f)
{
    const uint32_t many = on_many(k, MANY_CUT);
    char some[ON_SOME];

    if (!many || (k->host && k->host->refused))
        return false;
    weigh_many(k, many, f);
    finding_say(f,
                "%slarge packets of ours vanish on the way there: they were never acknowledged, "
                "however often they were sent, and smaller ones were",
                on_some(k, many, some));
    advise_clamping(f);
    return true;
}

/* Ours: the engine repeated a segment in smaller pieces, as RFC 4821 has it, and these came
 * through. */
static bool black_hole_out(const struct facts *k, struct finding *f)
{
    const struct signs *s = &k->flow->signs;
    char from[HUMAN_TEXT], to[HUMAN_TEXT];

    if (black_hole_on_many(k, f))
        return true;
    if (!count(k, SIGN_OURS_CUT) || kept_here(k))
        return false;
    if (k->verdict == VERDICT_OPEN)
        f->severity = FINDING_WARNING;
    cite(k, SIGN_OURS_CUT, f);
    finding_say(f,
                "large packets of ours vanish on the way there: a segment with %s was never "
                "acknowledged, however often it was sent, and one with %s was",
                human_bytes(s->cut_from, from), human_bytes(s->cut_to, to));
    if (k->flow->flow.v6 && s->cut_to < V6_MIN_DATA)
        finding_advise(
            f, "a link on the way, such as a tunnel, seems to carry less than the 1,280 bytes that "
               "IPv6 asks of each (RFC 8200, 5): raise its MTU, or have it fragment");
    else
        advise_clamping(f);
    return true;
}

/* For seconds, bytes of the peer's have not come, although later bytes have: what is lost by
 * chance is retransmitted sooner. No segment of the peer's was large, so it is the large ones
 * that vanish. Where so much has come that a transfer was under way, the peer sends small ones
 * only. */
static bool black_hole(const struct facts *k, struct finding *f)
{
    const struct signs *s = &k->flow->signs;
    const wave_time since = s->gap_since > s->acked_at ? s->gap_since : s->acked_at;
    const uint32_t many = on_many(k, MANY_GAP);
    char missing[HUMAN_TEXT], some[ON_SOME];

    if (k->over && black_hole_out(k, f))
        return true;
    if (!many &&
        (!k->over || k->missing < 2 || impaired(k) || !s->gap_since ||
         k->now < since + 3 * WAVE_S || s->largest >= LARGE || k->flow->received_bytes >= TRANSFER))
        return false;
    if (facts_incomplete(k->host))
        return false;
    weigh_many(k, many, f);
    cite(k, SIGN_BEYOND_GAP, f);
    finding_say(f,
                "%slarge packets vanish on the way here, or the peer does not repeat them: %s are "
                "missing before what did come",
                on_some(k, many, some), many ? "bytes" : human_bytes(k->missing, missing));
    finding_advise(
        f,
        "where a router's \"fragmentation needed\" is filtered, large packets vanish: try "
        "%s, and let ICMP through",
        ask(k, HOW_TO_SHRINK_SEGMENTS));
    return true;
}

static bool reordered(const struct facts *k, struct finding *f)
{
    char n[HUMAN_TEXT];
    const uint32_t late = count(k, SIGN_LATE);

    if (!late)
        return false;
    cite(k, SIGN_LATE, f);
    finding_say(f, "%s segment%s of the peer's %s overtaken on the way here", human_count(late, n),
                late == 1 ? "" : "s", late == 1 ? "was" : "were");
    finding_advise(f, "packets of one connection take several paths or queues; a peer that takes "
                      "that for loss slows down");
    return true;
}

/* Data is sent in both directions, and some is lost in one direction and none in the other. */
static bool asymmetric_loss(const struct facts *k, struct finding *f)
{
    const struct signs *s = &k->flow->signs;
    const uint32_t ours = s->resent > s->unneeded ? s->resent - s->unneeded : 0;
    const uint32_t theirs = count(k, SIGN_FILLED);
    const bool out = ours > theirs;
    const uint32_t lost = out ? ours : theirs, of = s->data[!out], other = s->data[out];
    char n[3][HUMAN_TEXT];

    /* With the same loss, as many segments in the other direction would have shown some. */
    if (!k->over || k->flow->track.gaps || impaired(k) || (ours && theirs) || lost < 8 ||
        lost < of / 100 || other < of / 4 * 3)
        return false;
    if (!out)
        cite(k, SIGN_FILLED, f);
    finding_say(f,
                "the path loses segments in one direction only: of what %s it lost %s of %s, of "
                "what %s none of %s",
                out ? "we sent" : "the peer sent", human_count(lost, n[0]), human_count(of, n[1]),
                out ? "came back" : "we sent", human_count(other, n[2]));
    finding_advise(f, "the two directions may take different paths: look at the one that loses");
    return true;
}

/* RFC 3168, 6.1.2: a host that agreed on ECN marks its data. */
static bool ecn_bleached(const struct facts *k, struct finding *f)
{
    if (count(k, SIGN_MARKED) || count(k, SIGN_UNMARKED) < 10)
        return false;
    cite(k, SIGN_UNMARKED, f);
    finding_say(f, "both sides agreed on ECN, and none of the peer's data comes with an ECN mark: "
                   "a device on the way clears the marks, or the peer sets none");
    finding_advise(f, "congestion is then signalled by loss alone; a capture at the peer tells "
                      "which");
    return true;
}

/* Full segments have the size that the smaller MSS allows, unless something has lowered it. */
static bool mss_clamped(const struct facts *k, struct finding *f)
{
    const struct report_flow *flow = k->flow;
    const uint32_t mss = flow->theirs.mss < flow->ours.mss ? flow->theirs.mss : flow->ours.mss;
    const uint32_t stamps = flow->ours.has & flow->theirs.has & OPT_TIMESTAMP ? 12 : 0;

    if (!k->over || count(k, SIGN_CUT) < 10 || count(k, SIGN_JOINED) || flow->signs.largest < 500)
        return false;
    cite(k, SIGN_CUT, f);
    finding_say(
        f,
        "the peer's full segments have %u bytes, though both sides' MSS allows %u: a device "
        "on the way lowered the one that we sent, or the peer knows of a smaller path MTU",
        flow->signs.largest, mss - stamps);
    finding_advise(f, "a tunnel or PPPoE link on the way is the usual reason, and no harm is done");
    return true;
}

static bool options_stripped(const struct facts *k, struct finding *f)
{
    if (!count(k, SIGN_UNOFFERED))
        return false;
    finding_cite_segment(f, k->flow->signs.opened_by);
    cite(k, SIGN_UNOFFERED, f);
    finding_say(f, "the peer uses an option that its SYN, as it arrived here, did not agree to: a "
                   "device on the way removed it there");
    finding_advise(
        f,
        "both sides believe different things of the connection: look for a firewall that "
        "normalizes TCP options; %s and %s avoid it",
        ask(k, HOW_TO_OMIT_TIMESTAMPS), ask(k, HOW_TO_OMIT_SACK));
    return true;
}

/* RFC 7323, 2.3. A window that is read with too small a scale is a fraction of what was meant. It
 * may be too small for our data to get through in time. */
static bool window_scale_rewritten(const struct facts *k, struct finding *f)
{
    const struct report_flow *flow = k->flow;
    const struct signs *s = &flow->signs;
    char n[HUMAN_TEXT];

    if (!scale_rewritten(k))
        return false;
    if (k->over && k->verdict != VERDICT_OPEN)
        f->severity = s->narrow_since && s->narrow_full ? FINDING_PROBLEM : FINDING_WARNING;
    finding_cite_segment(f, flow->signs.opened_by);
    cite(k, SIGN_WINDOW_BACK, f);
    finding_say(f,
                "the peer's SYN-ACK offered a window of %s bytes and its next segment takes most "
                "of that back: a device on the way %s the window scale",
                human_count(flow->syn_window, n),
                flow->theirs.has & OPT_WSCALE ? "has lowered" : "has removed");
    finding_advise(f, "the connection is slow, since we send less than the peer would take: look "
                      "for a firewall that rewrites TCP options");
    return true;
}

/* The peer acknowledges what we never sent. A late segment of an earlier connection does so once.
 */
static bool acknowledgements_rewritten(const struct facts *k, struct finding *f)
{
    const uint32_t times = count(k, SIGN_ACK_UNSENT);
    char n[HUMAN_TEXT];

    if (!k->over || times < 2 || k->flow->track.gaps)
        return false;
    if (k->verdict == VERDICT_FAILED || k->verdict == VERDICT_LOST)
        f->severity = FINDING_PROBLEM;
    cite(k, SIGN_ACK_UNSENT, f);
    finding_say(f,
                "%s segments of the peer's acknowledge bytes that we never sent, so that a host "
                "ignores them: a device on the way rewrites numbers in one direction only",
                human_count(times, n));
    finding_advise(f, "switch off the device's sequence number randomization; another connection "
                      "over the same addresses and ports looks the same");
    return true;
}

/* A TCP whose timer expires repeats what is next for its receiver. Where that lies beyond what we
 * ask for, and nothing before it ever came although large segments do, the two go by different
 * numbers. */
static bool data_rewritten(const struct facts *k, struct finding *f)
{
    const struct report_flow *flow = k->flow;
    const struct signs *s = &flow->signs;
    char bytes[HUMAN_TEXT];

    if (!k->over || k->verdict == VERDICT_OPEN || !k->missing || count(k, SIGN_BEYOND_AGAIN) < 3 ||
        (s->largest < LARGE && s->largest < k->missing) || !flow->has_irs ||
        !seq_eq(s->acked, seq_add(flow->irs, 1)) || flow->track.gaps || facts_incomplete(k->host))
        return false;
    f->severity = FINDING_PROBLEM;
    cite(k, SIGN_BEYOND_AGAIN, f);
    finding_say(f,
                "the peer's data begins %s beyond its SYN-ACK, and is repeated from there: a "
                "device on the way rewrites sequence numbers in one direction only",
                human_bytes(s->beyond.v - s->acked.v, bytes));
    finding_advise(f, "switch off the device's sequence number randomization");
    return true;
}

static bool sequence_rewritten(const struct facts *k, struct finding *f)
{
    if (acknowledgements_rewritten(k, f) || data_rewritten(k, f))
        return true;
    if (!count(k, SIGN_QUOTE_ASTRAY))
        return false;
    finding_say(f, "an ICMP error quotes a sequence number that we never sent: a device before the "
                   "router that sent it rewrites sequence numbers, or it speaks of an earlier "
                   "connection over these ports");
    finding_advise(f, "we must ignore such an error, and with it what it says of the path MTU: "
                      "switch off the device's sequence number randomization");
    return true;
}

/* A SYN-ACK that acknowledges our very SYN came from another address, so its sender has received
 * our SYN. */
static bool answer_from_elsewhere(const struct facts *k, struct finding *f)
{
    const bool open = k->over && k->verdict == VERDICT_OPEN;

    if (!k->host || !k->host->answered_elsewhere)
        return false;
    f->certainty = k->host->presumed ? FINDING_LIKELY : FINDING_PROVED;
    f->severity = open ? FINDING_WARNING : FINDING_PROBLEM;
    finding_say(f, "a SYN-ACK to our SYN came from %s, which we did not ask%s", k->host->answerer,
                open ? ", beside the target's own" : "");
    finding_advise(f, "the target's address or port is translated on the way there and not on the "
                      "way back (direct server return; a server behind the client's own NAT): "
                      "hosts answer such a SYN-ACK with RST; connect to that address to compare");
    return true;
}

/* The packet, or the packets. */
static const char *packets(uint64_t n, char text[HUMAN_TEXT + 8])
{
    char count_text[HUMAN_TEXT];

    snprintf(text, HUMAN_TEXT + 8, "%s packet%s", human_count(n, count_text), n == 1 ? "" : "s");
    return text;
}

/* Packets that could not be put together: false where there are none, or where it does not matter.
 * A packet without its first fragment may be of another connection of these two hosts. Where our
 * own capture has lost frames, fragments may be among them, and what is left of two packets with
 * the same identification (RFC 4963) is taken for one. */
static bool fragments_lost(const struct facts *k, struct finding *f)
{
    const struct facts_host *h = k->host;
    const bool failed =
        k->over && k->verdict != VERDICT_OPEN && k->verdict != VERDICT_LOCAL && !impaired(k);
    char n[HUMAN_TEXT + 8];

    if (h->lost)
        return false;
    if (h->incomplete || (h->nameless && failed)) {
        const uint64_t lost = h->incomplete ? h->incomplete : h->nameless;
        f->certainty = h->incomplete ? FINDING_PROVED : FINDING_LIKELY;
        f->severity = (h->unrepaired && !impaired(k)) ||
                              (failed && (k->missing || k->verdict == VERDICT_DROPPED))
                          ? FINDING_PROBLEM
                          : FINDING_WARNING;
        finding_say(f, "%s of %s of the peer's never came, so that %s could not be put together",
                    h->incomplete ? "IP fragments" : "the first IP fragment", packets(lost, n),
                    lost == 1 ? "it" : "they");
        finding_advise(f,
                       "firewalls and load balancers often drop fragments: let them pass, or have "
                       "the peer send smaller segments (%s), and let ICMP through",
                       ask(k, HOW_TO_SHRINK_SEGMENTS));
        return true;
    }
    if (h->overlapping) {
        f->certainty = FINDING_PROVED;
        f->severity = failed ? FINDING_PROBLEM : FINDING_WARNING;
        finding_say(f,
                    "fragments of %s of the peer's overlapped or contradicted each other, and "
                    "were thrown away (RFC 5722)",
                    packets(h->overlapping, n));
        finding_advise(f,
                       "a device on the way cuts packets wrongly, or an attacker forges fragments: "
                       "compare a capture here with one near the peer");
        return true;
    }
    if (!h->crowded_out)
        return false;
    f->severity = FINDING_WARNING;
    finding_say(f,
                "%s of the peer's could not be put together from fragments: too many were under "
                "way at a time",
                packets(h->crowded_out, n));
    finding_advise(f, "have the peer send smaller segments: try %s",
                   ask(k, HOW_TO_SHRINK_SEGMENTS));
    return true;
}

/* RFC 791, 3.2; RFC 8200, 4.5. */
static bool fragments(const struct facts *k, struct finding *f)
{
    uint64_t whole = count(k, SIGN_FRAGMENTED), came = k->flow->signs.fragments;
    char n[HUMAN_TEXT + 8], pieces[HUMAN_TEXT];

    if (k->host && fragments_lost(k, f))
        return true;
    if (k->host && k->host->fragmented > whole) { /* nothing is on record of each segment */
        whole = k->host->fragmented;
        came = k->host->fragments;
    }
    if (!whole)
        return false;
    cite(k, SIGN_FRAGMENTED, f);
    f->certainty = FINDING_PROVED;
    f->severity = FINDING_INFO;
    finding_say(f, "%s of the peer's came in %s IP fragments, and %s put together",
                packets(whole, n), human_count(came, pieces), whole == 1 ? "was" : "were");
    finding_advise(
        f,
        "a link on the way has a smaller MTU than the peer thinks; a lost fragment costs "
        "the whole packet, and firewalls often drop them: try %s",
        ask(k, HOW_TO_SHRINK_SEGMENTS));
    return true;
}

/* RFC 9293, 3.4.1: one SYN has one answer, however often it is repeated. */
static bool two_answers(const struct facts *k, struct finding *f)
{
    const struct signs *s = &k->flow->signs;
    const bool reset = count(k, SIGN_OTHER_ANSWER);

    if (!reset && !count(k, SIGN_OTHER_ISN))
        return false;
    if (k->verdict == VERDICT_RESET || k->verdict == VERDICT_REFUSED)
        f->severity = FINDING_PROBLEM;
    finding_cite_segment(f, s->opened ? s->opened_by : s->rst.segment);
    cite(k, reset ? SIGN_OTHER_ANSWER : SIGN_OTHER_ISN, f);
    if (reset)
        finding_say(f, "a SYN-ACK and a RST answered our one SYN: two hosts have the peer's "
                       "address, or a device on the way answers as well");
    else
        finding_say(f, "two SYN-ACKs with different sequence numbers answered our one SYN: two "
                       "hosts have the peer's address, or the network copied our SYN");
    finding_advise(f,
                   "look for a duplicate address, or for a balancer that gives one connection to "
                   "two servers");
    return true;
}

/* On the own link it is the peer's own address that has changed: another host has its IP address
 * as well, or has taken it over. Where a router may be between, it is the router's. */
static bool two_hosts(const struct facts *k, struct finding *f)
{
    char first[MAC_TEXT], second[MAC_TEXT];
    const struct signs *s = &k->flow->signs;

    if (!k->over || !k->host)
        return false;
    if (!count(k, SIGN_OTHER_MAC))
        return two_answers(k, f);
    cite(k, SIGN_OTHER_MAC, f);
    mac_text(s->macs[0], first);
    mac_text(s->macs[1], second);
    if (!k->host->on_link) {
        f->certainty = FINDING_PROVED;
        f->severity = FINDING_INFO;
        finding_say(f, "the peer's segments came from two link-layer addresses, %s and %s", first,
                    second);
        finding_advise(f, "harmless where two routers share the load, or one has taken over; a "
                          "stateful firewall on one of the ways sees half of the connection");
        return true;
    }
    if (k->verdict == VERDICT_RESET && signs_rst_other_mac(s))
        f->severity = FINDING_PROBLEM;
    finding_say(f,
                "two hosts answer for the peer's address: its segments came from the link-layer "
                "addresses %s and %s",
                first, second);
    finding_advise(f, "look for a duplicate address (arping -D, ip neigh), or a cluster address "
                      "that has moved; a peer with two cards on this link looks the same");
    return true;
}

/* This host itself says that it cannot send. */
static bool own_icmp_error(const struct facts *k, struct finding *f)
{
    const struct signs_icmp *i = &k->flow->signs.icmp;
    char n[HUMAN_TEXT], icmp[HUMAN_ICMP];

    if (k->host && k->host->unreachable) /* that is why */
        return false;
    f->certainty = FINDING_PROVED;
    f->subject = FINDING_LOCAL;
    finding_say(f,
                "since the peer was heard last, this host itself answered %s of our segments with "
                "an ICMP error: %s",
                human_count(i->count, n), human_icmp(k->flow->flow.v6, i->type, i->code, icmp));
    finding_advise(f, "it does not send them: the neighbour does not answer (ip neigh), the route "
                      "is gone (ip route get), or a rule rejects them (nft list ruleset)");
    return true;
}

/* Errors that came for what we sent after the handshake. TCP goes on in spite of them (RFC 1122,
 * 4.2.3.9), so that they are told where nothing of the peer's came any more. */
static bool icmp_error(const struct facts *k, struct finding *f)
{
    const struct facts_host *h = k->host;
    const struct signs_icmp *i = &k->flow->signs.icmp;
    const bool v6 = k->flow->flow.v6;
    char from[ADDR_TEXT], n[HUMAN_TEXT], icmp[HUMAN_ICMP];

    if (!k->over || k->verdict == VERDICT_OPEN || k->verdict == VERDICT_REJECTED ||
        k->verdict == VERDICT_LOCAL || (!i->count && (!h || !h->icmps)))
        return false;
    if (i->count && addr_eq(&i->from, &k->flow->flow.local))
        return own_icmp_error(k, f);
    f->certainty = FINDING_PROVED;
    if (i->count)
        finding_say(f,
                    "since the peer was heard last, %s answered %s of our segments with an ICMP "
                    "error: %s",
                    addr_text(v6, &i->from, from), human_count(i->count, n),
                    human_icmp(v6, i->type, i->code, icmp));
    else
        finding_say(f, "%s ICMP error%s came for what we sent, the last one from %s",
                    human_count(h->icmps, n), h->icmps == 1 ? "" : "s", h->icmp);
    finding_advise(f, "its sender does not reach the peer, or rejects what is for it: look at the "
                      "routes and rules there, and whether the peer is up");
    return true;
}

const struct diagnosis diagnoses_path[] = {
    {"icmp-error", FINDING_PROBLEM, FINDING_PATH, false, icmp_error},
    {"answer-from-elsewhere", FINDING_PROBLEM, FINDING_PATH, false, answer_from_elsewhere},
    {"rst-by-middlebox", FINDING_WARNING, FINDING_PATH, false, rst_by_middlebox},
    {"challenge-storm", FINDING_PROBLEM, FINDING_PATH, true, challenge_storm},
    {"fragments", FINDING_WARNING, FINDING_PATH, false, fragments},
    {"black-hole", FINDING_PROBLEM, FINDING_PATH, false, black_hole},
    {"two-hosts", FINDING_WARNING, FINDING_PATH, false, two_hosts},
    {"sack-rewritten", FINDING_WARNING, FINDING_PATH, true, sack_rewritten},
    {"options-stripped", FINDING_WARNING, FINDING_PATH, true, options_stripped},
    {"sequence-rewritten", FINDING_INFO, FINDING_PATH, true, sequence_rewritten},
    {"window-scale-rewritten", FINDING_INFO, FINDING_PATH, true, window_scale_rewritten},
    {"syn-proxy", FINDING_INFO, FINDING_PATH, false, syn_proxy},
    {"asymmetric-loss", FINDING_INFO, FINDING_PATH, false, asymmetric_loss},
    {"duplicated", FINDING_INFO, FINDING_PATH, true, duplicated},
    {"reordered", FINDING_INFO, FINDING_PATH, true, reordered},
    {"ecn-bleached", FINDING_INFO, FINDING_PATH, false, ecn_bleached},
    {"mss-clamped", FINDING_INFO, FINDING_PATH, false, mss_clamped},
    {0}};

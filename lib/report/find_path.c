/*
 * Findings about the path: routers, firewalls, proxies and translators between this host and the
 * peer. What a watcher at one end sees of them is seldom proof: most are likely.
 */
#include "lib/report/diagnose.h"

#include <stdio.h>

#include "lib/report/human.h"

static uint32_t count(const struct facts *k, enum sign_kind kind)
{
    return signs_count(&k->flow->signs, kind);
}

static void cite(const struct facts *k, enum sign_kind kind, struct finding *f)
{
    finding_cite(f, &k->flow->signs.of[kind]);
}

/* The segments of one host have one TTL, unless the route changes in between. */
static bool rst_by_middlebox(const struct facts *k, struct finding *f)
{
    const struct signs *s = &k->flow->signs;

    if (!count(k, SIGN_RST_TTL) || !s->rst.segment)
        return false;
    cite(k, SIGN_RST_TTL, f);
    finding_say(f,
                "the RST came with another TTL than the peer's other segments (%u): a device "
                "between sent it",
                s->ttl ? s->ttl : s->syn_ttl);
    finding_advise(f, "look at the firewalls and balancers on the way, not at the server; a "
                      "capture at the peer shows whether it sent a RST");
    return true;
}

static bool syn_proxy(const struct facts *k, struct finding *f)
{
    const struct signs *s = &k->flow->signs;

    if (!count(k, SIGN_SYN_ACK_TTL))
        return false;
    cite(k, SIGN_SYN_ACK_TTL, f);
    finding_say(f,
                "the SYN-ACK came with TTL %u and what followed with TTL %u: another host "
                "answered the SYN in the peer's name (a SYN proxy)",
                s->syn_ttl, s->ttl);
    finding_advise(f, "that the handshake was completed does not tell that the server lives");
    return true;
}

static bool sack_rewritten(const struct facts *k, struct finding *f)
{
    if (!count(k, SIGN_SACK_ASTRAY))
        return false;
    cite(k, SIGN_SACK_ASTRAY, f);
    finding_say(f, "SACK blocks name bytes that we never sent: a device on the way rewrites "
                   "sequence numbers and leaves SACK blocks as they are");
    finding_advise(f, "hosts drop such segments or repeat needlessly: switch off its sequence "
                      "number randomization, or try --no-sack");
    return true;
}

/* RFC 5961, section 7: a few happen; a loop does not end by itself. */
static bool challenge_storm(const struct facts *k, struct finding *f)
{
    char n[HUMAN_TEXT];
    const uint32_t times = count(k, SIGN_CHALLENGED);

    if (times < 10)
        return false;
    cite(k, SIGN_CHALLENGED, f);
    finding_say(f,
                "%s RSTs or SYNs that do not fit each drew a challenge ACK: something on the "
                "way answers each of those with the next one",
                human_count(times, n));
    finding_advise(f, "a NAT that has forgotten the connection does so: end it on both sides, and "
                      "raise the NAT's idle timeout");
    return true;
}

static bool duplicated(const struct facts *k, struct finding *f)
{
    char n[HUMAN_TEXT];
    const uint32_t copies = count(k, SIGN_COPY);

    if (!copies)
        return false;
    cite(k, SIGN_COPY, f);
    finding_say(f, "%s packet%s of the peer's arrived twice, the same to the IP identification",
                human_count(copies, n), copies == 1 ? "" : "s");
    finding_advise(f, "the network copies packets: look for a loop, or two paths that both carry "
                      "them");
    return true;
}

/* Whether what is missing was in packets that came in part. */
static bool fragments_explain(const struct facts_host *h)
{
    return h && (h->incomplete || h->nameless || h->overlapping);
}

/* Bytes of the peer's never came, while what lies behind them did: where segments of its were lost
 * by chance, it would have repeated them. */
static bool black_hole(const struct facts *k, struct finding *f)
{
    char missing[HUMAN_TEXT];

    if (!k->over || k->missing < 2 || fragments_explain(k->host))
        return false;
    cite(k, SIGN_BEYOND_GAP, f);
    finding_say(f,
                "%s that the peer sent never came, and what lies behind them did: large packets "
                "vanish on the way here, or the peer does not repeat them",
                human_bytes(k->missing, missing));
    finding_advise(f, "where a router's \"fragmentation needed\" is filtered, large packets "
                      "vanish: try --mss 1200, and let ICMP through");
    return true;
}

/* A SYN-ACK that acknowledges our very SYN, from another address: who sent it has had our SYN. */
static bool answer_from_elsewhere(const struct facts *k, struct finding *f)
{
    if (!k->host || !k->host->answered_elsewhere)
        return false;
    f->certainty = FINDING_PROVED;
    f->severity = k->over && k->verdict == VERDICT_OPEN ? FINDING_WARNING : FINDING_PROBLEM;
    finding_say(f,
                "a SYN-ACK to our SYN came from %s, which we did not ask: the address is "
                "translated on the way there and not on the way back",
                k->host->answerer);
    finding_advise(f, "hosts answer such a SYN-ACK with RST: look for direct server return, or for "
                      "a client and a server behind the same NAT (hairpin); connect to that "
                      "address itself to compare");
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
 * What was lost here may have been lost by our own capture; and a packet without its first fragment
 * may be of another connection of these two hosts. */
static bool fragments_lost(const struct facts *k, struct finding *f)
{
    const struct facts_host *h = k->host;
    const bool failed = k->over && k->verdict != VERDICT_OPEN && k->verdict != VERDICT_LOCAL;
    char n[HUMAN_TEXT + 8];

    if (h->incomplete || (h->nameless && failed)) {
        const uint64_t lost = h->incomplete ? h->incomplete : h->nameless;
        f->certainty = h->incomplete && !h->lost ? FINDING_PROVED : FINDING_LIKELY;
        f->severity = h->unrepaired || (failed && (k->missing || k->verdict == VERDICT_DROPPED))
                          ? FINDING_PROBLEM
                          : FINDING_WARNING;
        finding_say(f, "%s of %s of the peer's never came, so that %s could not be put together",
                    h->incomplete ? "IP fragments" : "the first IP fragment", packets(lost, n),
                    lost == 1 ? "it" : "they");
        finding_advise(f, "firewalls and load balancers often drop fragments: let them pass, or "
                          "have the peer send smaller segments (--mss 1200), and let ICMP through");
        return true;
    }
    if (h->overlapping) {
        f->certainty = FINDING_PROVED;
        f->severity = failed ? FINDING_PROBLEM : FINDING_WARNING;
        finding_say(f,
                    "fragments of %s of the peer's overlapped or contradicted each other, and "
                    "were thrown away (RFC 5722)",
                    packets(h->overlapping, n));
        finding_advise(f, "a device on the way cuts packets wrongly, or somebody forges fragments: "
                          "capture on both sides of it, and compare");
        return true;
    }
    if (!h->crowded_out)
        return false;
    f->severity = FINDING_WARNING;
    finding_say(f,
                "%s of the peer's could not be put together from fragments: too many were under "
                "way at a time",
                packets(h->crowded_out, n));
    finding_advise(f, "have the peer send smaller segments: try --mss 1200");
    return true;
}

/* RFC 791, 3.2; RFC 8200, 4.5. */
static bool fragments(const struct facts *k, struct finding *f)
{
    uint64_t whole = count(k, SIGN_FRAGMENTED), came = k->flow->signs.fragments;
    char n[HUMAN_TEXT + 8], pieces[HUMAN_TEXT];

    cite(k, SIGN_FRAGMENTED, f);
    if (k->host && fragments_lost(k, f))
        return true;
    if (k->host && k->host->fragmented > whole) { /* nothing is on record of each segment */
        whole = k->host->fragmented;
        came = k->host->fragments;
    }
    if (!whole)
        return false;
    f->certainty = FINDING_PROVED;
    f->severity = FINDING_INFO;
    finding_say(f, "%s of the peer's came in %s IP fragments, and %s put together",
                packets(whole, n), human_count(came, pieces), whole == 1 ? "was" : "were");
    finding_advise(f, "a link on the way has a smaller MTU than the peer thinks; a lost fragment "
                      "costs the whole packet, and firewalls often drop them: try --mss 1200");
    return true;
}

static const char *mac_text(const uint8_t mac[SIGNS_MAC], char text[18])
{
    snprintf(text, 18, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
             mac[5]);
    return text;
}

/* On the own link it is the peer's own address that has changed: another host has its IP address
 * as well, or has taken it over. Where a router may be between, it is the router's. */
static bool two_hosts(const struct facts *k, struct finding *f)
{
    char first[18], second[18];
    const struct signs *s = &k->flow->signs;

    if (!k->over || !k->host || !count(k, SIGN_OTHER_MAC))
        return false;
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
    finding_say(f,
                "two hosts answer for the peer's address: its segments came from the link-layer "
                "addresses %s and %s",
                first, second);
    finding_advise(f, "look for a duplicate address (arping -D, ip neigh), or a cluster address "
                      "that has moved; a peer with two cards on this link looks the same");
    return true;
}

const struct diagnosis diagnoses_path[] = {
    {"answer-from-elsewhere", FINDING_PROBLEM, FINDING_PATH, false, answer_from_elsewhere},
    {"rst-by-middlebox", FINDING_WARNING, FINDING_PATH, false, rst_by_middlebox},
    {"challenge-storm", FINDING_PROBLEM, FINDING_PATH, true, challenge_storm},
    {"fragments", FINDING_WARNING, FINDING_PATH, false, fragments},
    {"black-hole", FINDING_PROBLEM, FINDING_PATH, false, black_hole},
    {"two-hosts", FINDING_WARNING, FINDING_PATH, false, two_hosts},
    {"sack-rewritten", FINDING_WARNING, FINDING_PATH, true, sack_rewritten},
    {"syn-proxy", FINDING_WARNING, FINDING_PATH, true, syn_proxy},
    {"duplicated", FINDING_INFO, FINDING_PATH, true, duplicated},
    {0}};

/*
 * Findings about this host: its firewall, its routes, its neighbours, and our own capture.
 */
#include "lib/report/find.h"

#include <stdio.h>
#include <string.h>

#include "lib/report/human.h"

/* The peer's SYN-ACK was stopped, and what came after it was not. It is not certain, since a busy
 * host may have looked too early, and something else may have been stopped. */
static bool own_firewall_at_first(const struct facts *k, struct finding *f)
{
    const struct facts_host *h = k->host;

    if (!k->over || !h->first_stopped || !h->each_reached || h->past_rules || h->lost ||
        h->captured <= h->reached || !k->flow->signs.opened || (k->flow->our_flags & SEG_ACK) ||
        k->verdict == VERDICT_LOCAL)
        return false;
    finding_cite_segment(f, k->flow->signs.opened_by);
    finding_say(f, "this host's own rules stopped the peer's SYN-ACK, and not what came after it");
    finding_advise(f, "an application here would not get a connection: look at nft list ruleset "
                      "for rules that go by TCP flags, such as one that drops each SYN");
    return true;
}

/* Some segments were stopped and others were not: a rule that goes by size or rate does so, for
 * example. Where this host could not go on, its address or route may have gone, and with it what
 * came for us. Rules that know connections also stop what comes after the end, so a few do not
 * count, and none after we have reset it. */
static bool own_firewall_in_part(const struct facts *k, struct finding *f)
{
    const struct facts_host *h = k->host;
    const uint64_t stopped = h->captured > h->reached ? h->captured - h->reached : 0;
    char n[2][HUMAN_TEXT];

    if (!k->over || !h->each_reached || h->past_rules || h->lost || k->end == END_ABORTED ||
        k->verdict == VERDICT_LOCAL || stopped < 3 || stopped < h->captured / 10)
        return false;
    f->severity = FINDING_WARNING;
    finding_say(f, "this host's own rules stopped %s of the %s segments that came",
                human_count(stopped, n[0]), human_count(h->captured, n[1]));
    finding_advise(f, "an application here would have had to wait for them, or would never have "
                      "received them: look at nft list ruleset for rules that limit a rate, or go "
                      "by size or content");
    return true;
}

/* The capture shows what leaves this host, and showed none of our segments. A rule in a hook behind
 * the last one that tells the sender stops it so, and traffic control does. What is rewritten or
 * encrypted does leave, and the capture does not know it as ours; something comes back, then. */
static bool own_firewall_out(const struct facts *k, struct finding *f)
{
    const struct facts_host *h = k->host;
    char n[HUMAN_TEXT];

    if (!k->over || !h->kept || h->lost || h->unreachable || h->rerouted || h->redirected ||
        k->verdict == VERDICT_LOCAL)
        return false;
    /* Clients come to one that listens even if our answers are stopped; and these may leave by
     * another interface than the one that is captured. */
    if (h->listens ? h->one_interface : h->captured || h->reached || k->verdict == VERDICT_OPEN)
        return false;
    finding_say(f,
                h->kept == 1 ? "the %s segment that we sent did not leave this host, as far as its "
                               "capture shows"
                             : "none of the %s segments that we sent left this host, as far as its "
                               "capture shows",
                human_count(h->kept, n));
    finding_advise(f,
                   "look at nft list ruleset (egress), tc filter show%s%s egress, and the "
                   "carrier in ip link; what IPsec encrypts or a rule rewrites is not seen to "
                   "leave, either",
                   h->listens ? "" : " dev ", h->listens ? "" : h->interface);
    return true;
}

/* Some of ours were stopped so, and others were not. */
static bool own_firewall_out_in_part(const struct facts *k, struct finding *f)
{
    const struct facts_host *h = k->host;
    const bool many = h->passed_over >= 3 && h->passed_over >= h->sent / 10 && !h->lost;
    const uint64_t kept = many ? h->passed_over : count(k, SIGN_KEPT);
    const uint64_t sent = many ? h->sent : k->flow->segments[0];
    char n[2][HUMAN_TEXT];

    if (!k->over || !(many || kept_here(k)) || h->rerouted || h->unreachable ||
        k->verdict == VERDICT_LOCAL || (many && h->listens && h->one_interface))
        return false;
    if (k->verdict == VERDICT_OPEN)
        f->severity = FINDING_WARNING;
    cite(k, SIGN_KEPT, f);
    finding_say(f,
                "%s of the %s segments that we sent did not leave this host, as far as its capture "
                "shows",
                human_count(kept, n[0]), human_count(sent, n[1]));
    finding_advise(f,
                   "look at nft list ruleset (egress) and tc filter show%s%s egress for rules "
                   "that go by size or content, or limit a rate, and at the carrier in ip link",
                   h->listens ? "" : " dev ", h->listens ? "" : h->interface);
    return true;
}

/* Where we send on the link layer, the interface itself refuses what a rule drops there. A queue
 * that is full for long looks the same, so that a few do not count. */
static bool own_firewall_refused(const struct facts *k, struct finding *f)
{
    const struct facts_host *h = k->host;
    const uint64_t all = h->refused + h->accepted;
    char n[2][HUMAN_TEXT];

    /* Those of one target may be few of all, and all that failed. */
    const bool explains = k->many && k->many->failed && h->refused >= k->many->failed;

    if (!k->over || !h->refused || h->unreachable || k->verdict == VERDICT_LOCAL ||
        (h->accepted && !explains && (h->refused < 3 || h->refused < all / 10)))
        return false;
    if (k->verdict == VERDICT_OPEN)
        f->severity = FINDING_WARNING;
    if (h->accepted)
        finding_say(f, "this host's interface %s refused %s of the %s segments that we sent",
                    h->interface, human_count(h->refused, n[0]), human_count(all, n[1]));
    else
        finding_say(f, "this host's interface %s refused %s%s segment%s that we sent", h->interface,
                    all == 1 ? "the " : "each of the ", human_count(all, n[0]),
                    all == 1 ? "" : "s");
    finding_advise(f,
                   "a rule drops it there (nft list ruleset: egress; tc filter show dev %s "
                   "egress), or the queue is always full (tc -s qdisc show dev %s)",
                   h->interface, h->interface);
    return true;
}

/* The guard's socket counts each segment that reaches TCP, and discards it. A segment that was
 * captured and did not reach the guard was stopped in between, by a rule of this host. Where ours
 * passed no rule, a rule that goes by connections stops the answers, although an application's
 * would come through: so do the rules of most hosts. */
static bool own_firewall(const struct facts *k, struct finding *f)
{
    char n[HUMAN_TEXT];

    if (!k->host)
        return false;
    if (own_firewall_out(k, f) || own_firewall_refused(k, f) || own_firewall_out_in_part(k, f))
        return true;
    if (!k->host->counts_reached || !k->host->captured)
        return false;
    if (k->host->reached)
        return own_firewall_at_first(k, f) || own_firewall_in_part(k, f);
    if (k->host->past_rules) {
        f->severity = FINDING_INFO;
        finding_say(f,
                    "this host's own rules stopped all of the %s segments that came, before "
                    "its TCP; most of what we sent did not pass them, so that rules that go by "
                    "connections (ct state) do not know it",
                    human_count(k->host->captured, n));
        finding_advise(f,
                       "%s sends through the rules: an application is hindered only where that "
                       "finds own-firewall, too",
                       ask(k, HOW_TO_CONNECT));
        return true;
    }
    f->certainty = FINDING_PROVED;
    finding_say(f, "this host's own rules stopped %s: %s captured, and none reached its TCP",
                k->host->captured == 1 ? "the segment that came" : "all segments that came",
                human_count(k->host->captured, n));
    finding_advise(f, "an application here would not have received it: look at nft list ruleset "
                      "(input, prerouting), rp_filter and policy routing");
    return true;
}

static bool no_neighbour(const struct facts *k, struct finding *f)
{
    if (!k->host || !k->host->unreachable)
        return false;
    f->certainty = FINDING_PROVED;
    finding_say(f,
                k->host->is_gateway
                    ? "the gateway %s does not answer ARP or neighbour discovery on %s, so that "
                      "nothing can be sent"
                    : "no host answers for the address %s, to ARP or neighbour discovery on %s",
                k->host->unreachable, k->host->interface);
    finding_advise(f, "%s",
                   k->host->is_gateway
                       ? "is the gateway up, and its address right? see ip route, ip neigh"
                       : "is it the right address, and on this link? see ip neigh");
    return true;
}

static bool own_kernel_reset(const struct facts *k, struct finding *f)
{
    if (!count(k, SIGN_FOREIGN_RST))
        return false;
    f->certainty = FINDING_PROVED;
    if (k->over && k->verdict == VERDICT_OPEN)
        f->severity = FINDING_WARNING;
    cite(k, SIGN_FOREIGN_RST, f);
    finding_say(f, "a RST left this host on our connection, and we did not send it: its kernel or "
                   "another program did");
    finding_advise(f, "a reject rule of this host's firewall (tcp-reset) does so, or one that "
                      "redirects the port to another one where no application listens; or another "
                      "tool that sends raw packets is at work");
    return true;
}

static bool capture_loss(const struct facts *k, struct finding *f)
{
    char n[HUMAN_TEXT];

    if (!k->host || !k->host->lost)
        return false;
    f->certainty = FINDING_PROVED;
    cite(k, SIGN_MISSED, f);
    cite(k, SIGN_KEPT, f);
    finding_say(f,
                "our own capture lost %s frame%s because its buffer was full: what is missing "
                "was not lost by the network",
                human_count(k->host->lost, n), k->host->lost == 1 ? "" : "s");
    finding_advise(f,
                   "this host is too busy to follow: run with %s, or ask for a smaller window (%s)",
                   ask(k, HOW_TO_SHOW_NOTHING), ask(k, HOW_TO_SHRINK_WINDOW));
    return true;
}

static bool route_changed(const struct facts *k, struct finding *f)
{
    const bool harms = k->host && !k->host->anywhere && k->over && k->verdict != VERDICT_OPEN;

    if (!k->host || !k->host->rerouted)
        return false;
    f->certainty = FINDING_PROVED;
    f->severity = harms                                   ? FINDING_PROBLEM
                  : k->over && k->verdict == VERDICT_LOST ? FINDING_WARNING
                                                          : FINDING_INFO;
    finding_say(f,
                "the route to the peer changed during the run: it leads through %s now, and no "
                "longer through %s%s",
                k->host->rerouted, k->host->interface,
                harms ? ", which is what is captured: answers that come in there are not seen"
                      : "");
    if (harms)
        finding_advise(f, "start another run, without %s", ask(k, HOW_TO_NAME_INTERFACE));
    else
        finding_advise(f, "start another run for a path that stays the same");
    return true;
}

static bool other_addresses(const struct facts *k, struct finding *f)
{
    if (!k->host || !k->host->addresses || !k->over || k->verdict == VERDICT_OPEN)
        return false;
    f->certainty = FINDING_PROVED;
    if (k->host->addresses == 1)
        finding_say(f, "the name has another address, %s, which was not tried", k->host->address);
    else
        finding_say(f, "the name has %u other addresses, which were not tried: %s is the next",
                    k->host->addresses, k->host->address);
    finding_advise(f,
                   "%s tries all of them; a client such as curl goes on to the next one by itself",
                   ask(k, HOW_TO_TRY_ADDRESSES));
    return true;
}

/* A peer that ignores our MSS sends such segments as well. */
static bool offload_merged(const struct facts *k, struct finding *f)
{
    if (!count(k, SIGN_JOINED))
        return false;
    cite(k, SIGN_JOINED, f);
    finding_say(f, "segments were captured that are larger than the MSS: an offload of this host "
                   "joined what came in several packets");
    finding_advise(f,
                   "numbers and sizes of the peer's segments are not those of the wire; "
                   "ethtool -K %s gro off lro off shows each",
                   k->host && k->host->interface ? k->host->interface : "IFACE");
    return true;
}

/* Returns whether segments reached this host's TCP that were not captured as the peer's. They came
 * with other addresses, or by an interface that is not captured. */
static bool came_unseen(const struct facts *k)
{
    return k->host && k->host->counts_reached && k->host->reached && !k->host->captured &&
           !k->host->bad_checksums;
}

/* Returns whether what came for us from another host's address came by this host's loopback. */
static bool by_itself(const struct facts *k)
{
    return k->host && k->host->other && !k->host->loopback && k->verdict != VERDICT_LOCAL &&
           strcmp(k->host->other_interface, "lo") == 0;
}

/* Returns whether the user named the loopback, so that the target may be another host's address. */
static bool loopback_named(const struct facts *k)
{
    return k->host->loopback && k->host->interface_named;
}

/* Returns whether what we sent to an address of this host's own left by another way than its
 * loopback, and was answered. */
static bool sent_on(const struct facts *k)
{
    return came_unseen(k) && k->host->loopback && !loopback_named(k) && !k->host->listens &&
           (k->host->kept || k->host->left_unknown) && !k->host->lost &&
           k->verdict != VERDICT_LOCAL && k->verdict != VERDICT_OPEN;
}

static bool own_nat_of_own_address(const struct facts *k, struct finding *f)
{
    if (!k->over || !sent_on(k))
        return false;
    finding_say(f, "the target is an address of this host, what we sent there did not come by its "
                   "loopback, and answers reached this host's TCP: its address translation sends "
                   "it on to another host");
    finding_advise(f, "nft list ruleset shows the rule and the address behind it (dnat): an "
                      "application here is served by that one, and it can be tried itself");
    return true;
}

/* Over one interface alone, what a rule sends to the loopback address finds no way. */
static bool own_nat_to_itself(const struct facts *k, struct finding *f)
{
    const struct facts_host *h = k->host;

    if (!k->over || !h || !h->redirected || h->listens || k->verdict == VERDICT_OPEN ||
        k->verdict == VERDICT_LOCAL)
        return false;
    finding_say(f,
                "this host's address translation redirects to this host itself what is for the "
                "target, which is not reached by %s",
                h->interface);
    finding_advise(f,
                   "leave out %s, so that it is followed; nft list ruleset shows the rule "
                   "(redirect, dnat)",
                   ask(k, HOW_TO_NAME_INTERFACE));
    return true;
}

/* A rule sends another port's or address's segments to ours: they are captured before that. */
static bool own_nat_of_listener(const struct facts *k, struct finding *f)
{
    if (!k->over || !came_unseen(k) || !k->host->listens || k->host->one_interface || k->host->lost)
        return false;
    finding_say(f, "segments reached this host's TCP on our port that were captured under another "
                   "address or port: its address translation sends them here");
    finding_advise(f, "an application here would have them; we capture before the rule, and cannot "
                      "serve them: look at nft list ruleset (prerouting: redirect, dnat), and try "
                      "without the rule, on the port that clients ask for");
    return true;
}

/* Some of ours were sent so, and others were rejected: it is the same rule that found no port for
 * them. */
static bool own_nat_without_ports(const struct facts *k, struct finding *f)
{
    char n[HUMAN_TEXT];

    if (k->verdict == VERDICT_OPEN)
        f->severity = FINDING_WARNING;
    finding_say(f,
                "this host's address translation rewrites our source to %s, and %s segment%s found "
                "no port there: those that it may use were used up",
                k->host->source_translated, human_count(k->host->unsent, n),
                k->host->unsent == 1 ? "" : "s");
    finding_advise(f,
                   "an application could not connect, either: widen the range of ports (nft list "
                   "ruleset: masquerade to, snat to), or add addresses to it; %s asks for fewer at "
                   "a time",
                   ask(k, HOW_TO_LIMIT_NUMBER));
    return true;
}

/* Two targets are one place: of two connections from one port of ours, one gets another port there.
 */
static bool own_nat_of_one_place(const struct facts *k, struct finding *f)
{
    if (k->verdict == VERDICT_OPEN)
        f->severity = FINDING_WARNING;
    finding_say(
        f,
        "this host's address translation sends several targets of the run to one place, %s: "
        "of two connections from one port of ours it gives one another port, where answers "
        "are not looked for",
        k->host->translated);
    finding_advise(f, "an application's connections have a port each: name one of these targets "
                      "alone, or use several runs");
    return true;
}

/* A SYN of ours was seen to leave from another address or port. What is sent on the link layer does
 * not pass the rule, and is answered. */
static bool own_nat_of_source(const struct facts *k, struct finding *f)
{
    const struct facts_host *h = k->host;
    const bool open = k->verdict == VERDICT_OPEN;

    if (!k->over || !h || !h->source_translated || k->verdict == VERDICT_LOCAL ||
        (open && h->translated))
        return false;
    if (h->targets_clash)
        return own_nat_of_one_place(k, f);
    if (h->unsent)
        return own_nat_without_ports(k, f);
    f->certainty = FINDING_PROVED;
    if (open || (h->past_rules && h->captured && !h->translated))
        f->severity = FINDING_INFO;
    finding_say(f,
                "this host's address translation rewrites our source to %s, where answers are not "
                "looked for%s",
                h->source_translated,
                h->past_rules && !h->translated
                    ? "; most of what we sent did not pass it, on the link layer"
                    : "");
    finding_advise(f,
                   "an application's connections come from there: look at nft list ruleset "
                   "(masquerade, snat); %s and %s choose a source that no rule rewrites",
                   ask(k, HOW_TO_NAME_SOURCE), ask(k, HOW_TO_NAME_PORT));
    return true;
}

static bool own_nat(const struct facts *k, struct finding *f)
{
    /* Where a rule of this host rejects what we send, its answer comes by lo. */
    const bool unseen = came_unseen(k) && (!k->host->one_interface || k->host->kept) &&
                        !k->host->loopback && k->verdict != VERDICT_LOCAL &&
                        !k->host->answered_elsewhere;

    if (own_nat_of_own_address(k, f) || own_nat_to_itself(k, f) || own_nat_of_source(k, f) ||
        own_nat_of_listener(k, f))
        return true;
    if (k->host && k->host->listens)
        return false;
    if (!k->host || (!k->host->translated && !unseen && !by_itself(k)))
        return false;
    if (!k->host->translated && by_itself(k)) {
        f->severity = FINDING_INFO;
        finding_say(f,
                    "answers in the target's name came by %s: this host itself gives them, since "
                    "its address translation or its routing redirects what we send",
                    k->host->other_interface);
        finding_advise(f, "look at nft list ruleset (redirect, dnat, tproxy) and at ip rule");
        return true;
    }
    if (k->host->translated) {
        f->certainty = FINDING_PROVED;
        f->severity = FINDING_INFO;
        finding_say(f,
                    "this host's address translation sends what is for the target to %s%s, and we "
                    "follow it",
                    k->host->translated, k->host->translated_more ? " and others" : "");
        finding_advise(f, "the answers are that host's; nft list ruleset shows the rule (a service "
                          "address of Kubernetes or Docker is made so)");
        return true;
    }
    finding_say(f,
                "answers reached this host's TCP that were captured under other addresses: this "
                "host's address translation rewrites our source%s",
                k->host->one_interface ? ", or redirects to this host itself what is for the target"
                                       : "");
    finding_advise(
        f,
        "look at nft list ruleset (masquerade, snat%s); %s and %s choose a source that no "
        "rule rewrites",
        k->host->one_interface ? ", dnat" : "", ask(k, HOW_TO_NAME_SOURCE),
        ask(k, HOW_TO_NAME_PORT));
    return true;
}

static bool other_interface(const struct facts *k, struct finding *f)
{
    /* Where no segment of ours was seen to leave either, address translation is more likely. */
    const bool unseen = came_unseen(k) &&
                        ((k->host->one_interface && !k->host->kept) || loopback_named(k)) &&
                        !k->host->translated && !k->host->source_translated &&
                        k->verdict != VERDICT_LOCAL && !k->host->answered_elsewhere;

    /* Where a rule of this host rejects what we send, its answer comes by lo. */
    if (!k->host || (!unseen && (!k->host->other || k->verdict == VERDICT_LOCAL)) || by_itself(k))
        return false;
    if (unseen) {
        finding_say(f,
                    "%s reached this host's TCP and were not captured on %s: they come in "
                    "by another interface",
                    k->host->listens ? "segments" : "answers", k->host->interface);
        if (k->host->interface_named)
            finding_advise(f, "leave out %s, so that all interfaces are captured",
                           ask(k, HOW_TO_NAME_INTERFACE));
        else
            finding_advise(f,
                           "%s captures on all interfaces, and says by which one answers come in",
                           ask(k, HOW_TO_CONNECT));
        return true;
    }
    f->certainty = FINDING_PROVED;
    f->severity = FINDING_INFO;
    finding_say(f, "what we send leaves by %s, and the peer's segments came in by %s",
                k->host->interface, k->host->other_interface);
    finding_advise(f, "routing is asymmetric: a stateful firewall on either way sees half of the "
                      "connection, and rp_filter may drop what comes in there");
    return true;
}

static bool captured_twice(const struct facts *k, struct finding *f)
{
    char n[HUMAN_TEXT];

    if (!k->host || !k->host->copies)
        return false;
    f->certainty = FINDING_PROVED;
    finding_say(f,
                "%s packet%s met on more than one interface of this host (a bridge, bond or VLAN "
                "and its port), and counted once",
                human_count(k->host->copies, n), k->host->copies == 1 ? " was" : "s were");
    finding_advise(f, "%s names the one to capture on", ask(k, HOW_TO_NAME_INTERFACE));
    return true;
}

/* RFC 9293, 3.5: the SYN would meet its own port, cross itself and open a connection. */
static bool self_connection(const struct facts *k, struct finding *f)
{
    if (!k->host || !k->host->itself)
        return false;
    f->certainty = FINDING_PROVED;
    finding_say(f, "the target is our own source port, at an address of this host: a connection "
                   "from there would meet itself and open, whether or not a server is there");
    finding_advise(f,
                   "leave out %s, or name another port: one that is chosen is never the target's",
                   ask(k, HOW_TO_NAME_PORT));
    return true;
}

static bool port_shadowed(const struct facts *k, struct finding *f)
{
    if (!k->host || !k->host->kept_clear)
        return false;
    f->certainty = FINDING_PROVED;
    finding_say(f,
                "port %u of this host is a target of this run and lies among the local ports: it "
                "was left out of them, since a port of ours would stand in its place",
                k->host->kept_clear);
    finding_advise(f, "nothing need be done; %s names other local ports", ask(k, HOW_TO_NAME_PORT));
    return true;
}

/* A suspended host looks the same: the clock that is never set does not count that time. */
static bool clock_stepped(const struct facts *k, struct finding *f)
{
    char by[HUMAN_TEXT];
    int64_t step = k->host ? k->host->clock_step : 0;

    if (!step)
        return false;
    f->certainty = FINDING_PROVED;
    finding_say(f, "this host's wall clock went %s by %s during the run: it was set%s",
                step > 0 ? "forward" : "back",
                human_duration((wave_time)(step > 0 ? step : -step), by),
                step > 0 ? ", or the host was suspended" : "");
    finding_advise(
        f, "the times given here do not jump with it; mind it when you compare them with logs "
           "and captures of other programs");
    return true;
}

/* Adds what the rules still hold back, which nothing has shown: it was not sent, or not taken in.
 */
static void tell_held(const struct facts *k, struct finding *f)
{
    const size_t at = strlen(f->message);
    const struct impairment *first;
    const uint64_t held = impairments_held(k->impairments, &first);
    char n[HUMAN_TEXT];

    if (held)
        snprintf(f->message + at, sizeof f->message - at,
                 "; at the end the rule `%.40s`%s still held back %s segment%s", first->rule,
                 held > first->held ? " and others" : "", human_count(held, n),
                 held == 1 ? "" : "s");
}

/* What was done on purpose. The findings of each connection go by its own segments; where nothing
 * of them is on record, those of the run go by what the rules counted. */
static bool was_impaired(const struct facts *k, struct finding *f)
{
    const struct signs *s = &k->flow->signs;
    const uint64_t matched = impairments_matched(k->impairments);
    char n[HUMAN_TEXT], what[160];

    if (!k->over || (!s->changed_segments && !matched))
        return false;
    f->certainty = FINDING_PROVED;
    cite(k, SIGN_IMPAIRED, f);
    if (s->changed_segments)
        finding_say(f, "%s segment%s impaired on purpose (%s): %s",
                    human_count(s->changed_segments, n),
                    s->changed_segments == 1 ? " was" : "s were", ask(k, HOW_TO_IMPAIR),
                    signs_impaired_text(s, what, sizeof what));
    else
        finding_say(f, "the rules of %s were applied %s time%s, on purpose", ask(k, HOW_TO_IMPAIR),
                    human_count(matched, n), matched == 1 ? "" : "s");
    tell_held(k, f);
    finding_advise(f, "what follows from that is neither the path's doing nor the peer's");
    return true;
}

static bool impairment_unused(const struct facts *k, struct finding *f)
{
    const struct impairments *list = k->impairments;
    const struct impairment *first = NULL;
    unsigned more = 0;

    for (unsigned i = 0; k->over && list && i < list->count; i++) {
        if (list->at[i].matched || list->at[i].optional)
            continue;
        more += first != NULL;
        first = first ? first : &list->at[i];
    }
    if (!first)
        return false;
    f->certainty = FINDING_PROVED;
    if (more)
        finding_say(f, "the rule `%.120s` and %u other%s never matched", first->rule, more,
                    more == 1 ? "" : "s");
    else
        finding_say(f, "the rule `%.120s` never matched", first->rule);
    finding_advise(f, "no segment of its direction was as the rule says; the drawing shows their "
                      "flags and numbers, and tcpwave-impair(7) how they are matched");
    return true;
}

/* A preset can be switches of the engine, of which no segment shows that it was not as it should
 * be. */
static bool own_preset(const struct facts *k, struct finding *f)
{
    if (!k->over || !k->preset)
        return false;
    f->certainty = FINDING_PROVED;
    finding_say(f, "this side misbehaved on purpose (%s %s): %s", ask(k, HOW_TO_MISBEHAVE),
                k->preset, k->preset_does);
    finding_advise(f, "tcpwave-presets(7) says what a correct peer does about it");
    return true;
}

const struct diagnosis diagnoses_local[] = {
    {"no-neighbour", FINDING_PROBLEM, FINDING_LOCAL, false, no_neighbour},
    {"own-firewall", FINDING_PROBLEM, FINDING_LOCAL, false, own_firewall},
    {"own-kernel-reset", FINDING_PROBLEM, FINDING_LOCAL, true, own_kernel_reset},
    {"route-changed", FINDING_PROBLEM, FINDING_LOCAL, false, route_changed},
    {"capture-loss", FINDING_WARNING, FINDING_LOCAL, false, capture_loss},
    {"other-addresses", FINDING_INFO, FINDING_LOCAL, false, other_addresses},
    {"own-nat", FINDING_PROBLEM, FINDING_LOCAL, false, own_nat},
    {"other-interface", FINDING_PROBLEM, FINDING_LOCAL, false, other_interface},
    {"impairment-unused", FINDING_WARNING, FINDING_LOCAL, false, impairment_unused},
    {"own-preset", FINDING_INFO, FINDING_LOCAL, false, own_preset},
    {"impaired", FINDING_INFO, FINDING_LOCAL, false, was_impaired},
    {"self-connection", FINDING_PROBLEM, FINDING_LOCAL, false, self_connection},
    {"port-shadowed", FINDING_INFO, FINDING_LOCAL, false, port_shadowed},
    {"clock-stepped", FINDING_INFO, FINDING_LOCAL, false, clock_stepped},
    {"captured-twice", FINDING_INFO, FINDING_LOCAL, false, captured_twice},
    {"offload-merged", FINDING_INFO, FINDING_LOCAL, true, offload_merged},
    {0}};

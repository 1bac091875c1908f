/* Copies what the port counts and knows into the facts. */
#include "lib/run/host_facts.h"

#include <poll.h>
#include <string.h>
#include <time.h>

#define ON_ITS_WAY (50 * WAVE_MS) /* from the capture to this host's TCP, on a busy host */
#define LOOK_EVERY (2 * WAVE_MS)

/* Reads the port's counters once what was captured has reached this host's TCP, or will not: all of
 * it, or of many connections the first segment. */
static struct wire_stats settled_stats(struct port *port, uint64_t captured, bool many)
{
    const struct timespec pause = {.tv_nsec = LOOK_EVERY};
    const uint64_t awaited = many && captured ? 1 : captured;
    struct wire_stats stats = port->ops->stats(port);

    for (wave_time waited = 0; stats.counts_reached && stats.reached < awaited &&
                               waited < ON_ITS_WAY && !port->virtual_time;
         waited += LOOK_EVERY) {
        ppoll(NULL, 0, &pause, NULL);
        stats = port->ops->stats(port);
    }
    return stats;
}

/* Returns whether the next hop does not answer: then nothing can leave this host. */
static bool next_hop_silent(struct port *port)
{
    struct wire_neighbour hop;

    return port->ops->unreachable && port->ops->unreachable(port, &hop);
}

/* Returns how many segments were sent where none left this host, 0: not so, or not known. A wire
 * that does not capture what leaves knows it of its first SYNs, if it sent nothing else. */
static uint64_t kept(struct port *port, const struct host_asks *asks, const struct wire_stats *s)
{
    const bool syns_alone = !s->syns_left && !s->l2_send && !s->given_up;
    const uint64_t n = asks->kept ? asks->kept : syns_alone ? s->syns_watched : 0;

    return n && !next_hop_silent(port) ? n : 0;
}

/* Returns whether a rule has redirected to this host itself what we sent, of which nothing left it.
 */
static bool redirected(struct port *port, uint64_t kept, const struct wire_stats *s)
{
    return (kept || (s->syns_watched && !s->syns_left)) && port->ops->asks_for_itself &&
           port->ops->asks_for_itself(port);
}

void host_facts(struct facts_host *h, struct host_texts *t, struct wire_stats *stats,
                struct port *port, const struct host_asks *asks)
{
    const struct wire_info *info = port->info;
    const struct wire_stats s = settled_stats(port, asks->captured, asks->many);
    const uint64_t n = kept(port, asks, &s);

    *stats = s;
    addr_port_text(asks->v6, &s.stray.addr, s.stray.port, t->answerer);
    addr_port_text(asks->v6, &s.nat_addr, s.nat_port, t->translated);
    addr_port_text(asks->v6, &s.nat_source, s.nat_source_port, t->source);
    memcpy(t->other, s.other_interface, sizeof t->other);
    *h = (struct facts_host){.counts_reached = s.counts_reached,
                             .reached = s.reached,
                             .captured = asks->captured,
                             .kept = n,
                             .each_reached = s.counts_reached && !asks->many,
                             .past_rules = s.l2_send > 0,
                             .refused = s.given_up,
                             .accepted = s.l2_send,
                             .clock_step = s.clock_step,
                             .fragmented = s.fragmented.packets,
                             .fragments = s.fragmented.fragments,
                             .incomplete = s.fragmented.missing,
                             .nameless = s.fragmented.nameless,
                             .overlapping = s.fragmented.refused,
                             .crowded_out = s.fragmented.crowded_out,
                             /* Where the capture loses fragments, those of two packets with the
                              * same identification are put together (RFC 4963). */
                             .bad_checksums = s.bad_checksum - (s.dropped ? s.bad_whole : 0),
                             .bad_headers = s.bad_header,
                             .lost = s.dropped,
                             .copies = s.copies,
                             .elsewhere = s.elsewhere,
                             .answerer = t->answerer,
                             .translated = s.translated ? t->translated : NULL,
                             .translated_more = s.nat_others,
                             .targets_clash = s.nat_clash,
                             .source_translated = s.source_translated ? t->source : NULL,
                             .redirected = redirected(port, n, &s),
                             .left_unknown = asks->left_unknown,
                             .other = s.other,
                             .other_interface = t->other,
                             .on_link = info->on_link,
                             .anywhere = info->anywhere,
                             .one_interface = !info->anywhere && info->ifindex && !info->loopback,
                             .interface_named = asks->interface_named,
                             .loopback = info->loopback,
                             .interface = info->interface};
}

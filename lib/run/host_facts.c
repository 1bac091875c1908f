/* Copies what the port counts and knows into the facts. */
#include "lib/run/host_facts.h"

#include <string.h>

void host_facts(struct facts_host *h, struct host_texts *t, struct port *port,
                const struct wire_stats *stats, bool v6, bool interface_named)
{
    const struct wire_info *info = port->info;

    addr_port_text(v6, &stats->stray.addr, stats->stray.port, t->answerer);
    addr_port_text(v6, &stats->nat_addr, stats->nat_port, t->translated);
    memcpy(t->other, stats->other_interface, sizeof t->other);
    *h = (struct facts_host){.counts_reached = stats->counts_reached,
                             .reached = stats->reached,
                             .clock_step = stats->clock_step,
                             .bad_checksums = stats->bad_checksum,
                             .lost = stats->dropped,
                             .copies = stats->copies,
                             .elsewhere = stats->elsewhere,
                             .answerer = t->answerer,
                             .translated = stats->translated ? t->translated : NULL,
                             .other = stats->other,
                             .other_interface = t->other,
                             .on_link = info->on_link,
                             .anywhere = info->anywhere,
                             .one_interface = !info->anywhere && info->ifindex && !info->loopback,
                             .interface_named = interface_named,
                             .loopback = info->loopback,
                             .interface = info->interface};
}

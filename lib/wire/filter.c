/*
 * Writes the capture's filter as text, which libpcap then compiles.
 */
#include "lib/wire/filter.h"
#include "lib/core/addr.h"

#include <stdarg.h>
#include <stdio.h>

#include "lib/wire/address.h"
#include "lib/wire/route.h"

/* Says where the text goes. */
struct filter_buffer {
    char *at;
    size_t left;
};

/* Appends to the text, or leaves the piece out when there is no room. */
__attribute__((format(printf, 2, 3))) static void add(struct filter_buffer *t, const char *format,
                                                      ...)
{
    va_list ap;
    va_start(ap, format);
    int n = vsnprintf(t->at, t->left, format, ap);
    va_end(ap);
    if (n > 0 && (size_t)n < t->left) {
        t->at += n;
        t->left -= (size_t)n;
    }
}

/* Adds one end of the flow; `side` is "src" or "dst". The any address is left out. */
static void add_end(struct filter_buffer *t, bool v6, const char *side, const struct addr *a,
                    unsigned port, unsigned ports)
{
    static const struct addr any;
    char text[ADDR_PORT_TEXT];
    if (!addr_eq(a, &any))
        add(t, "%s %s host %s and ", v6 ? "ip6" : "ip", side, addr_text(v6, a, text));
    if (ports > 1)
        add(t, "tcp %s portrange %u-%u", side, port, port + ports - 1);
    else
        add(t, "tcp %s port %u", side, port);
}

/* Adds the segments of one direction: to us if `in`, else from us. */
static void add_direction(struct filter_buffer *t, const struct filter_query *q, bool in)
{
    add(t, "(");
    add_end(t, q->flow.v6, in ? "dst" : "src", &q->flow.local, q->flow.lport, q->lports);
    if (!q->listen && !q->any_remote) {
        add(t, " and ");
        add_end(t, q->flow.v6, in ? "src" : "dst", &q->flow.remote, q->flow.rport, 1);
    }
    add(t, ")");
}

/*
 * Adds packets that the filter cannot assign to our flow. These are ICMP errors (for IPv4 all but
 * echo; for IPv6 the types below 128, RFC 4443, 2.1). For IPv6 these are also packets whose ports
 * stand behind an extension header, where the filter does not find them (RFC 8200, 4: hop-by-hop
 * options 0, routing 43, destination options 60; and fragment 44, which may carry a whole packet:
 * RFC 6946).
 */
static void add_strays(struct filter_buffer *t, const struct filter_query *q)
{
    static const struct addr any;
    char text[ADDR_PORT_TEXT];
    if (q->flow.v6)
        add(t, "((icmp6 and ip6[40] < 128) or ip6[6] = 0 or ip6[6] = 43 or ip6[6] = 44 or "
               "ip6[6] = 60)");
    else
        add(t, "(icmp and icmp[0] != 0 and icmp[0] != 8)");
    if (!addr_eq(&q->flow.local, &any))
        add(t, " and %s host %s", q->flow.v6 ? "ip6" : "ip",
            addr_text(q->flow.v6, &q->flow.local, text));
}

/* Adds the fragments of IPv4 packets to us that may be TCP: behind the first one there are no
 * ports. Those of IPv6 are among the strays. */
static void add_fragments(struct filter_buffer *t, const struct filter_query *q)
{
    static const struct addr any;
    char text[ADDR_PORT_TEXT];
    if (q->flow.v6)
        return;
    add(t, " or (ip[9] = 6 and ip[6:2] & 0x3fff != 0");
    if (!addr_eq(&q->flow.local, &any))
        add(t, " and ip dst host %s", addr_text(false, &q->flow.local, text));
    if (!q->listen && !q->any_remote)
        add(t, " and ip src host %s", addr_text(false, &q->flow.remote, text));
    add(t, ")");
}

/* Adds the SYNs that leave this host, from any address and port: these may have been rewritten. On
 * lo what leaves is captured as it arrives. The direction comes last: libpcap, which cannot read
 * it, runs the filter once more on the first frames. */
static void add_own_syns(struct filter_buffer *t, const struct filter_query *q)
{
    static const struct addr any;

    add(t, " or (%s & 0x12 = 2 and ((", q->flow.v6 ? "ip6[6] = 6 and ip6[53]" : "tcp[13]");
    add_end(t, q->flow.v6, "src", &any, q->flow.lport, q->lports);
    add(t, ") or outbound))");
}

/* Adds all that we want of frames without a VLAN tag. */
static void add_untagged(struct filter_buffer *t, const struct filter_query *q)
{
    add(t, "(%s and (", q->flow.v6 ? "ip6" : "ip");
    add_direction(t, q, true);
    if (!q->inbound_only) {
        add(t, " or ");
        add_direction(t, q, false);
    } else if (q->own_syns) {
        add_own_syns(t, q);
    }
    add(t, " or (");
    add_strays(t, q);
    add(t, ")");
    add_fragments(t, q);
    add(t, "))");
}

const char *filter_text(const struct filter_query *q, char text[FILTER_TEXT])
{
    struct filter_buffer t = {text, FILTER_TEXT};
    text[0] = '\0';
    if (q->any_device)
        add(&t, "not (outbound and ifindex %d) and ", LOOPBACK_IFINDEX);
    add_untagged(&t, q);
    if (q->tags) {
        /* The order matters, because each "vlan" moves the offsets of all that follows it by four
         * bytes. The kernel has removed the outer tag of a live frame, and "vlan" takes account of
         * that. */
        add(&t, " or (vlan and (");
        add_untagged(&t, q);
        add(&t, " or (vlan and ");
        add_untagged(&t, q);
        add(&t, ")))");
    }
    return text;
}

/*
 * An ICMP or ICMPv6 error about one of our segments. Type and code are kept as they came, and one
 * value says what they mean in either family (RFC 792, RFC 4443, RFC 5461).
 */
#ifndef TCPWAVE_CORE_ICMP_H
#define TCPWAVE_CORE_ICMP_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/flow.h"
#include "lib/core/seq.h"

/* Says what an error means for TCP. */
enum icmp_meaning {
    ICMP_SOFT,    /* may be temporary: network or host unreachable, time exceeded (RFC 5461, 2.1) */
    ICMP_HARD,    /* protocol or port unreachable, administratively prohibited (RFC 5461, 2.2) */
    ICMP_TOO_BIG, /* fragmentation needed and DF set; packet too big (RFC 1191, RFC 8201) */
    ICMP_NO_ERROR /* anything else: no information about the flow */
};

/* A decoded ICMP error. */
struct icmp {
    struct addr from; /* the router or host that sent it; family is flow.v6 */
    uint8_t type, code;
    uint32_t mtu;     /* of the next hop, with ICMP_TOO_BIG; 0 when the router did not say */
    struct flow flow; /* of the quoted segment, as its sender sees it: local is us */
    bool has_seq;
    struct seq seq; /* of the quoted segment, valid with `has_seq`: eight bytes of it were quoted */
    enum icmp_meaning meaning;
};

/* Returns what an error's type and code mean for TCP. `v6` selects ICMPv6's numbers. */
enum icmp_meaning icmp_meaning(bool v6, uint8_t type, uint8_t code);

/* Returns the message's text: "port unreachable", "administratively prohibited", ... It is never
 * NULL, and does not include type and code. */
const char *icmp_text(bool v6, uint8_t type, uint8_t code);

#endif

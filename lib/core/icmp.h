/*
 * An ICMP or ICMPv6 error about one of our segments, with the two families' numbers
 * kept as they came and their meaning in one word (RFC 792, RFC 4443, RFC 5461).
 */
#ifndef TCPWAVE_CORE_ICMP_H
#define TCPWAVE_CORE_ICMP_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/flow.h"
#include "lib/core/seq.h"

enum icmp_meaning {
    ICMP_SOFT,    /* may pass: network or host unreachable, time exceeded (RFC 5461, 2.1) */
    ICMP_HARD,    /* protocol or port unreachable, administratively prohibited (RFC 5461, 2.2) */
    ICMP_TOO_BIG, /* fragmentation needed and DF set; packet too big (RFC 1191, RFC 8201) */
    ICMP_NO_ERROR /* anything else: says nothing about the flow */
};

struct icmp {
    struct addr from; /* the router or host that sent it; family is flow.v6 */
    uint8_t type, code;
    uint32_t mtu;     /* of the next hop, with ICMP_TOO_BIG; 0 when the router left it out */
    struct flow flow; /* of the quoted segment, as its sender sees it */
    bool has_seq;
    struct seq seq; /* the quoted segment's, when eight bytes of it were quoted */
    enum icmp_meaning meaning;
};

/* What an error's type and code mean for TCP. `v6` chooses ICMPv6's numbers. */
enum icmp_meaning icmp_meaning(bool v6, uint8_t type, uint8_t code);

/* "port unreachable", "administratively prohibited", ... ; "type/code" is for the caller
 * to add. Never NULL. */
const char *icmp_text(bool v6, uint8_t type, uint8_t code);

#endif

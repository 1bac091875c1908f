/*
 * A table of the ICMP and ICMPv6 errors: what each means for TCP, and its text.
 */
#include "lib/core/icmp.h"

#include <stddef.h>

/*
 * One row for each message. Protocol and port unreachable are hard, as in RFC 5461, 2.2. DEVIATES:
 * "administratively prohibited" is hard here too. RFC 5461 leaves this open, and RFC 1122 did not
 * know such a code. But the error comes from a firewall, whose rule will not change while we wait,
 * and a diagnostic tool must report that immediately. Once a connection is synchronized, no error
 * ends it (RFC 5927, section 5), so this matters during a handshake only.
 */
struct icmp_message {
    uint8_t type, code, meaning;
    const char *text;
};

static const struct icmp_message v4[] = {
    {3, 0, ICMP_SOFT, "network unreachable"},
    {3, 1, ICMP_SOFT, "host unreachable"},
    {3, 2, ICMP_HARD, "protocol unreachable"},
    {3, 3, ICMP_HARD, "port unreachable"},
    {3, 4, ICMP_TOO_BIG, "fragmentation needed"},
    {3, 5, ICMP_SOFT, "source route failed"},
    {3, 6, ICMP_SOFT, "destination network unknown"},
    {3, 7, ICMP_SOFT, "destination host unknown"},
    {3, 8, ICMP_SOFT, "source host isolated"},
    {3, 9, ICMP_HARD, "network administratively prohibited"},
    {3, 10, ICMP_HARD, "host administratively prohibited"},
    {3, 11, ICMP_SOFT, "network unreachable for this type of service"},
    {3, 12, ICMP_SOFT, "host unreachable for this type of service"},
    {3, 13, ICMP_HARD, "administratively prohibited"},
    {3, 14, ICMP_SOFT, "host precedence violation"},
    {3, 15, ICMP_SOFT, "precedence cutoff in effect"},
    /* Source quench must be ignored (RFC 6633, section 3). A redirect reports a better route; it is
     * no error about the segment. */
    {4, 0, ICMP_NO_ERROR, "source quench"},
    {5, 0, ICMP_NO_ERROR, "redirect for the network"},
    {5, 1, ICMP_NO_ERROR, "redirect for the host"},
    {5, 2, ICMP_NO_ERROR, "redirect for the type of service and network"},
    {5, 3, ICMP_NO_ERROR, "redirect for the type of service and host"},
    {11, 0, ICMP_SOFT, "time to live exceeded in transit"},
    {11, 1, ICMP_SOFT, "fragment reassembly time exceeded"},
    /* RFC 1122, 4.2.3.9 makes this soft. IPv6 has a code for an unknown protocol (4/1), which is
     * hard. */
    {12, 0, ICMP_SOFT, "parameter problem"},
    {12, 1, ICMP_SOFT, "parameter problem: a required option is missing"},
    {12, 2, ICMP_SOFT, "parameter problem: bad length"},
};

static const struct icmp_message v6[] = {
    {1, 0, ICMP_SOFT, "no route to destination"},
    {1, 1, ICMP_HARD, "administratively prohibited"},
    {1, 2, ICMP_SOFT, "beyond scope of source address"},
    {1, 3, ICMP_SOFT, "address unreachable"},
    {1, 4, ICMP_HARD, "port unreachable"},
    {1, 5, ICMP_HARD, "source address failed ingress/egress policy"},
    {1, 6, ICMP_HARD, "reject route to destination"},
    {1, 7, ICMP_SOFT, "error in source routing header"},
    {2, 0, ICMP_TOO_BIG, "packet too big"},
    {3, 0, ICMP_SOFT, "hop limit exceeded in transit"},
    {3, 1, ICMP_SOFT, "fragment reassembly time exceeded"},
    {4, 0, ICMP_SOFT, "erroneous header field"},
    {4, 1, ICMP_HARD, "unrecognized next header"}, /* IPv6's "protocol unreachable" */
    {4, 2, ICMP_SOFT, "unrecognized IPv6 option"},
};

static const struct icmp_message *find(bool is_v6, uint8_t type, uint8_t code)
{
    const struct icmp_message *m = is_v6 ? v6 : v4;
    const struct icmp_message *end = m + (is_v6 ? sizeof v6 / sizeof *v6 : sizeof v4 / sizeof *v4);

    /* RFC 4443, 3.2: the receiver ignores the code of "packet too big". */
    if (is_v6 && type == 2)
        code = 0;
    for (; m < end; m++)
        if (m->type == type && m->code == code)
            return m;
    return NULL;
}

enum icmp_meaning icmp_meaning(bool is_v6, uint8_t type, uint8_t code)
{
    const struct icmp_message *m = find(is_v6, type, code);

    return m ? (enum icmp_meaning)m->meaning : ICMP_NO_ERROR;
}

const char *icmp_text(bool is_v6, uint8_t type, uint8_t code)
{
    const struct icmp_message *m = find(is_v6, type, code);

    return m ? m->text : "unknown ICMP message";
}

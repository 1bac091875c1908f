/*
 * The two families of addresses, and what this host has of each: which one a listener without an
 * address serves, and why there is no way to a peer.
 */
#ifndef TCPWAVE_WIRE_FAMILY_H
#define TCPWAVE_WIRE_FAMILY_H

#include <stdbool.h>

#define FAMILY_TEXT 160

/* How far the addresses of a family reach. */
enum family_reach {
    FAMILY_NONE,  /* the host has none of them */
    FAMILY_LOCAL, /* itself only: 127.0.0.1, ::1 */
    FAMILY_BEYOND /* its links at least */
};

/* FAMILY_BEYOND also where the kernel does not tell. */
enum family_reach family_reach(bool v6);

/* Whether a listener that was told neither family nor address serves IPv6: where that reaches
 * further than IPv4 does. */
bool family_default_v6(void);

/*
 * What this host lacks to reach anybody over the family, to be put behind an error: "; this host
 * has no IPv4 address beside 127.0.0.1", "; IPv6 takes an MTU of 1280 bytes (RFC 8200, 5), and that
 * of near is 576". Empty where nothing is found to lack. Returns `text`.
 */
const char *family_lack(bool v6, char text[FAMILY_TEXT]);

#endif

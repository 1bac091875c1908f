/*
 * What this host has of each address family: it decides which family a listener without an address
 * serves, and explains why a peer cannot be reached.
 */
#ifndef TCPWAVE_WIRE_FAMILY_H
#define TCPWAVE_WIRE_FAMILY_H

#include <stdbool.h>

#define FAMILY_TEXT 160

/* Says how far the addresses of a family reach. */
enum family_reach {
    FAMILY_NONE,  /* the host has no address */
    FAMILY_LOCAL, /* only itself: 127.0.0.1, ::1 */
    FAMILY_BEYOND /* its links at least */
};

/* Returns how far the addresses of the family reach; FAMILY_BEYOND also when the kernel does not
 * answer. */
enum family_reach family_reach(bool v6);

/* Returns whether a listener serves IPv6 when the user gave neither a family nor an address. It
 * does when IPv6 reaches further than IPv4 on this host. */
bool family_default_v6(void);

/*
 * Writes what this host lacks for reaching a peer over the family, as the end of an error message:
 * "; this host has no IPv4 address beside 127.0.0.1", "; IPv6 takes an MTU of 1280 bytes (RFC 8200,
 * 5), and that of near is 576". The text is empty when nothing is found to be missing. Returns
 * `text`.
 */
const char *family_lack(bool v6, char text[FAMILY_TEXT]);

#endif

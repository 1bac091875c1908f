/*
 * Formats an address, alone or with a port, as text. The C library's inet_ntop() does the work for
 * IPv6: it is a pure function and makes no system call.
 */
#include "lib/core/addr.h"

#include <arpa/inet.h>
#include <stdio.h>

/* Writes a number below 65536, and returns its end. */
static char *decimal(char *to, unsigned n)
{
    char reversed[5];
    unsigned len = 0;

    do
        reversed[len++] = (char)('0' + n % 10);
    while ((n /= 10) && len < sizeof reversed);
    while (len)
        *to++ = reversed[--len];
    return to;
}

/* Writes an IPv4 address, and returns its end. The C library takes several times as long. */
static char *dotted(const uint8_t *byte, char *to)
{
    for (unsigned i = 0; i < 4; i++) {
        if (i)
            *to++ = '.';
        to = decimal(to, byte[i]);
    }
    return to;
}

const char *addr_text(bool v6, const struct addr *addr, char text[ADDR_TEXT])
{
    if (!v6)
        *dotted(addr->byte, text) = '\0';
    else if (!inet_ntop(AF_INET6, addr->byte, text, ADDR_TEXT))
        text[0] = '\0';
    return text;
}

const char *addr_port_text(bool v6, const struct addr *addr, uint16_t port,
                           char text[ADDR_PORT_TEXT])
{
    char host[ADDR_TEXT], *to = text;

    if (v6) {
        snprintf(text, ADDR_PORT_TEXT, "[%s]:%u", addr_text(v6, addr, host), (unsigned)port);
        return text;
    }
    to = dotted(addr->byte, to);
    *to++ = ':';
    *decimal(to, port) = '\0';
    return text;
}

const char *mac_text(const uint8_t mac[MAC_BYTES], char text[MAC_TEXT])
{
    snprintf(text, MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
             mac[4], mac[5]);
    return text;
}

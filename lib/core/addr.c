/*
 * Formats an address, alone or with a port, as text. The C library's inet_ntop() does the work: it
 * is a pure function and makes no system call.
 */
#include "lib/core/addr.h"

#include <arpa/inet.h>
#include <stdio.h>

const char *addr_text(bool v6, const struct addr *addr, char text[ADDR_TEXT])
{
    if (!inet_ntop(v6 ? AF_INET6 : AF_INET, addr->byte, text, ADDR_TEXT))
        text[0] = '\0';
    return text;
}

const char *addr_port_text(bool v6, const struct addr *addr, uint16_t port,
                           char text[ADDR_PORT_TEXT])
{
    char host[ADDR_TEXT];

    snprintf(text, ADDR_PORT_TEXT, v6 ? "[%s]:%u" : "%s:%u", addr_text(v6, addr, host),
             (unsigned)port);
    return text;
}

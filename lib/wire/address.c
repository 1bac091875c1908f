/*
 * Converts the engine's addresses to the form that socket calls take.
 */
#include "lib/wire/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

socklen_t address_socket(bool v6, const struct addr *a, uint16_t port, uint32_t scope,
                         struct sockaddr_storage *out)
{
    memset(out, 0, sizeof *out);
    if (v6) {
        struct sockaddr_in6 in6 = {
            .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_scope_id = scope};
        memcpy(&in6.sin6_addr, a->byte, sizeof in6.sin6_addr);
        memcpy(out, &in6, sizeof in6);
        return sizeof in6;
    }
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
    memcpy(&in.sin_addr, a->byte, sizeof in.sin_addr);
    memcpy(out, &in, sizeof in);
    return sizeof in;
}

bool address_loopback(bool v6, const struct addr *a)
{
    static const struct addr one = {{[15] = 1}};
    return v6 ? addr_eq(a, &one) : a->byte[0] == 127;
}

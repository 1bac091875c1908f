/*
 * TARGET: `host:port`, `host:service`, `[v6]:port`, `[fe80::1%eth0]:port`, or a URL, of which only
 * host and port are used; to listen on, `[addr:]port`. The form is checked while the command line
 * is read (usage, status 2); names are looked up later (unknown name, status 3).
 */
#ifndef TCPWAVE_CMD_TARGET_H
#define TCPWAVE_CMD_TARGET_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/err.h"
#include "lib/core/flow.h"

enum target_family { TARGET_ANY, TARGET_IPV4, TARGET_IPV6 };

#define TARGET_HOST 254 /* 253 characters of a domain name, and the NUL */
#define TARGET_SERVICE 64

/* A target in its parts. */
struct target_name {
    char host[TARGET_HOST];       /* without brackets and zone; "" only for listen: any address */
    char zone[16];                /* interface behind '%', or "" */
    char service[TARGET_SERVICE]; /* as written */
    uint16_t port;                /* when the service is a number, else 0 */
    enum target_family literal;   /* `host` is an address of that family; TARGET_ANY: a name */
    bool passive;                 /* to listen on */
    bool url;                     /* it was taken out of a URL */
};

/* Where to. */
struct target {
    bool v6;
    bool any; /* listen: every local address; `addr` is all zero */
    struct addr addr;
    uint16_t port;
    uint32_t scope; /* interface index of a link-local address, or 0 */
};

/*
 * Takes `text` apart. WAVE_EINVAL, with *d filled in: no port, port 0 or beyond 65535, brackets
 * that do not match, an address that nobody can connect to (RFC 9293, 3.9.2.3: MUST-46), ...
 */
int target_parse(const char *text, bool passive, struct target_name *out, struct diag *d);

/* The same for a command that takes one target: of the `count` operands that stand there, more than
 * one are an error. */
int target_single(char *const *text, unsigned count, bool passive, struct target_name *out,
                  struct diag *d);

/*
 * Looks host, service and zone up. `family` chooses among a name's addresses; of several that are
 * left the first in the order of RFC 6724. A wildcard of no family is IPv4's, unless `family` says
 * IPv6. WAVE_ENOTFOUND: unknown host, service or interface, or none of that family. WAVE_EINVAL:
 * `family` contradicts a literal address (the command line's check keeps this from happening).
 */
int target_resolve(const struct target_name *name, enum target_family family, struct target *out,
                   struct diag *d);

/* A literal address without brackets or zone; false when it is none. */
bool target_literal(const char *text, bool *v6, struct addr *out);

#endif

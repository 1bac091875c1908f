/*
 * TARGET: `host:port`, `host:service`, `[v6]:port`, `[fe80::1%eth0]:port`, or a URL, of which only
 * host and port are used; to listen on, `[addr:]port`. The host `sim` is the simulated peer; `sim.`
 * is a host that is really called so. The form is checked while the command line
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

/* Holds the parts of a target. */
struct target_name {
    char host[TARGET_HOST];       /* without brackets and zone; "", for listen only: any address */
    char zone[16];                /* interface behind '%', or "" */
    char service[TARGET_SERVICE]; /* as written */
    uint16_t port;                /* if the service is a number, else 0 */
    enum target_family literal;   /* the family of `host` if it is an address; TARGET_ANY: a name */
    bool passive;                 /* it is to listen on */
    bool url;                     /* it was taken out of a URL */
    bool sim;                     /* it is sim:PORT, the simulated peer */
};

/* Holds a resolved target. */
struct target {
    bool v6;
    bool any; /* listen: every local address; `addr` is all zero */
    struct addr addr;
    uint16_t port;
    uint32_t scope; /* interface index of a link-local address, or 0 */
};

#define TARGET_ADDRESSES 100

/* Holds the addresses of a target, each once, in the order in which they are to be tried. */
struct target_list {
    struct target at[TARGET_ADDRESSES];
    uint32_t count; /* at least 1 */
    uint32_t more;  /* addresses for which there was no room */
};

/*
 * Splits `text` into its parts. Returns 0, or WAVE_EINVAL with *d filled in: no port, port 0 or
 * beyond 65535, brackets that do not match, an address that cannot be connected to (RFC 9293,
 * 3.9.2.3: MUST-46), and so on.
 */
int target_parse(const char *text, bool passive, struct target_name *out, struct diag *d);

/* Does the same for a command that takes one target. More than one operand is an error. */
int target_single(char *const *text, unsigned count, bool passive, struct target_name *out,
                  struct diag *d);

/*
 * Resolves host, service and zone. `family` selects among the addresses of a name; if several are
 * left, the first in the order of RFC 6724 is taken. Without `family`, a wildcard address to listen
 * on is of the family that this host prefers (lib/wire/family.h). Returns 0; WAVE_ENOTFOUND with *d
 * filled in if host, service or interface are unknown, or have no address of that family; or
 * WAVE_EINVAL if `family` contradicts a literal address, which where_check() has excluded.
 */
int target_resolve(const struct target_name *name, enum target_family family, struct target *out,
                   struct diag *d);

/* Does the same, and takes every address of the name that can be a peer. */
int target_resolve_all(const struct target_name *name, enum target_family family,
                       struct target_list *out, struct diag *d);

/* Returns an address on the simulated network (RFC 5737, RFC 3849): ours if `near`, else the
 * peer's. */
struct addr target_simulated(bool v6, bool near);

/* Returns whether a name server may have to be asked, which may take long. */
bool target_is_looked_up(const struct target_name *name);

/* Parses a literal address without brackets and zone. Returns false if it is none. */
bool target_literal(const char *text, bool *v6, struct addr *out);

#endif

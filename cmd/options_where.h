/* Declares the options that say from where and over which family and interface segments are sent:
 * -4, -6, --interface, --source and --source-port. */
#ifndef TCPWAVE_CMD_OPTIONS_WHERE_H
#define TCPWAVE_CMD_OPTIONS_WHERE_H

#include "cmd/options.h"
#include "cmd/target.h"
#include "lib/core/flow.h"

struct where_options {
    bool ipv4, ipv6;       /* -4, -6: at most one is set */
    const char *interface; /* NULL: the one that the route says */
    bool has_source;
    struct source_addr {
        bool v6;
        struct addr addr;
    } source; /* of the same family as -4, -6 and a literal target say */
};

extern const struct option_row where_rows[];       /* -4, -6 and --interface */
extern const struct option_row where_source_row[]; /* --source, one address */
extern const struct option_row where_port_row[];   /* --source-port, in a uint32_t; 0: a free one */

/* Checks that -4, -6, a literal target and --source are of one family. `target` is the family of
 * the literal target, or TARGET_ANY. Returns what is wrong, as a message, or NULL. */
const char *where_check(const struct where_options *w, enum target_family target);

/* Returns the family that a target's address must have, or TARGET_ANY. */
enum target_family where_family(const struct where_options *w);

#endif

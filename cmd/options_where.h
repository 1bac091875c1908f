/* Where from and where to: -4, -6, --interface, --source, --source-port. */
#ifndef TCPWAVE_CMD_OPTIONS_WHERE_H
#define TCPWAVE_CMD_OPTIONS_WHERE_H

#include "cmd/options.h"
#include "cmd/target.h"
#include "lib/core/flow.h"

struct where_options {
    bool ipv4, ipv6;       /* -4, -6: never both */
    const char *interface; /* NULL: the route's */
    bool has_source;
    struct source_addr {
        bool v6;
        struct addr addr;
    } source; /* agrees with -4, -6 and a literal target */
};

extern const struct option_row where_rows[];       /* -4, -6 and --interface */
extern const struct option_row where_source_row[]; /* --source, once */
extern const struct option_row where_port_row[];   /* --source-port, in a uint32_t; 0: a free one */

/* -4, -6, the literal target and --source are of one family: what is wrong, or NULL. */
const char *where_check(const struct where_options *w, enum target_family target);

/* Which addresses of a name will do. */
enum target_family where_family(const struct where_options *w);

#endif

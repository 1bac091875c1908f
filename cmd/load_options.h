/* Declares the options of load. */
#ifndef TCPWAVE_CMD_LOAD_OPTIONS_H
#define TCPWAVE_CMD_LOAD_OPTIONS_H

#include "cmd/options_close.h"
#include "cmd/options_impair.h"
#include "cmd/options_show.h"
#include "cmd/options_sim.h"
#include "cmd/options_tcp.h"
#include "cmd/options_where.h"
#include "cmd/target.h"
#include "lib/core/err.h"
#include "lib/core/flow.h"

#define LOAD_TARGETS 64  /* at most */
#define LOAD_SOURCES 256 /* at most */

struct load_options {
    struct target_name target[LOAD_TARGETS];
    unsigned targets;                 /* at least 1 */
    struct where_options where;       /* where.source is the first of the sources below */
    struct addr source[LOAD_SOURCES]; /* all of the family of where.source */
    unsigned sources;
    uint32_t source_port; /* the first; 0: ports of the kernel's range */
    struct bytes data;
    uint32_t connections; /* in all; 0: until --timeout or a signal */
    uint32_t concurrency; /* connections at a time; default 100 */
    uint32_t rate;        /* new connections a second; 0: as fast as they are answered */
    uint32_t limit;       /* --rate-limit: 0 on, 1 off */
    struct close_options close;
    struct end_options end; /* TIME_WAIT is never kept */
    struct tcp_options tcp; /* `window` is unused: received data is discarded immediately */
    struct impair_options impair;
    struct show_options show;
    struct sim_options sim;
};

/* The parts of load_command that concern its options. The functions are described at struct
 * command. */
extern const struct option_group load_groups[];
void load_defaults(void *options);
int load_operands(void *options, char *const *text, unsigned count, struct diag *d);
const char *load_check(void *options);

#endif

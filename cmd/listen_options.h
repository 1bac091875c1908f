/* Declares the options of listen. */
#ifndef TCPWAVE_CMD_LISTEN_OPTIONS_H
#define TCPWAVE_CMD_LISTEN_OPTIONS_H

#include "cmd/options_close.h"
#include "cmd/options_impair.h"
#include "cmd/options_probe.h"
#include "cmd/options_show.h"
#include "cmd/options_sim.h"
#include "cmd/options_tcp.h"
#include "cmd/options_where.h"
#include "cmd/preset.h"
#include "cmd/target.h"

struct listen_options {
    struct target_name target; /* where it listens */
    struct where_options where;
    struct bytes data;    /* -d: sent to everyone */
    const char *output;   /* -o: a path, "-" is standard output; NULL: none */
    bool echo, discard;   /* at most one of these two, `serve` and `data` is set */
    const char *serve;    /* a path; NULL: none */
    uint32_t connections; /* end after so many; 0: never */
    bool served;          /* only those that sent something count */
    uint32_t half_open;   /* connections in SYN_RECEIVED before SYN cookies; default 256 */
    uint32_t max;         /* connections at a time; default 4096 */
    struct close_options close;
    struct preset_options preset;
    struct end_options end;
    struct probe_options probe;
    struct tcp_options tcp;
    struct impair_options impair;
    struct show_options show;
    struct sim_options sim;
};

/* The parts of listen_command that concern its options. The functions are described at struct
 * command. */
extern const struct option_group listen_groups[];
void listen_defaults(void *options);
int listen_operands(void *options, char *const *text, unsigned count, struct diag *d);
bool listen_tell(const void *options, FILE *to);
const char *listen_check(void *options);

#endif

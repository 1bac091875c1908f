/* Declares the options that connect, halfclose and keepalive share. Each of these commands opens
 * one connection. */
#ifndef TCPWAVE_CMD_CLIENT_OPTIONS_H
#define TCPWAVE_CMD_CLIENT_OPTIONS_H

#include "cmd/options_close.h"
#include "cmd/options_data.h"
#include "cmd/options_impair.h"
#include "cmd/options_show.h"
#include "cmd/options_sim.h"
#include "cmd/options_tcp.h"
#include "cmd/options_where.h"
#include "cmd/target.h"
#include "lib/core/err.h"

/* Holds the shared options. A command's own struct begins with this one, so that the command can
 * use the functions below as hooks of its struct command. */
struct client_options {
    struct target_name target; /* parsed; target_resolve() looks the name up */
    struct where_options where;
    uint32_t source_port; /* 0: the kernel chooses one */
    struct data_options data;
    const char *output; /* -o: a path, "-" is standard output; NULL: none */
    struct end_options end;
    struct tcp_options tcp;
    bool verify; /* send a harmless probe after each step that left the peer's state assumed */
    struct impair_options impair;
    struct show_options show;
    struct sim_options sim;
};

extern const struct option_row client_verify_row[]; /* --verify, in a struct client_options */

/* Fill in the defaults, take the target, and check the options together. `options` begins with a
 * struct client_options. What they return is described at struct command. */
void client_defaults(void *options);
int client_operands(void *options, char *const *text, unsigned count, struct diag *d);
const char *client_check(void *options);

#endif
